// What a model's answers to rows of known truth are worth.
#pragma once

#include <boost/json.hpp>
#include <optional>

#include "base/result.h"
#include "families/learner.h"
#include "learning/evaluation/predictions.h"

namespace atelier::learning {

struct Evaluated {
  boost::json::object metrics;
  std::optional<Predictions> predictions{};  // nothing where the task has none that can be told apart by rows
};

// All metrics of the task (learning/metrics), those that only the family knows, "loss" (where the family has one) and
// "rows"; regression in the target's unit, its loss standardised. Scores of classes that are no probabilities are taken
// for logits. Errors: kInvalidArgument where there are no rows.
Result<Evaluated> Evaluate(const families::Outcomes& outcomes);

// Opens the model and evaluates it. Errors: as Entry::measure, kUnimplemented where the family measures nothing.
Result<Evaluated> Evaluate(const families::Entry& entry, const families::ModelFiles& files,
                           const families::MeasureInput& input);

// Adds what the rows can be grouped by: the categories and numbers of the data set but for its target, the length of
// its texts in characters ("COLUMN.length"), and the beginning of the first text. At most 64 columns.
// Errors: kDataLoss.
Status AddKeys(const data::Reader& reader, Predictions& predictions);

}  // namespace atelier::learning
