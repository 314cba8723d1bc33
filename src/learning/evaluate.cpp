#include "learning/evaluate.h"

#include "learning/metrics/metrics.h"

namespace atelier::learning {

Result<boost::json::object> Evaluate(const families::Outcomes& outcomes) {
  if (outcomes.rows.empty()) {
    return InvalidArgument("there is no row to evaluate on", "split", "dataset_unsuitable");
  }
  boost::json::object metrics;
  if (outcomes.task == "classification") {
    metrics = ClassificationMetrics({.truth = outcomes.classes,
                                     .scores = outcomes.scores,
                                     .classes = std::ssize(outcomes.labels),
                                     .labels = &outcomes.labels});
  } else if (outcomes.task == "regression" || outcomes.task == "forecasting") {
    metrics = RegressionMetrics(outcomes.truth, outcomes.predicted);
  }
  for (const auto& member : outcomes.extra) {
    metrics[member.key()] = member.value();
  }
  metrics["loss"] = outcomes.loss;
  metrics["rows"] = std::ssize(outcomes.rows);
  return metrics;
}

Result<boost::json::object> Evaluate(const families::Entry& entry, const families::ModelFiles& files,
                                     const families::MeasureInput& input) {
  if (entry.measure == nullptr) {
    return MakeError(Code::kUnimplemented, "models of the family " + std::string(entry.name) + " are not evaluated",
                     "model_not_supported");
  }
  ATELIER_ASSIGN(outcomes, entry.measure(files, input));
  return Evaluate(outcomes);
}

}  // namespace atelier::learning
