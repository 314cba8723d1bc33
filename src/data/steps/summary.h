// Statistics of number columns over many rows: moments, and exact quantiles by sorting on disk.
#pragma once

#include <memory>
#include <vector>

#include "data/steps/step.h"

namespace atelier::data::steps {

struct Summary {
  int64_t count = 0;  // values that are not missing; where 0, the rest means nothing
  double minimum = 0, maximum = 0, mean = 0, standard_deviation = 0;  // divided by the count
  double lower_quartile = 0, median = 0, upper_quartile = 0;          // interpolated linearly between ranks
  double mode = 0;                                                    // the smallest of the most frequent values
};

struct SummaryRequest {
  std::vector<size_t> columns{};  // scalars
  bool quantiles = false;         // also quartiles and mode
  bool train_only = true;
};

// A Fitter whose result SummariesFromJson reads.
std::unique_ptr<Fitter> MakeSummaryFitter(SummaryRequest request, const FitContext& context);
// One a column. Errors: kDataLoss.
Result<std::vector<Summary>> SummariesFromJson(const boost::json::object& state, size_t columns);

}  // namespace atelier::data::steps
