#include "families/sequential/learner.h"

#include <cmath>
#include <numeric>

#include "base/json.h"
#include "families/batching.h"
#include "families/precision.h"
#include "families/preprocess/samples.h"
#include "families/process.h"
#include "families/sequential/chain_predictor.h"
#include "families/sequential/objective.h"
#include "families/spec/chain.h"

namespace atelier::families {
namespace {

constexpr int64_t kBatch = 256;  // of a measurement

using UseBatch = std::function<void(const torch::Tensor& outputs, const torch::Tensor& targets)>;

// In order of the samples.
Status ForEachBatch(const Model& model, const Samples& samples, const std::function<bool()>& cancelled,
                    const UseBatch& use) {
  return CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    model.network->eval();
    const auto affine = MakeAffine(model.preprocessor);
    std::vector<int64_t> indices(static_cast<size_t>(samples.rows()));
    std::iota(indices.begin(), indices.end(), int64_t{0});
    for (int64_t first = 0; first < samples.rows(); first += kBatch) {
      if (cancelled && cancelled()) {
        return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
      }
      const auto count = static_cast<size_t>(std::min(kBatch, samples.rows() - first));
      const auto part = std::span<const int64_t>(indices).subspan(static_cast<size_t>(first), count);
      const auto inputs = GatherInputs(samples, affine, part);
      const auto targets = GatherTargets(samples, model.preprocessor.target, part);
      use(model.network->Forward(inputs).contiguous(), targets);
    }
    return {};
  });
}

class ChainLearner final : public Learner {
 public:
  ChainLearner(Model model, Samples train, Samples validation, const json::object& settings)
      : model_(std::move(model)),
        train_(std::move(train)),
        validation_(std::move(validation)),
        affine_(MakeAffine(model_.preprocessor)),
        loss_(ResolveLoss(settings, model_.config.task)),
        batch_size_(GetInt(settings, "batch_size", 64)),
        seed_(static_cast<uint64_t>(GetInt(settings, "seed", 1))) {}

  torch::nn::Module& module() override { return *model_.network; }

  Batches Epoch(int64_t epoch) const override {
    Batches batches = ShuffledBatches(train_.rows(), batch_size_, seed_, epoch);
    const bool normalised = std::ranges::any_of(model_.config.layers,
                                                [](const auto& layer) { return layer.kind == LayerKind::kBatchNorm; });
    // Batch normalisation has no variance for a last batch of one row, so that batch is left out.
    if (normalised && batches.size() > 1 && batches.back().size() == 1) {
      batches.pop_back();
    }
    return batches;
  }

  BatchLoss Forward(std::span<const int64_t> batch, bool bf16) override {
    const auto inputs = GatherInputs(train_, affine_, batch);
    const auto targets = GatherTargets(train_, model_.preprocessor.target, batch);
    torch::Tensor outputs;
    {
      const AutocastScope autocast(bf16);
      outputs = model_.network->Forward(inputs);
    }
    outputs = outputs.to(torch::kFloat32);
    const Sums sums = SumsOf(0, outputs, targets);
    return {.loss = Loss(loss_, outputs, targets), .weight = sums.weight, .score = sums.score};
  }

  Result<Sums> Validate(const std::function<bool()>& cancelled) override {
    Sums sums;
    ATELIER_TRY(ForEachBatch(model_, validation_, cancelled, [&](const auto& outputs, const auto& targets) {
      sums.Add(SumsOf(Loss(loss_, outputs, targets).template item<double>(), outputs, targets));
    }));
    return sums;
  }

  std::string metric_name() const override { return model_.config.task == "classification" ? "accuracy" : "rmse"; }

  double Metric(const Sums& sums) const override {
    if (sums.weight == 0) {
      return 0;
    }
    const TargetInfo& target = model_.preprocessor.target;
    return target.labels.empty() ? std::sqrt(sums.score / sums.weight) * target.std : sums.score / sums.weight;
  }

  Result<int> UsefulThreads(int threads) const override {
    return families::UsefulThreads(model_.config, batch_size_, threads);
  }

  Result<std::map<std::string, storage::BlobRef>> Save(storage::BlobStore& blobs) const override {
    ATELIER_ASSIGN(weights, StoreTensors(blobs, StateOf(*model_.network)));
    ATELIER_ASSIGN(config, StoreJson(blobs, ToJson(model_.config)));
    ATELIER_ASSIGN(preprocessor, StoreJson(blobs, ToJson(model_.preprocessor)));
    return std::map<std::string, storage::BlobRef>{
        {kConfigFile, config}, {kWeightsFile, weights}, {kPreprocessorFile, preprocessor}};
  }

  json::object Describe() const override {
    return {{"task", model_.config.task},
            {"labels", json::value_from(model_.preprocessor.target.labels)},
            {"signature", ToJson(MakeSignature(model_.config, model_.preprocessor))},
            {"parameters", CountParameters(*model_.network)}};
  }

 private:
  Model model_;
  Samples train_;
  Samples validation_;
  Affine affine_;
  std::string loss_;
  int64_t batch_size_;
  uint64_t seed_;
};

void AppendOutputs(const torch::Tensor& outputs, const TargetInfo& target, Outcomes& outcomes) {
  const auto* values = outputs.data_ptr<float>();
  if (!target.labels.empty()) {
    outcomes.scores.insert(outcomes.scores.end(), values, values + outputs.numel());
    return;
  }
  for (int64_t i = 0; i < outputs.numel(); ++i) {
    outcomes.predicted.push_back(static_cast<double>(values[i]) * target.std + target.mean);
  }
}

}  // namespace

Result<std::unique_ptr<Learner>> LearnChain(const LearnInput& input) {
  Model model;
  ATELIER_ASSIGN(
      config,
      MakeModelConfig({.family = input.family, .settings = input.settings, .manifest = input.reader.manifest()}));
  model.config = std::move(config);
  ATELIER_ASSIGN(draft, MakePreprocessor(input.reader.manifest(), model.config));
  ATELIER_ASSIGN(train, LoadSamples(input.reader, input.rows.train, draft));
  ATELIER_TRY(FitStatistics(train, draft));
  // Through its own JSON, so that what is trained on is exactly what will be loaded for serving.
  ATELIER_ASSIGN(text, ParseJson(json::serialize(ToJson(draft)), {.max_bytes = 64U << 20U, .max_depth = 32}));
  ATELIER_ASSIGN(preprocessor, PreprocessorFromJson(text, model.config));
  model.preprocessor = std::move(preprocessor);
  ATELIER_ASSIGN(validation, LoadSamples(input.reader, input.rows.validation, model.preprocessor));
  if (const auto dropped = train.dropped + validation.dropped; input.message && dropped > 0) {
    input.message("warning", std::to_string(dropped) + " rows without a target were left out");
  }
  ATELIER_ASSIGN(network, BuildNetwork(model.config, static_cast<uint64_t>(GetInt(input.settings, "seed", 1))));
  model.network = std::move(network);
  return std::unique_ptr<Learner>(
      std::make_unique<ChainLearner>(std::move(model), std::move(train), std::move(validation), input.settings));
}

Result<Outcomes> MeasureChain(const ModelFiles& files, const MeasureInput& input) {
  ATELIER_ASSIGN(model, LoadModel(files));
  ConfigureProcess(input.threads);
  const TargetInfo& target = model.preprocessor.target;
  ATELIER_ASSIGN(samples, LoadSamples(input.reader, input.rows, model.preprocessor));
  if (samples.rows() == 0) {
    return InvalidArgument("there is no row to evaluate on", "split", "dataset_unsuitable");
  }
  Outcomes outcomes{.task = model.config.task, .rows = samples.row_numbers, .labels = target.labels};
  const std::string loss = ResolveLoss({}, model.config.task);
  Sums sums;
  ATELIER_TRY(ForEachBatch(model, samples, input.cancelled, [&](const auto& outputs, const auto& targets) {
    sums.Add(SumsOf(Loss(loss, outputs, targets).template item<double>(), outputs, targets));
    AppendOutputs(outputs, target, outcomes);
  }));
  outcomes.loss = sums.mean_loss();
  if (target.labels.empty()) {
    const auto* truth = samples.targets.data_ptr<float>();
    outcomes.truth.assign(truth, truth + samples.rows());
  } else {
    const auto* truth = samples.targets.data_ptr<int64_t>();
    outcomes.classes.assign(truth, truth + samples.rows());
  }
  return outcomes;
}

}  // namespace atelier::families
