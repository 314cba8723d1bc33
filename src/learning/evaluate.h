// What a model's answers to rows of known truth are worth.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "families/learner.h"

namespace atelier::learning {

// All metrics of metrics/metrics.h for the task, with "loss" (where the family has one) and "rows"; regression in the
// target's unit, its loss standardised. Errors: kInvalidArgument where there are no rows.
Result<boost::json::object> Evaluate(const families::Outcomes& outcomes);

// Opens the model and evaluates it. Errors: as Entry::measure, kUnimplemented where the family measures nothing.
Result<boost::json::object> Evaluate(const families::Entry& entry, const families::ModelFiles& files,
                                     const families::MeasureInput& input);

}  // namespace atelier::learning
