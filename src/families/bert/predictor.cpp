#include "base/json.h"
#include "families/bert/bert.h"
#include "families/bert/model.h"
#include "families/bert/objective.h"
#include "families/process.h"
#include "families/sequence/words.h"

namespace atelier::families {
namespace {

using bert::Task;

constexpr int64_t kFilled = 5;  // texts that a [MASK] is answered with

class PreparedText final : public PreparedInstance {
 public:
  bert::Text text{};
  std::vector<std::string> words{};  // of tags
  std::vector<int32_t> places{};     // of their first pieces, or of the [MASK]
  std::string raw{};                 // of masked-lm
};

class BertPredictor final : public Predictor {
 public:
  BertPredictor(bert::Model model, bert::Encoder encoder)
      : model_(std::move(model)), encoder_(encoder), signature_(SignatureOf(model_.config)) {}

  const Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<PreparedInstance>> Prepare(const Instance& instance) const override {
    const auto& columns = model_.config.columns;
    auto prepared = std::make_unique<PreparedText>();
    ATELIER_ASSIGN(text, TextOf(instance, columns[0]));
    if (model_.config.task == Task::kTagging) {
      ATELIER_TRY(PrepareWords(text, *prepared));
    } else if (model_.config.task == Task::kMaskedLm) {
      auto masked = encoder_.WithMask(text);
      if (masked.place < 0) {
        return InvalidArgument("the text must have one " + Mask() + " among its first " +
                                   std::to_string(model_.config.max_length - 2) + " tokens",
                               "inputs");
      }
      prepared->text = std::move(masked.text);
      prepared->places = {static_cast<int32_t>(masked.place)};
      prepared->raw = std::move(text);
    } else if (columns.size() == 2 && model_.config.task != Task::kEmbedding) {
      ATELIER_ASSIGN(second, TextOf(instance, columns[1]));
      prepared->text = encoder_.Pair(text, second);
    } else {
      prepared->text = encoder_.One(text);
    }
    return std::unique_ptr<PreparedInstance>(std::move(prepared));
  }

  Result<std::vector<Answer>> Predict(std::span<const PreparedInstance* const> batch) override {
    std::vector<Answer> answers;
    ATELIER_TRY(CatchTorch([&]() -> Status {
      const c10::InferenceMode inference;
      bert::Examples examples;
      std::vector<int64_t> all;
      for (const auto* item : batch) {
        const auto& prepared = static_cast<const PreparedText&>(*item);
        all.push_back(std::ssize(all));
        examples.texts.push_back(prepared.text);
        examples.places.push_back(prepared.places);
      }
      const auto outputs = OutputsOf(*model_.network, examples, all);
      int64_t first = 0;
      for (const auto* item : batch) {
        const auto& prepared = static_cast<const PreparedText&>(*item);
        const int64_t rows = prepared.places.empty() ? 1 : std::ssize(prepared.places);
        answers.push_back(AnswerOf(prepared, outputs.narrow(0, first, rows)));
        first += rows;
      }
      return {};
    }));
    return answers;
  }

 private:
  std::string Mask() const {
    return model_.tokenizer->spec().tokens[static_cast<size_t>(*model_.tokenizer->spec().mask)];
  }

  // A text is that of the only column.
  Result<std::string> TextOf(const Instance& instance, const std::string& column) const {
    const auto* text = std::get_if<InstanceText>(&instance);
    if (text != nullptr && signature_.input_fields.size() == 1) {
      return text->text;
    }
    if (const auto* record = std::get_if<InstanceRecord>(&instance)) {
      const auto found = record->find(column);
      if (found != record->end() && std::holds_alternative<std::string>(found->second)) {
        return std::get<std::string>(found->second);
      }
      return InvalidArgument("the record has no text '" + column + "'", column, "missing_required_parameter");
    }
    return InvalidArgument(text != nullptr ? "the model reads pairs: records with '" + signature_.input_fields[0] +
                                                 "' and '" + signature_.input_fields[1] + "'"
                                           : "the model reads texts",
                           "inputs");
  }

  Status PrepareWords(const std::string& text, PreparedText& prepared) const {
    for (auto& word : SplitSpaces(text)) {
      if (!word.empty()) {
        prepared.words.push_back(std::move(word));
      }
    }
    if (prepared.words.empty()) {
      return InvalidArgument("there is no word to tag", "inputs");
    }
    auto encoded = encoder_.Tagged(prepared.words);
    if (encoded.places.size() < prepared.words.size()) {
      return InvalidArgument("the text has more than the " + std::to_string(model_.config.max_length - 2) +
                                 " pieces of words that the model reads",
                             "inputs", "context_length_exceeded");
    }
    prepared.text = std::move(encoded.text);
    prepared.places = std::move(encoded.places);
    return {};
  }

  // rows: F32 [1 or words, outputs]
  Answer AnswerOf(const PreparedText& prepared, torch::Tensor rows) const {
    Answer answer;
    const Task task = model_.config.task;
    if (task == Task::kTagging) {
      const auto [best, tags] = torch::softmax(rows, 1).max(1);
      answer.tokens = prepared.words;
      for (int64_t i = 0; i < rows.size(0); ++i) {
        answer.texts.push_back(model_.config.labels[static_cast<size_t>(tags[i].item<int64_t>())]);
        answer.values.push_back(best[i].item<float>());
      }
      return answer;
    }
    if (task == Task::kMaskedLm) {
      return Filled(prepared, torch::softmax(rows[0], 0));
    }
    rows = task == Task::kClassification ? torch::softmax(rows, 1) : rows;
    rows = rows.contiguous();
    answer.values.assign(rows.data_ptr<float>(), rows.data_ptr<float>() + rows.numel());
    return answer;
  }

  Answer Filled(const PreparedText& prepared, const torch::Tensor& probabilities) const {
    const int64_t known = model_.tokenizer->size();  // the matrix may have more rows than there are tokens
    const auto [best, ids] = probabilities.narrow(0, 0, known).topk(std::min(kFilled, known));
    const std::string mask = Mask();
    const size_t at = prepared.raw.find(mask);
    Answer answer;
    for (int64_t i = 0; i < ids.size(0); ++i) {
      std::string piece = model_.tokenizer->Decode({static_cast<int32_t>(ids[i].item<int64_t>())});
      answer.texts.push_back(prepared.raw.substr(0, at) + piece + prepared.raw.substr(at + mask.size()));
      answer.values.push_back(best[i].item<float>());
    }
    return answer;
  }

  bert::Model model_;
  bert::Encoder encoder_;  // borrows the model's tokeniser
  Signature signature_;
};

}  // namespace

Result<std::unique_ptr<Predictor>> OpenBert(const ModelFiles& files, int threads) {
  ATELIER_ASSIGN(model, bert::LoadModel(files));
  ATELIER_ASSIGN(encoder,
                 bert::Encoder::Make(*model.tokenizer, model.config.max_length, model.config.task == Task::kMaskedLm));
  ConfigureProcess(threads);
  return std::unique_ptr<Predictor>(std::make_unique<BertPredictor>(std::move(model), encoder));
}

}  // namespace atelier::families
