#include "learning/evaluate.h"

#include <numeric>

#include "learning/metrics/metrics.h"

namespace atelier::learning {
namespace {

constexpr int64_t kBatch = 256;

// Calls `use(outputs, targets)` for every batch in order.
Status ForEachBatch(const families::Model& model, const families::Samples& samples,
                    const std::function<bool()>& cancelled,
                    const std::function<void(const torch::Tensor&, const torch::Tensor&)>& use) {
  return families::CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    model.network->eval();
    const auto affine = families::MakeAffine(model.preprocessor);
    std::vector<int64_t> indices(static_cast<size_t>(samples.rows()));
    std::iota(indices.begin(), indices.end(), int64_t{0});
    for (int64_t first = 0; first < samples.rows(); first += kBatch) {
      if (cancelled && cancelled()) {
        return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
      }
      const auto count = static_cast<size_t>(std::min(kBatch, samples.rows() - first));
      const auto part = std::span<const int64_t>(indices).subspan(static_cast<size_t>(first), count);
      const auto inputs = families::GatherInputs(samples, affine, part);
      const auto targets = families::GatherTargets(samples, model.preprocessor.target, part);
      use(model.network->Forward(inputs).contiguous(), targets);
    }
    return {};
  });
}

}  // namespace

Result<EpochSums> Measure(const families::Model& model, const families::Samples& samples, const std::string& loss) {
  EpochSums sums;
  ATELIER_TRY(ForEachBatch(model, samples, {}, [&](const torch::Tensor& outputs, const torch::Tensor& targets) {
    sums.Add(Loss(loss, outputs, targets).item<double>(), outputs, targets);
  }));
  return sums;
}

Result<boost::json::object> Evaluate(const families::Model& model, const families::Samples& samples,
                                     const std::string& loss, const std::function<bool()>& cancelled) {
  if (samples.rows() == 0) {
    return InvalidArgument("there is no row to evaluate on", "split", "dataset_unsuitable");
  }
  const families::TargetInfo& target = model.preprocessor.target;
  EpochSums sums;
  std::vector<float> scores;
  std::vector<double> predicted;
  ATELIER_TRY(ForEachBatch(model, samples, cancelled, [&](const torch::Tensor& outputs, const torch::Tensor& targets) {
    sums.Add(Loss(loss, outputs, targets).item<double>(), outputs, targets);
    const auto* values = outputs.data_ptr<float>();
    if (target.labels.empty()) {
      for (int64_t i = 0; i < outputs.numel(); ++i) {
        predicted.push_back(static_cast<double>(values[i]) * target.std + target.mean);
      }
    } else {
      scores.insert(scores.end(), values, values + outputs.numel());
    }
  }));
  boost::json::object metrics;
  if (target.labels.empty()) {
    const auto* truth = samples.targets.data_ptr<float>();
    metrics = RegressionMetrics(std::vector<double>(truth, truth + samples.rows()), predicted);
  } else {
    const auto* truth = samples.targets.data_ptr<int64_t>();
    metrics = ClassificationMetrics({.truth = {truth, static_cast<size_t>(samples.rows())},
                                     .scores = scores,
                                     .classes = model.config.outputs,
                                     .labels = &target.labels});
  }
  metrics["loss"] = sums.mean_loss();
  metrics["rows"] = samples.rows();
  return metrics;
}

}  // namespace atelier::learning
