#include "families/word_vectors/training/word2vec.h"

#include <algorithm>
#include <cmath>

#include "families/word_vectors/training/random.h"
#include "families/word_vectors/training/team.h"
#include "tensor/embedding/embedding_kernels.h"

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kStepWords = 20000;
constexpr size_t kLossEvery = 16;  // batches: the loss of one in so many is computed
constexpr uint64_t kInitialStream = ~uint64_t{0};

// Uniform in +-0.5 / dimensions, as word2vec begins.
Table InitialRows(size_t rows, size_t dimensions, uint64_t seed) {
  Table table(rows, dimensions);
  for (size_t i = 0; i < rows; ++i) {
    PlaceRandom random(seed, kInitialStream, i);
    for (float& value : table.row(i)) {
      value = (random.Uniform() - 0.5F) / static_cast<float>(dimensions);
    }
  }
  return table;
}

// Begins of steps in the corpus, and its end.
std::vector<size_t> Divide(const std::vector<int32_t>& words) {
  std::vector<size_t> begins{0};
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i] == kSentenceEnd && i + 1 - begins.back() >= kStepWords && i + 1 < words.size()) {
      begins.push_back(i + 1);
    }
  }
  begins.push_back(words.size());
  return begins;
}

// The examples of some words side by side, and what their targets are to learn.
struct Batch {
  Batch(const ExampleSource& source, size_t words)
      : contexts(words * source.max_contexts()),
        targets(words * source.max_targets()),
        gradients(words * source.max_targets()),
        examples(words),
        losses(words) {}

  std::vector<int32_t> contexts;
  std::vector<int32_t> targets;
  std::vector<float> gradients;
  std::vector<Example> examples;
  std::vector<double> losses;
};

class Word2vecRun final : public Run {
 public:
  Word2vecRun(const Corpus& corpus, const Word2vecOptions& options)
      : corpus_(corpus),
        options_(options),
        source_(corpus, options.examples),
        begins_(Divide(corpus.words)),
        batch_words_(BatchWords(corpus.vocabulary.size())),
        inputs_(InitialRows(corpus.vocabulary.size(), static_cast<size_t>(options.dimensions), options.examples.seed)),
        outputs_(corpus.vocabulary.size(), static_cast<size_t>(options.dimensions)) {
    // A thread computes whole cache lines of a row.
    threads_ = std::min(static_cast<size_t>(std::max(options.threads, 1)), (inputs_.width() + 15) / 16);
  }

  int64_t steps() const override { return static_cast<int64_t>(begins_.size()) - 1; }
  int64_t epoch_words() const override { return corpus_.kept; }
  std::string_view counted() const override { return "words"; }

  StepReport Step(const Position& position) override {
    StepReport report;
    Batch batch(source_, batch_words_);
    RunTeam(threads_, [&](size_t thread, Gate& gate) {
      Worker worker{*this, position, batch, gate, thread};
      worker.Work(report);
    });
    report.loss = report.samples > 0 ? report.loss / report.samples : 0;
    const auto end = begins_[static_cast<size_t>(position.step) + 1];
    report.words = std::count_if(
        corpus_.words.begin() + static_cast<int64_t>(begins_[static_cast<size_t>(position.step)]),
        corpus_.words.begin() + static_cast<int64_t>(end), [](int32_t word) { return word != kSentenceEnd; });
    report.learning_rate = RateAt(position.epoch, end);
    return report;
  }

  std::map<std::string, tensor::View> State() const override {
    return {{"inputs", ViewOf(inputs_)}, {"outputs", ViewOf(outputs_)}};
  }
  Status SetState(const std::map<std::string, tensor::View>& state) override {
    ATELIER_TRY(Restore(state, "inputs", inputs_));
    return Restore(state, "outputs", outputs_);
  }
  Table Vectors() const override {
    Table copy(inputs_.rows(), inputs_.columns());
    std::copy_n(inputs_.data(), inputs_.rows() * inputs_.stride(), copy.data());
    return copy;
  }

 private:
  // One thread's part of a step.
  struct Worker {
    Word2vecRun& run;
    const Position& position;
    Batch& batch;
    Gate& gate;
    size_t thread;
    Stretch stretch{};          // every thread has the same
    std::vector<float> mean{};  // of a window

    void Work(StepReport& report) {
      const auto step = static_cast<size_t>(position.step);
      run.source_.Thin(run.begins_[step], run.begins_[step + 1], static_cast<uint64_t>(position.epoch), stretch);
      mean.resize(run.inputs_.width());
      for (size_t first = 0, number = 0; first < stretch.words.size(); first += run.batch_words_, ++number) {
        const size_t count = std::min(run.batch_words_, stretch.words.size() - first);
        const bool with_loss = number % kLossEvery == 0;
        const auto rate = static_cast<float>(run.RateAt(position.epoch, stretch.places[first]));
        for (size_t i = count * thread / run.threads_; i < count * (thread + 1) / run.threads_; ++i) {
          Draw(first + i, i);
          Score(i, rate, with_loss);
        }
        gate.Wait();
        Learn(count);
        if (with_loss && thread == 0) {
          AddLosses(count, report);
        }
        gate.Wait();
      }
    }

    void Draw(size_t word, size_t place) {
      batch.examples[place] = run.source_.Draw(stretch, word, static_cast<uint64_t>(position.epoch),
                                               batch.contexts.data() + place * run.source_.max_contexts(),
                                               batch.targets.data() + place * run.source_.max_targets());
    }

    float* Gradients(size_t place) const { return batch.gradients.data() + place * run.source_.max_targets(); }

    void Score(size_t place, float rate, bool with_loss) {
      const Example& example = batch.examples[place];
      batch.losses[place] = 0;
      if (example.contexts.empty()) {
        return;
      }
      const Table& inputs = run.inputs_;
      const float* input = inputs.data() + static_cast<size_t>(example.contexts[0]) * inputs.stride();
      if (example.contexts.size() > 1) {
        run.kernels_.mean(inputs.data(), inputs.stride(), example.contexts, mean);
        input = mean.data();
      }
      float* gradients = Gradients(place);
      run.kernels_.score({.input = input,
                          .table = run.outputs_.data(),
                          .stride = run.outputs_.stride(),
                          .ids = example.targets.data(),
                          .count = example.targets.size(),
                          .width = inputs.width(),
                          .scores = gradients});
      run.kernels_.sigmoid(gradients, -rate, example.targets.size());
      const size_t group = run.source_.group();
      for (size_t i = 0; i < example.targets.size(); i += group) {
        gradients[i] += rate;
        for (size_t noise = i + 1; noise < i + group; ++noise) {
          gradients[noise] = example.targets[noise] == example.targets[i] ? 0 : gradients[noise];
        }
      }
      if (with_loss) {
        batch.losses[place] = LossOf(place, rate);
      }
    }

    // -log(sigmoid) of the true targets, -log(1 - sigmoid) of noise: of a gradient g, -log(1 - |g| / rate).
    double LossOf(size_t place, float rate) const {
      const float* gradients = Gradients(place);
      double loss = 0;
      for (size_t i = 0; i < batch.examples[place].targets.size(); ++i) {
        loss -= std::log(std::max(1 - std::abs(static_cast<double>(gradients[i])) / rate, 1e-7));
      }
      return loss;
    }

    // Of all the batch's words, this thread's columns.
    void Learn(size_t count) {
      Table& inputs = run.inputs_;
      const size_t lines = (inputs.width() + 15) / 16;
      const size_t end = std::min(lines * (thread + 1) / run.threads_ * 16, inputs.width());
      for (size_t i = 0; i < count; ++i) {
        const Example& example = batch.examples[i];
        if (example.contexts.empty()) {
          continue;
        }
        run.kernels_.step({.inputs = inputs.data(),
                           .contexts = example.contexts.data(),
                           .context_count = example.contexts.size(),
                           .outputs = run.outputs_.data(),
                           .targets = example.targets.data(),
                           .gradients = Gradients(i),
                           .target_count = example.targets.size(),
                           .stride = inputs.stride(),
                           .begin = lines * thread / run.threads_ * 16,
                           .end = end});
      }
    }

    void AddLosses(size_t count, StepReport& report) const {
      for (size_t i = 0; i < count; ++i) {
        report.loss += batch.losses[i];
        report.samples += static_cast<double>(batch.examples[i].targets.size() / run.source_.group());
      }
    }
  };

  // By the share of the corpus, sentence ends counted as words.
  double RateAt(int64_t epoch, size_t place) const {
    const double done =
        static_cast<double>(epoch) + static_cast<double>(place) / static_cast<double>(corpus_.words.size());
    const double left = 1 - done / static_cast<double>(options_.epochs);
    return options_.min_learning_rate + (options_.learning_rate - options_.min_learning_rate) * std::max(left, 0.0);
  }

  const Corpus& corpus_;
  Word2vecOptions options_;
  ExampleSource source_;
  std::vector<size_t> begins_;
  size_t batch_words_;
  Table inputs_;
  Table outputs_;
  size_t threads_ = 1;
  const tensor::EmbeddingKernels& kernels_ = tensor::BestEmbeddingKernels();
};

}  // namespace

std::unique_ptr<Run> MakeWord2vecRun(const Corpus& corpus, const Word2vecOptions& options) {
  return std::make_unique<Word2vecRun>(corpus, options);
}

}  // namespace atelier::families::word_vectors
