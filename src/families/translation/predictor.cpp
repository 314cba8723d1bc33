#include "base/json.h"
#include "families/process.h"
#include "families/translation/pairs.h"
#include "families/translation/scoring.h"
#include "families/translation/translation.h"
#include "text/spec_json.h"

namespace atelier::families {
namespace {

class PreparedText final : public PreparedInstance {
 public:
  explicit PreparedText(std::vector<int32_t> tokens) : tokens_(std::move(tokens)) {}
  const std::vector<int32_t>& tokens() const { return tokens_; }

 private:
  std::vector<int32_t> tokens_;
};

class TranslationPredictor final : public Predictor {
 public:
  explicit TranslationPredictor(TranslationModel model)
      : model_(std::move(model)), signature_(TranslationSignature(model_.config)) {}

  const Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<PreparedInstance>> Prepare(const Instance& instance) const override {
    ATELIER_ASSIGN(text, TextOf(instance));
    auto tokens = Encoded(*model_.tokenizer, text, model_.config.end);
    if (tokens.size() < 2) {
      return InvalidArgument("the text is empty", "inputs");
    }
    if (static_cast<int64_t>(tokens.size()) > model_.config.max_length) {
      return InvalidArgument("the text has " + std::to_string(tokens.size()) + " tokens; the model reads at most " +
                                 std::to_string(model_.config.max_length),
                             "inputs", "context_length_exceeded");
    }
    return std::unique_ptr<PreparedInstance>(std::make_unique<PreparedText>(std::move(tokens)));
  }

  Result<std::vector<Answer>> Predict(std::span<const PreparedInstance* const> batch) override {
    std::vector<Answer> answers;
    ATELIER_TRY(CatchTorch([&]() -> Status {
      std::vector<std::vector<int32_t>> texts;
      for (const auto* prepared : batch) {
        texts.push_back(static_cast<const PreparedText&>(*prepared).tokens());
      }
      for (const auto& hypothesis : Translate(*model_.network, model_.config, texts, {})) {
        answers.push_back(
            {.values = {static_cast<float>(hypothesis.score)}, .texts = {model_.tokenizer->Decode(hypothesis.tokens)}});
      }
      return {};
    }));
    return answers;
  }

 private:
  Result<std::string> TextOf(const Instance& instance) const {
    if (const auto* text = std::get_if<InstanceText>(&instance)) {
      return text->text;
    }
    if (const auto* record = std::get_if<InstanceRecord>(&instance)) {
      const auto found = record->find(model_.config.source);
      if (found != record->end() && std::holds_alternative<std::string>(found->second)) {
        return std::get<std::string>(found->second);
      }
      return InvalidArgument("the record has no text '" + model_.config.source + "'", model_.config.source,
                             "missing_required_parameter");
    }
    return InvalidArgument("the model reads texts", "inputs");
  }

  TranslationModel model_;
  Signature signature_;
};

}  // namespace

Signature TranslationSignature(const TranslationConfig& config) {
  return {.family = "translation",
          .task = "text2text-generation",
          .inputs = {{.name = "text", .datatype = "BYTES", .shape = {-1, 1}}},
          .outputs = {{.name = "text", .datatype = "BYTES", .shape = {-1, 1}}},
          .labels = {},
          .input_fields = {config.source},
          .output_fields = {config.target}};
}

Result<TranslationModel> LoadTranslation(const ModelFiles& files) {
  TranslationModel model;
  ATELIER_ASSIGN(json, JsonFile(files, kConfigFile));
  auto config = TranslationConfigFromJson(json);
  if (!config.ok()) {
    Error error = std::move(config).error();
    error.reason = "invalid_model_file";
    return error;
  }
  model.config = std::move(config).value();
  ATELIER_ASSIGN(tokenizer_json, JsonFile(files, kTokenizerFile));
  std::string tokenizer_config;
  if (files.contains(kTokenizerConfigFile)) {
    ATELIER_ASSIGN(object, JsonFile(files, kTokenizerConfigFile));
    tokenizer_config = json::serialize(object);
  }
  const std::string tokenizer_text = json::serialize(tokenizer_json);
  ATELIER_ASSIGN(spec, text::ReadTokenizerJson({tokenizer_text, tokenizer_config}));
  ATELIER_ASSIGN(tokenizer, text::Tokenizer::Make(std::move(spec)));
  if (tokenizer->size() > model.config.vocabulary) {
    return InvalidArgument("tokenizer.json has more tokens than config.json says", "", "invalid_model_file");
  }
  model.tokenizer = std::move(tokenizer);
  ATELIER_ASSIGN(weights, FileOf(files, kWeightsFile));
  ATELIER_ASSIGN(named, ReadTensors(weights));
  ATELIER_ASSIGN(tensors, FromM2m100(named));
  // An embedding matrix of the size that the file has: a config cannot ask for memory that no weights fill.
  const auto shared = tensors.find("shared");
  if (shared == tensors.end() || shared->second.dim() != 2 || shared->second.size(0) != model.config.vocabulary ||
      shared->second.size(1) != model.config.width) {
    return InvalidArgument("the embeddings have another shape than config.json says", "", "invalid_model_file");
  }
  ATELIER_TRY(CatchTorch([&]() -> Status {
    model.network = Translator(model.config);
    return {};
  }));
  ATELIER_TRY(SetState(*model.network, tensors));
  model.network->eval();
  return model;
}

Result<std::unique_ptr<Predictor>> OpenTranslation(const ModelFiles& files, int threads) {
  ATELIER_ASSIGN(model, LoadTranslation(files));
  ConfigureProcess(threads);
  return std::unique_ptr<Predictor>(std::make_unique<TranslationPredictor>(std::move(model)));
}

Result<Outcomes> MeasureTranslation(const ModelFiles& files, const MeasureInput& input) {
  ATELIER_ASSIGN(model, LoadTranslation(files));
  ConfigureProcess(input.threads);
  ATELIER_ASSIGN(pairs, ReadPairs(input.reader, input.rows, model.config));
  Outcomes outcomes{.task = "text2text-generation"};
  std::vector<std::vector<int32_t>> texts;
  for (size_t i = 0; i < pairs.size(); ++i) {
    auto tokens = Encoded(*model.tokenizer, pairs[i].source, model.config.end);
    if (tokens.size() < 2 || pairs[i].target.empty()) {
      continue;
    }
    if (static_cast<int64_t>(tokens.size()) > model.config.max_length) {  // the beginning is what can be translated
      tokens.resize(static_cast<size_t>(model.config.max_length) - 1);
      tokens.push_back(static_cast<int32_t>(model.config.end));
    }
    texts.push_back(std::move(tokens));
    outcomes.rows.push_back(input.rows[i]);
    outcomes.references.push_back(pairs[i].target);
  }
  ATELIER_TRY(CatchTorch([&]() -> Status {
    for (const auto& hypothesis : Translate(*model.network, model.config, texts, input.cancelled)) {
      outcomes.texts.push_back(model.tokenizer->Decode(hypothesis.tokens));
    }
    return {};
  }));
  if (input.cancelled && input.cancelled()) {
    return MakeError(Code::kCancelled, "the job was cancelled", "cancelled");
  }
  Sums sums;
  const auto encoded = EncodePairs(pairs, *model.tokenizer, model.config);
  ATELIER_TRY(SumLosses(*model.network, model.config, encoded.pairs, input.cancelled, sums));
  outcomes.loss = sums.mean_loss();
  outcomes.extra = {{"token_accuracy", sums.weight > 0 ? sums.score / sums.weight : 0}};
  return outcomes;
}

}  // namespace atelier::families
