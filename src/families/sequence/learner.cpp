#include "families/sequence/learner.h"

#include <cmath>
#include <numeric>

#include "base/json.h"
#include "families/batching.h"
#include "families/precision.h"
#include "families/process.h"
#include "families/sequence/linear_start.h"
#include "families/sequence/model.h"
#include "families/weights.h"

namespace atelier::families {
namespace {

constexpr Buckets kMeasured{.batch_size = 128, .token_budget = 65536};
constexpr double kMaxTokens = 1 << 18;    // of a batch
constexpr int64_t kStartWindows = 65536;  // that a linear start looks at
constexpr int64_t kMaxStart = 2048;       // steps of a window that has one

struct Batch {
  std::vector<Sequence> sequences;
  torch::Tensor targets;  // I64 [batch], or of tags [steps, batch]; else F32 [batch, outputs]
};

Batch Gather(const SequenceConfig& config, const Examples& examples, std::span<const int64_t> indices) {
  Batch batch;
  int64_t steps = 1;
  for (const int64_t i : indices) {
    batch.sequences.push_back(examples.sequences[static_cast<size_t>(i)]);
    steps = std::max(steps, batch.sequences.back().length);
  }
  const auto count = std::ssize(indices);
  if (config.task == "classification") {
    batch.targets = torch::empty({count}, torch::kInt64);
    std::ranges::transform(indices, batch.targets.data_ptr<int64_t>(),
                           [&](int64_t i) { return examples.classes[static_cast<size_t>(i)]; });
  } else if (config.task == "token-classification") {
    batch.targets = torch::full({steps, count}, -1, torch::kInt64);
    auto* target = batch.targets.data_ptr<int64_t>();
    for (int64_t i = 0; i < count; ++i) {
      const auto& tags = batch.sequences[static_cast<size_t>(i)].tags;
      for (size_t step = 0; step < tags.size(); ++step) {
        target[static_cast<int64_t>(step) * count + i] = tags[step];
      }
    }
  } else {
    batch.targets = torch::empty({count, config.outputs}, torch::kFloat32);
    auto* target = batch.targets.data_ptr<float>();
    for (const int64_t i : indices) {
      target = std::copy_n(examples.targets.begin() + i * config.outputs, config.outputs, target);
    }
  }
  return batch;
}

// The mean over classes, tags that are known, or numbers. The score is of correct ones, or of squared errors.
BatchLoss LossOf(const torch::Tensor& outputs, const torch::Tensor& targets, double smoothing) {
  if (targets.scalar_type() != torch::kInt64) {
    const auto loss = torch::mse_loss(outputs, targets);
    const auto count = static_cast<double>(targets.numel());
    return {.loss = loss, .weight = count, .score = loss.item<double>() * count};
  }
  const auto flat = outputs.reshape({-1, outputs.size(-1)});
  const auto truth = targets.reshape({-1});
  const auto known = truth.ge(0);
  const double count = known.sum().item<double>();
  const auto options = torch::nn::functional::CrossEntropyFuncOptions().ignore_index(-1).label_smoothing(smoothing);
  return {.loss = count > 0 ? torch::nn::functional::cross_entropy(flat, truth, options) : flat.sum() * 0,
          .weight = count,
          .score = flat.detach().argmax(1).eq(truth).logical_and(known).sum().item<double>()};
}

using UseBatch =
    std::function<void(std::span<const int64_t> indices, const torch::Tensor& outputs, const torch::Tensor& targets)>;

// Sequences of like length together, in evaluation mode.
Status ForEachBatch(const SequenceModel& model, const Examples& examples, const std::function<bool()>& cancelled,
                    const UseBatch& use) {
  return CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    model.network->eval();
    for (const auto& indices : BucketedBatches(examples.Lengths(), kMeasured, 0, 0)) {
      if (cancelled && cancelled()) {
        return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
      }
      const Batch batch = Gather(model.config, examples, indices);
      use(indices, model.network->Forward(MakeBatch(model.config, batch.sequences)), batch.targets);
    }
    return {};
  });
}

class SequenceLearner final : public Learner {
 public:
  SequenceLearner(SequenceModel model, Examples train, Examples validation, const json::object& settings)
      : model_(std::move(model)),
        train_(std::move(train)),
        validation_(std::move(validation)),
        lengths_(train_.Lengths()),
        smoothing_(GetNumber(settings, "label_smoothing")),
        buckets_{.batch_size = GetInt(settings, "batch_size", 32), .token_budget = static_cast<int64_t>(kMaxTokens)},
        seed_(static_cast<uint64_t>(GetInt(settings, "seed", 1))) {}

  torch::nn::Module& module() override { return *model_.network; }

  Batches Epoch(int64_t epoch) const override { return BucketedBatches(lengths_, buckets_, seed_, epoch); }

  BatchLoss Forward(std::span<const int64_t> indices, bool bf16) override {
    const Batch batch = Gather(model_.config, train_, indices);
    torch::Tensor outputs;
    {
      const AutocastScope autocast(bf16);
      outputs = model_.network->Forward(MakeBatch(model_.config, batch.sequences));
    }
    return LossOf(outputs.to(torch::kFloat32), batch.targets, smoothing_);
  }

  Result<Sums> Validate(const std::function<bool()>& cancelled) override {
    Sums sums;
    ATELIER_TRY(ForEachBatch(model_, validation_, cancelled, [&](const auto&, const auto& outputs, const auto& truth) {
      const auto loss = LossOf(outputs, truth, 0);
      sums.Add({.loss = loss.loss.template item<double>() * loss.weight, .weight = loss.weight, .score = loss.score});
    }));
    return sums;
  }

  std::string metric_name() const override { return model_.preprocessor.labels.empty() ? "rmse" : "accuracy"; }

  double Metric(const Sums& sums) const override {
    if (sums.weight == 0) {
      return 0;
    }
    const double mean = sums.score / sums.weight;
    return model_.preprocessor.labels.empty() ? std::sqrt(mean) * model_.preprocessor.target_std : mean;
  }

  Result<std::map<std::string, storage::BlobRef>> Save(storage::BlobStore& blobs) const override {
    return SaveSequenceModel(model_, blobs);
  }

  json::object Describe() const override {
    return {{"task", model_.config.task},
            {"labels", json::value_from(model_.preprocessor.labels)},
            {"signature", ToJson(SignatureOf(model_))},
            {"parameters", CountParameters(*model_.network)}};
  }

 private:
  SequenceModel model_;
  Examples train_;
  Examples validation_;
  std::vector<int64_t> lengths_;
  double smoothing_;
  Buckets buckets_;
  uint64_t seed_;
};

VocabularyOptions OptionsOf(const json::object& settings, const SequenceData& data) {
  const bool tags = data.input == "tokens";
  return {.cut = CutFromName(GetString(settings, "tokens")),
          .lowercase = GetBool(settings, "lowercase", true),
          .max_length = tags ? 65536 : GetInt(settings, "max_length", 256),
          .ngrams = GetInt(settings, "ngrams", 1),
          .features = tags,
          .min_count = GetInt(settings, "min_count", 1),
          .size = GetInt(settings, "vocabulary_size", 50000)};
}

// What was said of an example, at its place among all.
void Keep(const SequenceModel& model, const torch::Tensor& output, size_t place, const Examples& examples,
          Outcomes& outcomes) {
  const auto& preprocessor = model.preprocessor;
  const auto width = static_cast<size_t>(model.config.outputs);
  if (model.config.task == "token-classification") {
    const auto tags = output.argmax(1).contiguous();
    const auto* tag = tags.data_ptr<int64_t>();
    std::string line;
    for (int64_t i = 0; i < examples.sequences[place].length; ++i) {
      line += (i == 0 ? "" : " ") + preprocessor.labels[static_cast<size_t>(tag[i])];
    }
    outcomes.texts[place] = std::move(line);
    return;
  }
  const auto row = output.contiguous();
  const auto* values = row.data_ptr<float>();
  for (size_t i = 0; i < width; ++i) {
    if (model.config.task == "classification") {
      outcomes.scores[place * width + i] = values[i];
    } else {
      outcomes.predicted[place * width + i] =
          static_cast<double>(values[i]) * preprocessor.target_std + preprocessor.target_mean;
    }
  }
}

// Of a long series evenly spaced windows.
void StartLinear(SequenceModel& model, const Examples& train) {
  const int64_t stride = (train.size() + kStartWindows - 1) / kStartWindows;
  RidgeSums sums;
  std::vector<int64_t> indices;
  for (int64_t i = 0; i < train.size(); i += stride) {
    indices.push_back(i);
    if (std::ssize(indices) == kMeasured.batch_size || i + stride >= train.size()) {
      const Batch batch = Gather(model.config, train, indices);
      const auto input = SequenceNetwork::LinearInput(MakeBatch(model.config, batch.sequences));
      sums.Add(input, batch.targets - input.narrow(1, model.config.context, 1));
      indices.clear();
    }
  }
  model.network->StartLinear(sums.Solve());
}

}  // namespace

Result<std::unique_ptr<Learner>> LearnSequence(const LearnInput& input) {
  const FitInput fit{.family = input.family, .settings = input.settings, .manifest = input.reader.manifest()};
  SequenceModel model;
  ATELIER_ASSIGN(data, ResolveSequence(fit));
  ATELIER_ASSIGN(config, MakeSequenceConfig(fit, data));
  ATELIER_ASSIGN(preprocessor, FitPreprocessor(input.reader, input.rows.train, data, OptionsOf(input.settings, data)));
  if (preprocessor.vocabulary.has_value()) {
    config.vocabulary = preprocessor.vocabulary->size();
    config.features = data.input == "tokens" ? kTokenFeatures : 1;
  }
  config.outputs = preprocessor.labels.empty() ? config.outputs : std::ssize(preprocessor.labels);
  model.config = std::move(config);
  model.preprocessor = std::move(preprocessor);
  ATELIER_ASSIGN(train, LoadExamples(input.reader, input.rows.train, model.config, model.preprocessor));
  ATELIER_ASSIGN(validation, LoadExamples(input.reader, input.rows.validation, model.config, model.preprocessor));
  if (train.size() == 0) {
    return Unfit("no training row has " + std::string(data.input == "series" ? "enough steps before it" : "a target"));
  }
  if (const auto dropped = train.dropped + validation.dropped; input.message && dropped > 0) {
    input.message("warning", std::to_string(dropped) + " rows without a target or enough steps were left out");
  }
  ATELIER_TRY(CatchTorch([&]() -> Status {
    model.network =
        std::make_shared<SequenceNetwork>(model.config, static_cast<uint64_t>(GetInt(input.settings, "seed", 1)));
    if (model.config.input == "series" && model.config.context <= kMaxStart) {
      StartLinear(model, train);
    }
    return {};
  }));
  return std::unique_ptr<Learner>(
      std::make_unique<SequenceLearner>(std::move(model), std::move(train), std::move(validation), input.settings));
}

Result<Outcomes> MeasureSequence(const ModelFiles& files, const MeasureInput& input) {
  ATELIER_ASSIGN(model, LoadSequenceModel(files));
  ConfigureProcess(input.threads);
  ATELIER_ASSIGN(examples, LoadExamples(input.reader, input.rows, model.config, model.preprocessor));
  if (examples.size() == 0) {
    return InvalidArgument("there is no row to evaluate on", "split", "dataset_unsuitable");
  }
  Outcomes outcomes{.task = model.config.task, .rows = examples.rows};
  const auto count = static_cast<size_t>(examples.size());
  const bool tags = model.config.task == "token-classification";
  if (tags) {
    outcomes.texts.resize(count);
    for (const int64_t row : examples.rows) {
      ATELIER_ASSIGN(line, input.reader.Bytes(model.preprocessor.data.target, row));
      outcomes.references.emplace_back(line);
    }
  } else if (model.config.task == "classification") {
    outcomes.labels = model.preprocessor.labels;
    outcomes.classes = examples.classes;
    outcomes.scores.resize(count * outcomes.labels.size());
  } else {
    outcomes.truth = examples.truth;
    outcomes.predicted.resize(examples.truth.size());
  }
  Sums sums;
  ATELIER_TRY(ForEachBatch(model, examples, input.cancelled, [&](auto indices, const auto& outputs, const auto& truth) {
    const auto loss = LossOf(outputs, truth, 0);
    sums.Add({.loss = loss.loss.template item<double>() * loss.weight, .weight = loss.weight, .score = loss.score});
    for (size_t i = 0; i < indices.size(); ++i) {
      const auto at = static_cast<int64_t>(i);
      Keep(model, tags ? outputs.select(1, at) : outputs[at], static_cast<size_t>(indices[i]), examples, outcomes);
    }
  }));
  outcomes.loss = sums.mean_loss();
  if (tags) {
    outcomes.extra["accuracy"] = sums.weight > 0 ? sums.score / sums.weight : 0;
  }
  return outcomes;
}

}  // namespace atelier::families
