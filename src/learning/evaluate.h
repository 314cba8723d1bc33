// Measuring a model on samples; used while training, after it, and by evaluate jobs.
#pragma once

#include <boost/json.hpp>
#include <functional>
#include <string>

#include "base/result.h"
#include "families/model.h"
#include "families/preprocess/samples.h"
#include "learning/objective.h"

namespace atelier::learning {

// Loss and headline metric only. The network is in evaluation mode afterwards.
Result<EpochSums> Measure(const families::Model& model, const families::Samples& samples, const std::string& loss);

// All metrics of metrics/metrics.h with "loss" and "rows"; regression in the target's unit, its loss standardised.
// `cancelled` may be empty. Errors: kCancelled, kInvalidArgument where there are no rows, kInternal.
Result<boost::json::object> Evaluate(const families::Model& model, const families::Samples& samples,
                                     const std::string& loss, const std::function<bool()>& cancelled);

}  // namespace atelier::learning
