// The figures of predictions: the whole report of all rows, and the few that are computed again and again for parts of
// them, resamples and mixtures of two models.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <span>
#include <string>
#include <vector>

#include "learning/evaluation/predictions.h"
#include "learning/metrics/resampling.h"

namespace atelier::learning {

struct Figure {
  std::string name;  // as in the report
  Statistic of;      // NaN where it is not defined
};

// The first is the headline: label "accuracy", number "mae", text "chrf", tags "entity_f1". They borrow nothing and are
// thread-safe.
std::vector<Figure> Figures(const Predictions& predictions);

// How well each row is answered: label "accuracy" (0 or 1), number "mae" (the absolute error, smaller is better), text
// "chrf" (of the row, 0 to 100), tags "token_accuracy" (0 to 1).
struct RowScores {
  std::string name;
  bool lower_is_better = false;
  std::vector<double> values;  // [rows]
};
RowScores ScoreRows(const Predictions& predictions);

// 0, 1 ... rows - 1
std::vector<uint32_t> AllRows(size_t rows);

// All metrics of the kind (learning/metrics), with "rows" and, where the rows have losses, "loss".
// Labels without probabilities get those of the decisions alone.
boost::json::object MetricsOf(const Predictions& predictions);

// {"accuracy":[low, high], ...}: bootstrap intervals of the figures. Fewer resamples are drawn from very many rows.
boost::json::object IntervalsOf(const Predictions& predictions, const ResamplingOptions& options);

}  // namespace atelier::learning
