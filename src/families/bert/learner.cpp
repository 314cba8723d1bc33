#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "families/batching.h"
#include "families/bert/bert.h"
#include "families/bert/model.h"
#include "families/bert/objective.h"
#include "families/spec/families.h"
#include "families/words/texts.h"

namespace atelier::families {
namespace {

using bert::Config;
using bert::Examples;
using bert::Model;
using bert::Task;

class BertLearner final : public Learner {
 public:
  BertLearner(Model model, Examples train, Examples validation, bert::LossOptions options, const json::object& settings)
      : model_(std::move(model)),
        train_(std::move(train)),
        validation_(std::move(validation)),
        lengths_(train_.Lengths()),
        options_(std::move(options)),
        buckets_{.batch_size = GetInt(settings, "batch_size", 32), .token_budget = GetInt(settings, "token_budget")},
        seed_(static_cast<uint64_t>(GetInt(settings, "seed", 1))) {}

  torch::nn::Module& module() override { return *model_.network; }
  Batches Epoch(int64_t epoch) const override { return BucketedBatches(lengths_, buckets_, seed_, epoch); }

  BatchLoss Forward(std::span<const int64_t> batch, bool bf16) override {
    return LossOf(*model_.network, train_, batch, options_, bf16);
  }

  Result<Sums> Validate(const std::function<bool()>& cancelled) override {
    return SumLosses(*model_.network, validation_, options_, cancelled);
  }

  std::string metric_name() const override { return train_.numbers.empty() ? "accuracy" : "rmse"; }
  double Metric(const Sums& sums) const override {
    const double mean = sums.weight > 0 ? sums.score / sums.weight : 0;
    return train_.numbers.empty() ? mean : std::sqrt(mean);
  }

  Result<std::map<std::string, storage::BlobRef>> Save(storage::BlobStore& blobs) const override {
    return StoreModel(model_, options_.shift, options_.scale, blobs);
  }

  json::object Describe() const override {
    const Signature signature = SignatureOf(model_.config);
    return {{"task", signature.task},
            {"labels", json::value_from(model_.config.labels)},
            {"signature", ToJson(signature)},
            {"architecture", "bert"},
            {"parameters", CountParameters(*model_.network)}};
  }

 private:
  Model model_;
  Examples train_;
  Examples validation_;
  std::vector<int64_t> lengths_;
  bert::LossOptions options_;
  Buckets buckets_;
  uint64_t seed_;
};

Config Wanted(const json::object& settings) {
  Config config;
  config.task = bert::TaskFromName(GetString(settings, "task"));
  config.columns = {GetString(settings, "text")};
  if (const std::string pair = GetString(settings, "text_pair"); !pair.empty()) {
    config.columns.push_back(pair);
  }
  config.target = GetString(settings, "target");
  config.width = GetInt(settings, "width");
  config.layers = GetInt(settings, "layers");
  config.heads = GetInt(settings, "heads", 1);
  config.hidden = GetInt(settings, "hidden");
  config.max_length = GetInt(settings, "max_length");
  config.positions = config.max_length;
  config.dropout = GetNumber(settings, "dropout");
  config.pools_first = GetString(settings, "pooling") == "first";
  return config;
}

Result<text::TrainedTokenizer> LearnTokenizer(const LearnInput& input, const Config& config) {
  std::vector<TextColumn> columns;
  for (const auto& name : config.columns) {
    ATELIER_ASSIGN(column, TextColumn::Open(input.reader, name));
    columns.push_back(std::move(column));
  }
  text::TokenizerTraining options;
  options.algorithm = text::TokenizerAlgorithm::kWordPiece;
  options.vocabulary_size = GetInt(input.settings, "vocabulary_size");
  options.special = text::UsualSpecials(options.algorithm);
  options.word_piece.lowercase = GetBool(input.settings, "lowercase", true);
  options.word_piece.strip_accents = options.word_piece.lowercase;
  return text::TrainTokenizer(
      [&](const std::function<Status(std::string_view)>& each) -> Status {
        for (const int64_t row : input.rows.train) {
          for (const auto& column : columns) {
            ATELIER_ASSIGN(text, column.At(row));
            ATELIER_TRY(each(text));
          }
        }
        return {};
      },
      options);
}

Result<Model> FromScratch(const LearnInput& input, Config config) {
  Model model;
  ATELIER_ASSIGN(files, LearnTokenizer(input, config));
  ATELIER_ASSIGN(tokenizer, text::MakeTokenizer(files));
  config.vocabulary = tokenizer->size();
  config.padding = tokenizer->spec().padding.value_or(0);
  model.tokenizer_files = std::move(files);
  model.tokenizer = std::move(tokenizer);
  ATELIER_TRY(CatchTorch([&]() -> Status {
    model.network = bert::Network(config);
    return {};
  }));
  model.config = std::move(config);
  return model;
}

// How numbers are learnt, by those of the training rows.
void FitNumbers(const std::vector<double>& numbers, Task task, bert::LossOptions& options) {
  if (numbers.empty()) {
    return;
  }
  const auto [least, most] = std::ranges::minmax(numbers);
  if (task == Task::kEmbedding) {
    options.shift = least;
    options.scale = most > least ? most - least : 1;
    return;
  }
  double sum = 0;
  double squares = 0;
  for (const double number : numbers) {
    sum += number - least;  // small numbers keep the squares exact
    squares += (number - least) * (number - least);
  }
  const auto count = static_cast<double>(numbers.size());
  const double variance = squares / count - (sum / count) * (sum / count);
  options.shift = least + sum / count;
  options.scale = variance > 0 ? std::sqrt(variance) : 1;
}

}  // namespace

Result<std::unique_ptr<Learner>> LearnBert(const LearnInput& input) {
  const auto& settings = input.settings;
  Config wanted = Wanted(settings);
  ATELIER_ASSIGN(labels, LabelsOf(input.reader, input.rows.train, wanted));
  wanted.labels = std::move(labels);
  torch::manual_seed(static_cast<uint64_t>(GetInt(settings, "seed", 1)));
  ATELIER_ASSIGN(model, input.base.empty() ? FromScratch(input, wanted) : LoadBase(input.base, wanted));
  model.network->Freeze(GetInt(settings, "frozen_layers"));
  ATELIER_ASSIGN(encoder,
                 bert::Encoder::Make(*model.tokenizer, model.config.max_length, model.config.task == Task::kMaskedLm));
  ATELIER_ASSIGN(train, LoadExamples(input.reader, input.rows.train, model.config, encoder));
  ATELIER_ASSIGN(validation, LoadExamples(input.reader, input.rows.validation, model.config, encoder));
  if (train.size() == 0) {
    return Unfit("no training row has texts and a target");
  }
  const auto dropped =
      std::ssize(input.rows.train) + std::ssize(input.rows.validation) - train.size() - validation.size();
  if (input.message && dropped > 0) {
    input.message("warning", std::to_string(dropped) + " rows without texts or a target were left out");
  }
  bert::LossOptions options{.label_smoothing = GetNumber(settings, "label_smoothing"),
                            .temperature = GetNumber(settings, "temperature", 1),
                            .masking = bert::MaskOptionsOf(*model.tokenizer, GetNumber(settings, "masking"))};
  FitNumbers(train.numbers, model.config.task, options);
  return std::unique_ptr<Learner>(std::make_unique<BertLearner>(std::move(model), std::move(train),
                                                                std::move(validation), std::move(options), settings));
}

}  // namespace atelier::families
