#include "learning/evaluate.h"

#include <algorithm>
#include <cmath>

#include "learning/evaluation/figures.h"

namespace atelier::learning {
namespace {

constexpr size_t kMostProbabilities = size_t{1} << 25;  // more are not kept
constexpr double kLeast = 1e-12;

// Whether each row is a distribution.
bool AreProbabilities(const std::vector<float>& scores, size_t classes) {
  for (size_t first = 0; first < scores.size(); first += classes) {
    double sum = 0;
    for (size_t i = first; i < first + classes; ++i) {
      if (!(scores[i] >= 0)) {
        return false;
      }
      sum += scores[i];
    }
    if (std::abs(sum - 1) > 1e-3) {
      return false;
    }
  }
  return true;
}

void Softmax(std::vector<float>& scores, size_t classes) {
  for (auto row = scores.begin(); row != scores.end(); row += static_cast<std::ptrdiff_t>(classes)) {
    const auto end = row + static_cast<std::ptrdiff_t>(classes);
    const double most = *std::max_element(row, end);
    double sum = 0;
    for (auto value = row; value != end; ++value) {
      sum += std::exp(*value - most);
    }
    std::transform(row, end, row, [&](float value) { return static_cast<float>(std::exp(value - most) / sum); });
  }
}

Predictions Labels(const families::Outcomes& outcomes) {
  const size_t classes = outcomes.labels.size();
  Predictions predictions;
  predictions.labels = outcomes.labels;
  predictions.truth.assign(outcomes.classes.begin(), outcomes.classes.end());
  predictions.probabilities = outcomes.scores;
  if (!AreProbabilities(predictions.probabilities, classes)) {
    Softmax(predictions.probabilities, classes);
  }
  for (size_t row = 0; row < outcomes.rows.size(); ++row) {
    // Of the scores as they came: rounding must not decide between two classes.
    const float* values = outcomes.scores.data() + row * classes;
    predictions.predicted.push_back(static_cast<int32_t>(std::max_element(values, values + classes) - values));
    const double probability = predictions.probabilities[row * classes + static_cast<size_t>(predictions.truth[row])];
    predictions.losses.push_back(static_cast<float>(-std::log(std::max(probability, kLeast))));
  }
  return predictions;
}

// A forecast has several steps a row; each is a row of the predictions, told apart by the key "step".
Predictions Numbers(const families::Outcomes& outcomes) {
  Predictions predictions;
  predictions.kind = AnswerKind::kNumber;
  predictions.true_values = outcomes.truth;
  predictions.predicted_values = outcomes.predicted;
  const size_t steps = outcomes.truth.size() / outcomes.rows.size();
  if (steps > 1) {
    Key step{.name = "step"};
    predictions.rows.clear();
    for (const int64_t row : outcomes.rows) {
      for (size_t i = 0; i < steps; ++i) {
        predictions.rows.push_back(row);
        step.numbers.push_back(static_cast<float>(i + 1));
      }
    }
    predictions.keys.push_back(std::move(step));
  }
  return predictions;
}

std::optional<Predictions> PredictionsOf(const families::Outcomes& outcomes) {
  Predictions predictions;
  if (outcomes.task == "classification") {
    predictions = Labels(outcomes);
  } else if (outcomes.task == "regression" || outcomes.task == "forecasting") {
    predictions = Numbers(outcomes);
  } else if (outcomes.references.size() == outcomes.rows.size()) {
    predictions.kind = outcomes.task == "token-classification" ? AnswerKind::kTags : AnswerKind::kText;
    predictions.true_texts = outcomes.references;
    predictions.predicted_texts = outcomes.texts;
  } else {
    return std::nullopt;
  }
  if (predictions.rows.empty()) {
    predictions.rows = outcomes.rows;
  }
  return predictions;
}

}  // namespace

Result<Evaluated> Evaluate(const families::Outcomes& outcomes) {
  if (outcomes.rows.empty()) {
    return InvalidArgument("there is no row to evaluate on", "split", "dataset_unsuitable");
  }
  Evaluated evaluated;
  evaluated.predictions = PredictionsOf(outcomes);
  if (evaluated.predictions.has_value()) {
    ATELIER_TRY(Check(*evaluated.predictions));
    evaluated.metrics = MetricsOf(*evaluated.predictions);
    if (evaluated.predictions->probabilities.size() > kMostProbabilities) {
      evaluated.predictions->probabilities.clear();
    }
  }
  for (const auto& member : outcomes.extra) {
    evaluated.metrics[member.key()] = member.value();
  }
  evaluated.metrics["loss"] = outcomes.loss;
  evaluated.metrics["rows"] = std::ssize(outcomes.rows);
  return evaluated;
}

Result<Evaluated> Evaluate(const families::Entry& entry, const families::ModelFiles& files,
                           const families::MeasureInput& input) {
  if (entry.measure == nullptr) {
    return MakeError(Code::kUnimplemented, "models of the family " + std::string(entry.name) + " are not evaluated",
                     "model_not_supported");
  }
  ATELIER_ASSIGN(outcomes, entry.measure(files, input));
  return Evaluate(outcomes);
}

}  // namespace atelier::learning
