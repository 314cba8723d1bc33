#include <algorithm>

#include "base/json.h"
#include "families/batching.h"
#include "families/precision.h"
#include "families/translation/cross_entropy.h"
#include "families/translation/pairs.h"
#include "families/translation/scoring.h"
#include "families/translation/translation.h"
#include "text/training/train.h"

namespace atelier::families {
namespace {

Result<text::TrainedTokenizer> LearnTokenizer(const std::vector<TextPair>& texts, const json::object& settings) {
  const std::string kind = GetString(settings, "tokenizer", "bpe");
  text::TokenizerTraining options;
  options.algorithm = kind == "unigram"      ? text::TokenizerAlgorithm::kUnigram
                      : kind == "byte_bpe"   ? text::TokenizerAlgorithm::kByteBpe
                      : kind == "characters" ? text::TokenizerAlgorithm::kCharacters
                                             : text::TokenizerAlgorithm::kCharacterBpe;
  options.vocabulary_size = GetInt(settings, "vocabulary_size", options.vocabulary_size);
  options.add_eos = true;
  options.special = text::UsualSpecials(text::TokenizerAlgorithm::kUnigram);  // <pad> <unk> <s> </s>, of every kind
  return text::TrainTokenizer(
      [&](const std::function<Status(std::string_view)>& each) -> Status {
        for (const auto& text : texts) {
          ATELIER_TRY(each(text.source));
          ATELIER_TRY(each(text.target));
        }
        return {};
      },
      options);
}

class TranslationLearner final : public Learner {
 public:
  TranslationLearner(TranslationModel model, text::TrainedTokenizer tokenizer, const json::object& settings)
      : model_(std::move(model)),
        tokenizer_(std::move(tokenizer)),
        smoothing_(GetNumber(settings, "label_smoothing")),
        buckets_{.batch_size = GetInt(settings, "batch_size", 64), .token_budget = GetInt(settings, "token_budget")},
        seed_(static_cast<uint64_t>(GetInt(settings, "seed", 1))) {}

  void SetPairs(std::vector<TokenPair> train, std::vector<TokenPair> validation) {
    train_ = std::move(train);
    validation_ = std::move(validation);
    for (const auto& pair : train_) {
      lengths_.push_back(std::ssize(pair.source.size() > pair.target.size() ? pair.source : pair.target));
    }
  }

  torch::nn::Module& module() override { return *model_.network; }
  Batches Epoch(int64_t epoch) const override { return BucketedBatches(lengths_, buckets_, seed_, epoch); }

  BatchLoss Forward(std::span<const int64_t> chosen, bool bf16) override {
    const auto batch = MakeBatch(train_, chosen, model_.config);
    torch::Tensor states;
    {
      const AutocastScope autocast(bf16);
      const auto memory = model_.network->Encode(batch.source.tokens, batch.source.present);
      states = model_.network->Decode(batch.inputs, memory, batch.source.present);
    }
    const auto rows = states.reshape({-1, model_.config.width}).index_select(0, batch.places);
    auto loss = SmoothedCrossEntropy(rows, model_.network->embeddings(), batch.targets, smoothing_);
    return {.loss = std::move(loss.loss),
            .weight = static_cast<double>(batch.targets.numel()),
            .score = static_cast<double>(loss.right)};
  }

  Result<Sums> Validate(const std::function<bool()>& cancelled) override {
    Sums sums;
    ATELIER_TRY(SumLosses(*model_.network, model_.config, validation_, cancelled, sums));
    return sums;
  }

  std::string metric_name() const override { return "token_accuracy"; }
  double Metric(const Sums& sums) const override { return sums.weight > 0 ? sums.score / sums.weight : 0; }

  Result<std::map<std::string, storage::BlobRef>> Save(storage::BlobStore& blobs) const override {
    ATELIER_ASSIGN(weights, StoreTensors(blobs, ToM2m100(StateOf(*model_.network))));
    ATELIER_ASSIGN(config, StoreJson(blobs, ToJson(model_.config)));
    ATELIER_ASSIGN(tokenizer, storage::PutBytes(blobs, tokenizer_.tokenizer_json));
    ATELIER_ASSIGN(tokenizer_config, storage::PutBytes(blobs, tokenizer_.tokenizer_config_json));
    return std::map<std::string, storage::BlobRef>{{kConfigFile, config},
                                                   {kWeightsFile, weights},
                                                   {kTokenizerFile, tokenizer},
                                                   {kTokenizerConfigFile, tokenizer_config}};
  }

  json::object Describe() const override {
    return {{"task", "text2text-generation"},
            {"source", model_.config.source},
            {"target", model_.config.target},
            {"signature", ToJson(TranslationSignature(model_.config))},
            {"parameters", CountParameters(*model_.network)}};
  }

 private:
  TranslationModel model_;
  text::TrainedTokenizer tokenizer_;
  double smoothing_;
  Buckets buckets_;
  uint64_t seed_;
  std::vector<TokenPair> train_;
  std::vector<TokenPair> validation_;
  std::vector<int64_t> lengths_;  // of the longer side of each pair
};

Status SetIds(TranslationConfig& config, const text::Tokenizer& tokenizer) {
  const auto& spec = tokenizer.spec();
  if (!spec.padding || !spec.unknown || !spec.eos) {
    return Internal("the tokeniser lacks a special token");
  }
  config.vocabulary = tokenizer.size();
  config.padding = *spec.padding;
  config.unknown = *spec.unknown;
  config.end = *spec.eos;
  return {};
}

// Both files of the tokeniser of a model, as they are.
Result<text::TrainedTokenizer> TokenizerFiles(const ModelFiles& files) {
  text::TrainedTokenizer out;
  ATELIER_ASSIGN(tokenizer, JsonFile(files, kTokenizerFile));
  out.tokenizer_json = json::serialize(tokenizer);
  ATELIER_ASSIGN(config, JsonFile(files, kTokenizerConfigFile));
  out.tokenizer_config_json = json::serialize(config);
  return out;
}

struct Beginning {
  TranslationModel model{};
  text::TrainedTokenizer tokenizer{};
};

Result<Beginning> Begin(const LearnInput& input, const std::vector<TextPair>& texts) {
  Beginning out;
  if (!input.base.empty()) {
    ATELIER_ASSIGN(model, LoadTranslation(input.base));
    ATELIER_ASSIGN(tokenizer, TokenizerFiles(input.base));
    out.model = std::move(model);
    out.tokenizer = std::move(tokenizer);
    out.model.config.dropout = GetNumber(input.settings, "dropout");
    Translator network(out.model.config);
    ATELIER_TRY(SetState(*network, StateOf(*out.model.network)));
    out.model.network = network;
    return out;
  }
  out.model.config = TranslationConfigOf(input.settings);
  ATELIER_ASSIGN(trained, LearnTokenizer(texts, input.settings));
  ATELIER_ASSIGN(tokenizer, text::MakeTokenizer(trained));
  out.tokenizer = std::move(trained);
  out.model.tokenizer = std::move(tokenizer);
  ATELIER_TRY(SetIds(out.model.config, *out.model.tokenizer));
  ATELIER_TRY(CatchTorch([&]() -> Status {
    torch::manual_seed(static_cast<uint64_t>(GetInt(input.settings, "seed", 1)));
    out.model.network = Translator(out.model.config);
    return {};
  }));
  return out;
}

}  // namespace

Result<std::unique_ptr<Learner>> LearnTranslation(const LearnInput& input) {
  TranslationConfig columns = TranslationConfigOf(input.settings);
  ATELIER_ASSIGN(texts, ReadPairs(input.reader, input.rows.train, columns));
  ATELIER_ASSIGN(held_out, ReadPairs(input.reader, input.rows.validation, columns));
  ATELIER_ASSIGN(beginning, Begin(input, texts));
  const TranslationConfig& config = beginning.model.config;
  auto train = EncodePairs(texts, *beginning.model.tokenizer, config);
  auto validation = EncodePairs(held_out, *beginning.model.tokenizer, config);
  if (train.pairs.empty()) {
    return InvalidArgument("no pair has two sides of at most " + std::to_string(config.max_length) + " tokens",
                           "dataset", "dataset_unsuitable");
  }
  if (const int64_t dropped = train.dropped + validation.dropped; input.message && dropped > 0) {
    input.message("warning", std::to_string(dropped) + " pairs with an empty side, or one of more than " +
                                 std::to_string(config.max_length) + " tokens, were left out");
  }
  auto learner =
      std::make_unique<TranslationLearner>(std::move(beginning.model), std::move(beginning.tokenizer), input.settings);
  learner->SetPairs(std::move(train.pairs), std::move(validation.pairs));
  return std::unique_ptr<Learner>(std::move(learner));
}

}  // namespace atelier::families
