#include "families/sequence/predictor.h"

#include "families/process.h"
#include "families/sequence/model.h"
#include "families/weights.h"

namespace atelier::families {
namespace {

class SequencePredictor final : public Predictor {
 public:
  explicit SequencePredictor(SequenceModel model) : model_(std::move(model)), signature_(SignatureOf(model_)) {}

  const Signature& signature() const override { return signature_; }

  Result<std::unique_ptr<PreparedInstance>> Prepare(const Instance& instance) const override {
    return PrepareSequence(model_.preprocessor, model_.config, instance);
  }

  Result<std::vector<Answer>> Predict(std::span<const PreparedInstance* const> batch) override {
    std::vector<Answer> answers;
    ATELIER_TRY(CatchTorch([&]() -> Status {
      const c10::InferenceMode inference;
      std::vector<Sequence> sequences;
      for (const auto* item : batch) {
        const auto& prepared = static_cast<const PreparedSequence&>(*item);
        sequences.push_back({.ids = prepared.ids, .values = prepared.values, .length = prepared.length});
      }
      const auto outputs = model_.network->Forward(MakeBatch(model_.config, sequences));
      for (size_t i = 0; i < batch.size(); ++i) {
        answers.push_back(AnswerOf(outputs, static_cast<int64_t>(i), static_cast<const PreparedSequence&>(*batch[i])));
      }
      return {};
    }));
    return answers;
  }

 private:
  Answer AnswerOf(const torch::Tensor& outputs, int64_t at, const PreparedSequence& prepared) const {
    const auto& preprocessor = model_.preprocessor;
    Answer answer;
    if (model_.config.task == "token-classification") {
      const auto [best, tags] = torch::softmax(outputs.select(1, at), 1).max(1);
      answer.tokens = prepared.tokens;
      for (int64_t i = 0; i < std::ssize(prepared.tokens); ++i) {
        answer.texts.push_back(preprocessor.labels[static_cast<size_t>(tags[i].item<int64_t>())]);
        answer.values.push_back(best[i].item<float>());
      }
      return answer;
    }
    auto row = outputs[at];
    row = model_.config.task == "classification" ? torch::softmax(row, 0)
                                                 : row * preprocessor.target_std + preprocessor.target_mean;
    row = row.contiguous();
    answer.values.assign(row.data_ptr<float>(), row.data_ptr<float>() + row.numel());
    return answer;
  }

  SequenceModel model_;
  Signature signature_;
};

}  // namespace

Result<std::unique_ptr<Predictor>> OpenSequence(const ModelFiles& files, int threads) {
  ATELIER_ASSIGN(model, LoadSequenceModel(files));
  ConfigureProcess(threads);
  return std::unique_ptr<Predictor>(std::make_unique<SequencePredictor>(std::move(model)));
}

}  // namespace atelier::families
