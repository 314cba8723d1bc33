#include "families/gpt/learner.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "base/json.h"
#include "base/rng.h"
#include "families/batching.h"
#include "families/gpt/prepare.h"
#include "families/gpt/token_loss.h"
#include "families/weights.h"

namespace atelier::families {
namespace {

using gpt::BlockBatch;
using gpt::Blocks;

constexpr uint64_t kOffsetStream = 0x0FF5E7;

// What all of them share: the model, and how it is saved.
class GptLearner : public Learner {
 public:
  GptLearner(const LearnInput& input, gpt::Start start, Material material)
      : material_(material),
        start_(std::move(start)),
        base_(input.base_version),
        method_(GetString(input.settings, "method")),
        batch_size_(GetInt(input.settings, "batch_size", 1)),
        seed_(static_cast<uint64_t>(GetInt(input.settings, "seed", 1))) {}

  torch::nn::Module& module() override { return *start_.network; }

  Result<std::map<std::string, storage::BlobRef>> Save(storage::BlobStore& blobs) const override {
    return method_ == "full" ? gpt::StoreModel(*start_.network, start_.language, blobs)
                             : gpt::StoreAdapter(*start_.network, GetString(base_, "name"), blobs);
  }

  json::object Describe() const override {
    json::object out{{"task", "text-generation"}, {"material", Name(material_)}, {"method", method_}};
    if (method_ == "full") {
      out["family"] = "llm";
      out["parameters"] = gpt::ParametersOf(start_.network->shape());
      return out;
    }
    int64_t parameters = 0;
    for (const auto& [name, tensor] : TrainedStateOf(*start_.network)) {
      parameters += tensor.numel();
    }
    out["family"] = "llm-adapter";
    out["parameters"] = parameters;
    out["base"] = json::object{{"model", GetString(base_, "name")}, {"version", GetInt(base_, "version")}};
    return out;
  }

 protected:
  gpt::NetworkImpl& network() const { return *start_.network.ptr(); }
  const gpt::Language& language() const { return start_.language; }
  int64_t batch_size() const { return batch_size_; }
  uint64_t seed() const { return seed_; }

  // body(rows of a batch), in evaluation mode, of `rows` rows in order.
  template <class Body>
  Status ForBatches(int64_t rows, const std::function<bool()>& cancelled, const Body& body) const {
    return CatchTorch([&]() -> Status {
      const torch::NoGradGuard no_grad;
      network().eval();
      std::vector<int64_t> all(static_cast<size_t>(rows));
      std::iota(all.begin(), all.end(), int64_t{0});
      for (int64_t first = 0; first < rows; first += batch_size_) {
        if (cancelled && cancelled()) {
          return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
        }
        body(std::span<const int64_t>(all).subspan(static_cast<size_t>(first),
                                                   static_cast<size_t>(std::min(batch_size_, rows - first))));
      }
      return {};
    });
  }

 private:
  Material material_;
  gpt::Start start_;
  json::object base_;
  std::string method_;
  int64_t batch_size_;
  uint64_t seed_;
};

struct TokenData {
  std::vector<int32_t> stream{};  // of texts; empty: `train` is used
  Blocks train{};
  Blocks validation{};
};

// Predicts the next token. Of a stream the rows of each epoch begin at another place, so that every token stands at the
// end of a row and at its begin over time.
class TokenLearner final : public GptLearner {
 public:
  TokenLearner(const LearnInput& input, gpt::Start start, Material material, TokenData data)
      : GptLearner(input, std::move(start), material),
        data_(std::move(data)),
        smoothing_(GetNumber(input.settings, "label_smoothing")),
        texts_(material == Material::kText),
        characters_(gpt::CharactersOfTokens(*language().tokenizer)) {}

  Batches Epoch(int64_t epoch) const override {
    if (data_.stream.empty()) {
      return ShuffledBatches(data_.train.rows(), batch_size(), seed(), epoch);
    }
    const int64_t length = data_.train.length;
    const int64_t rows = (std::ssize(data_.stream) - length) / length;
    SeededRng rng(seed() + static_cast<uint64_t>(epoch) * 0x9E3779B97F4A7C15ULL, kOffsetStream);
    const int64_t offset = rng.Below(static_cast<uint32_t>(length));
    Batches batches = ShuffledBatches(rows, batch_size(), seed(), epoch);
    for (auto& batch : batches) {
      for (int64_t& row : batch) {
        row = offset + row * length;
      }
    }
    return batches;
  }

  BatchLoss Forward(std::span<const int64_t> batch, bool bf16) override {
    const BlockBatch rows = data_.stream.empty() ? gpt::Gather(data_.train, batch)
                                                 : gpt::GatherStream(data_.stream, batch, data_.train.length);
    const auto loss = gpt::LossOf(network(), rows, bf16, smoothing_);
    return {.loss = loss.mean, .weight = static_cast<double>(loss.targets.size(0)), .score = Characters(loss.targets)};
  }

  Result<Sums> Validate(const std::function<bool()>& cancelled) override {
    Sums sums;
    ATELIER_TRY(ForBatches(data_.validation.rows(), cancelled, [&](std::span<const int64_t> batch) {
      const auto loss = gpt::LossOf(network(), gpt::Gather(data_.validation, batch), false);
      const auto count = static_cast<double>(loss.targets.size(0));
      sums.Add({.loss = loss.mean.item<double>() * count, .weight = count, .score = Characters(loss.targets)});
    }));
    return sums;
  }

  std::string metric_name() const override { return texts_ ? "loss_per_character" : "perplexity"; }
  double Metric(const Sums& sums) const override {
    if (!texts_) {
      return std::exp(sums.mean_loss());
    }
    return sums.score > 0 ? sums.loss / sums.score : 0;
  }

 private:
  double Characters(const torch::Tensor& targets) const {
    int64_t count = 0;
    const auto* ids = targets.data_ptr<int64_t>();
    for (int64_t i = 0; i < targets.numel(); ++i) {
      count += characters_[static_cast<size_t>(ids[i])];
    }
    return static_cast<double>(count);
  }

  TokenData data_;
  double smoothing_;
  bool texts_;
  std::vector<int32_t> characters_;
};

// Pairs of answers: row i of each.
struct PreferenceRows {
  Blocks chosen{};
  Blocks rejected{};
};

// Direct preference optimisation (Rafailov et al., arXiv:2305.18290): -log sigmoid(beta ((log p - log p0)(chosen) -
// (log p - log p0)(rejected))), where p0 is the model before the training.
class PreferenceLearner final : public GptLearner {
 public:
  PreferenceLearner(const LearnInput& input, gpt::Start start, PreferenceRows train, PreferenceRows validation)
      : GptLearner(input, std::move(start), Material::kPreferences),
        train_(std::move(train)),
        validation_(std::move(validation)),
        beta_(GetNumber(input.settings, "preference_beta", 0.1)) {}

  // Asks the model what it thinks of the answers before it learns. To be called once.
  Status Remember(const std::function<bool()>& cancelled) {
    for (const auto& [rows, to] : {std::pair(&train_, &train_before_), std::pair(&validation_, &validation_before_)}) {
      std::vector<torch::Tensor> parts;
      ATELIER_TRY(ForBatches(rows->chosen.rows(), cancelled, [&, &rows = *rows](std::span<const int64_t> batch) {
        parts.push_back(Margin(rows, batch, false));
      }));
      *to = parts.empty() ? torch::empty({0}) : torch::cat(parts);
    }
    return {};
  }

  Batches Epoch(int64_t epoch) const override {
    return ShuffledBatches(train_.chosen.rows(), batch_size(), seed(), epoch);
  }

  BatchLoss Forward(std::span<const int64_t> batch, bool bf16) override {
    return LossOf(train_, train_before_, batch, bf16);
  }

  Result<Sums> Validate(const std::function<bool()>& cancelled) override {
    Sums sums;
    ATELIER_TRY(ForBatches(validation_.chosen.rows(), cancelled, [&](std::span<const int64_t> batch) {
      const BatchLoss loss = LossOf(validation_, validation_before_, batch, false);
      sums.Add({.loss = loss.loss.item<double>() * loss.weight, .weight = loss.weight, .score = loss.score});
    }));
    return sums;
  }

  std::string metric_name() const override { return "accuracy"; }
  double Metric(const Sums& sums) const override { return sums.weight > 0 ? sums.score / sums.weight : 0; }

 private:
  // log p(chosen) - log p(rejected): F32 [batch].
  torch::Tensor Margin(const PreferenceRows& rows, std::span<const int64_t> batch, bool bf16) const {
    return gpt::LogProbabilities(network(), gpt::Gather(rows.chosen, batch), bf16) -
           gpt::LogProbabilities(network(), gpt::Gather(rows.rejected, batch), bf16);
  }

  BatchLoss LossOf(const PreferenceRows& rows, const torch::Tensor& before, std::span<const int64_t> batch,
                   bool bf16) const {
    const auto indices = torch::tensor(std::vector<int64_t>(batch.begin(), batch.end()));
    const auto gain = Margin(rows, batch, bf16) - before.index_select(0, indices);
    return {.loss = -torch::log_sigmoid(beta_ * gain).mean(),
            .weight = static_cast<double>(batch.size()),
            .score = gain.detach().gt(0).sum().item<double>()};
  }

  PreferenceRows train_;
  PreferenceRows validation_;
  torch::Tensor train_before_;
  torch::Tensor validation_before_;
  double beta_;
};

Error NothingToLearn(const std::string& why) {
  return InvalidArgument("the training rows hold nothing to learn from" + (why.empty() ? "" : ": " + why), "dataset",
                         "dataset_unsuitable");
}

int64_t RowLength(const LearnInput& input, const gpt::Start& start) {
  return std::min(GetInt(input.settings, "context", 1), start.network->shape().context);
}

Result<TokenData> ReadTexts(const LearnInput& input, const gpt::Start& start) {
  const int64_t length = RowLength(input, start);
  ATELIER_ASSIGN(train, gpt::ReadStream(input.reader, input.rows.train, start.language, input.settings));
  ATELIER_ASSIGN(validation, gpt::ReadStream(input.reader, input.rows.validation, start.language, input.settings));
  TokenData data{.train = {.length = length}, .validation = gpt::CutStream(validation, length)};
  if (std::ssize(train) >= 2 * length) {
    data.stream = std::move(train);
  } else {
    data.train = gpt::CutStream(train, length);
  }
  return data.stream.empty() && data.train.rows() == 0 ? Result<TokenData>(NothingToLearn("")) : std::move(data);
}

Result<TokenData> ReadAnswers(const LearnInput& input, const gpt::Start& start, Material material,
                              const gpt::Prompts& prompts) {
  const int64_t length = RowLength(input, start);
  ATELIER_ASSIGN(train, gpt::ReadExamples(input.reader, input.rows.train, material, prompts));
  ATELIER_ASSIGN(validation, gpt::ReadExamples(input.reader, input.rows.validation, material, prompts));
  TokenData data{.train = gpt::Pack(train.sequences, length), .validation = gpt::Pack(validation.sequences, length)};
  if (input.message && train.skipped + validation.skipped > 0) {
    input.message("warning", std::to_string(train.skipped + validation.skipped) + " rows were left out; the first: " +
                                 (train.skipped > 0 ? train.first_reason : validation.first_reason));
  }
  if (input.message && data.train.cut > 0) {
    input.message("warning", std::to_string(data.train.cut) + " rows are longer than context and lose their end");
  }
  return data.train.rows() == 0 ? Result<TokenData>(NothingToLearn(train.first_reason)) : std::move(data);
}

// A row for each answer.
Result<PreferenceRows> ReadPairs(const LearnInput& input, std::span<const int64_t> rows, const gpt::Prompts& prompts,
                                 int64_t length) {
  ATELIER_ASSIGN(pairs, gpt::ReadPreferences(input.reader, rows, prompts));
  PreferenceRows out{.chosen = {.length = length}, .rejected = {.length = length}};
  for (const gpt::Preference& pair : pairs) {
    const Blocks chosen = gpt::Pack({pair.chosen}, length);
    const Blocks rejected = gpt::Pack({pair.rejected}, length);
    if (chosen.rows() == 1 && rejected.rows() == 1) {  // else a prompt fills the row
      out.chosen.Append(chosen);
      out.rejected.Append(rejected);
    }
  }
  return out;
}

}  // namespace

Result<std::unique_ptr<Learner>> LearnGpt(const LearnInput& input) {
  ATELIER_ASSIGN(material, MaterialOf(input.reader.manifest()));
  gpt::Start start;
  ATELIER_TRY(CatchTorch([&]() -> Status {
    ATELIER_ASSIGN(begun, gpt::Begin(input, material));
    start = std::move(begun);
    return {};
  }));
  if (material == Material::kText) {
    ATELIER_ASSIGN(data, ReadTexts(input, start));
    return std::unique_ptr<Learner>(std::make_unique<TokenLearner>(input, std::move(start), material, std::move(data)));
  }
  ATELIER_ASSIGN(prompts, gpt::Prompts::Make(*start.language.tokenizer, start.language.chat_template));
  if (material != Material::kPreferences) {
    ATELIER_ASSIGN(data, ReadAnswers(input, start, material, prompts));
    return std::unique_ptr<Learner>(std::make_unique<TokenLearner>(input, std::move(start), material, std::move(data)));
  }
  const int64_t length = RowLength(input, start);
  ATELIER_ASSIGN(train, ReadPairs(input, input.rows.train, prompts, length));
  ATELIER_ASSIGN(validation, ReadPairs(input, input.rows.validation, prompts, length));
  if (train.chosen.rows() == 0) {
    return NothingToLearn("");
  }
  auto learner = std::make_unique<PreferenceLearner>(input, std::move(start), std::move(train), std::move(validation));
  ATELIER_TRY(learner->Remember(input.cancelled));
  return std::unique_ptr<Learner>(std::move(learner));
}

}  // namespace atelier::families
