#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "families/bert/bert.h"
#include "families/bert/model.h"
#include "families/bert/objective.h"
#include "families/process.h"
#include "families/spec/families.h"
#include "families/word_vectors/agreement.h"

namespace atelier::families {
namespace {

using bert::Examples;
using bert::Task;

constexpr double kMasking = 0.15;
constexpr int64_t kRanked = 5000;

// A number that is not defined has no place in JSON.
json::value Defined(double value) { return std::isfinite(value) ? json::value(value) : json::value(nullptr); }

class Measurer {
 public:
  Measurer(bert::Model& model, const Examples& examples, const std::function<bool()>& cancelled)
      : model_(model), examples_(examples), cancelled_(cancelled) {}

  Status Measure(Outcomes& outcomes) {
    if (model_.config.task == Task::kEmbedding) {
      return Embeddings(outcomes);
    }
    bert::LossOptions options{.masking = bert::MaskOptionsOf(*model_.tokenizer, kMasking)};
    ATELIER_ASSIGN(sums, SumLosses(*model_.network, examples_, options, cancelled_));
    outcomes.loss = sums.mean_loss();
    const double share = sums.weight > 0 ? sums.score / sums.weight : 0;
    switch (model_.config.task) {
      case Task::kMaskedLm:
        outcomes.extra = {{"perplexity", Defined(std::exp(outcomes.loss))}, {"accuracy", share}};
        return {};
      case Task::kTagging:
        outcomes.extra = {{"accuracy", share}};
        outcomes.references = examples_.tag_lines;
        outcomes.texts.resize(examples_.texts.size());
        break;
      case Task::kRegression:
        outcomes.truth = examples_.numbers;
        outcomes.predicted.resize(examples_.texts.size());
        break;
      default:
        outcomes.labels = model_.config.labels;
        outcomes.classes = examples_.classes;
        outcomes.scores.resize(examples_.texts.size() * outcomes.labels.size());
    }
    return Outputs(outcomes);
  }

 private:
  Status Outputs(Outcomes& outcomes) {
    return CatchTorch([&]() -> Status {
      const torch::NoGradGuard no_grad;
      for (const auto& batch : MeasuredBatches(examples_)) {
        ATELIER_TRY(CheckCancelled());
        const auto outputs = OutputsOf(*model_.network, examples_, batch).contiguous();
        int64_t first = 0;
        for (const int64_t i : batch) {
          const auto at = static_cast<size_t>(i);
          const int64_t rows = model_.config.task == Task::kTagging ? std::ssize(examples_.places[at]) : 1;
          Keep(outputs.narrow(0, first, rows), at, outcomes);
          first += rows;
        }
      }
      return {};
    });
  }

  // rows: F32 [rows, outputs], of one example
  void Keep(const torch::Tensor& rows, size_t at, Outcomes& outcomes) const {
    const auto* values = rows.data_ptr<float>();
    if (model_.config.task == Task::kTagging) {
      outcomes.texts[at] = TagLine(rows, std::ranges::count(examples_.tag_lines[at], ' ') + 1);
    } else if (model_.config.task == Task::kRegression) {
      outcomes.predicted[at] = values[0];
    } else {
      std::copy_n(values, rows.numel(), outcomes.scores.begin() + static_cast<int64_t>(at) * rows.numel());
    }
  }

  // Words that were cut off are outside of all, or get the first tag.
  std::string TagLine(const torch::Tensor& rows, int64_t words) const {
    const auto& labels = model_.config.labels;
    const auto tags = rows.argmax(1).contiguous();
    std::string line;
    for (int64_t i = 0; i < words; ++i) {
      const bool outside = std::ranges::find(labels, "O") != labels.end();
      line += i == 0 ? "" : " ";
      line += i < rows.size(0) ? labels[static_cast<size_t>(tags.data_ptr<int64_t>()[i])] : outside ? "O" : labels[0];
    }
    return line;
  }

  Status Embeddings(Outcomes& outcomes) {
    return CatchTorch([&]() -> Status {
      const torch::NoGradGuard no_grad;
      ATELIER_ASSIGN(first, AllVectors(examples_.texts));
      ATELIER_ASSIGN(second, AllVectors(examples_.seconds));
      if (examples_.numbers.empty()) {
        outcomes.extra = Retrieval(first, second);
        return {};
      }
      const auto cosines = (first * second).sum(1).to(torch::kFloat64).contiguous();
      const std::vector<double> said(cosines.data_ptr<double>(), cosines.data_ptr<double>() + cosines.numel());
      const auto ranks = word_vectors::Ranks(said);
      outcomes.extra = {{"spearman", Defined(word_vectors::Correlation(ranks, word_vectors::Ranks(examples_.numbers)))},
                        {"pearson", Defined(word_vectors::Correlation(said, examples_.numbers))}};
      return {};
    });
  }

  // How high the own second ranks among all.
  static json::object Retrieval(const torch::Tensor& first, const torch::Tensor& second) {
    const int64_t count = std::min(first.size(0), kRanked);
    const auto similarities = torch::matmul(first.narrow(0, 0, count), second.narrow(0, 0, count).t());
    const auto above = similarities.gt(similarities.diagonal().unsqueeze(1)).sum(1).to(torch::kFloat64);
    return {{"recall_at_1", above.eq(0).to(torch::kFloat64).mean().item<double>()},
            {"mrr", (1 / (above + 1)).mean().item<double>()},
            {"pairs", count}};
  }

  Result<torch::Tensor> AllVectors(const std::vector<bert::Text>& texts) {
    auto vectors = torch::empty({std::ssize(texts), model_.config.width});
    for (const auto& batch : MeasuredBatches(examples_)) {
      ATELIER_TRY(CheckCancelled());
      vectors.index_copy_(0, torch::tensor(batch), VectorsOf(*model_.network, texts, batch));
    }
    return vectors;
  }

  Status CheckCancelled() const {
    return cancelled_ && cancelled_() ? Status(MakeError(Code::kCancelled, "the job was cancelled", "cancelled"))
                                      : Status();
  }

  bert::Model& model_;
  const Examples& examples_;
  const std::function<bool()>& cancelled_;
};

}  // namespace

Result<Outcomes> MeasureBert(const ModelFiles& files, const MeasureInput& input) {
  ATELIER_ASSIGN(model, bert::LoadModel(files));
  ConfigureProcess(input.threads);
  ATELIER_ASSIGN(encoder,
                 bert::Encoder::Make(*model.tokenizer, model.config.max_length, model.config.task == Task::kMaskedLm));
  ATELIER_ASSIGN(examples, LoadExamples(input.reader, input.rows, model.config, encoder));
  if (examples.size() == 0) {
    return InvalidArgument("there is no row to evaluate on", "split", "dataset_unsuitable");
  }
  Outcomes outcomes{.task = SignatureOf(model.config).task, .rows = examples.rows};
  ATELIER_TRY(Measurer(model, examples, input.cancelled).Measure(outcomes));
  return outcomes;
}

}  // namespace atelier::families
