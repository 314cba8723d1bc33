#include "families/word_vectors/training/glove.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "base/rng.h"
#include "families/word_vectors/training/random.h"
#include "families/word_vectors/training/team.h"
#include "tensor/embedding/embedding_kernels.h"

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kGrid = 8;
constexpr float kClip = 100;
constexpr uint64_t kShuffleStream = 0x610BE;

// A pair as it is trained on.
struct Cell {
  int32_t word;
  int32_t context;
  float weight;  // f(X)
  float log_count;
};

// One side's rows and biases, and the sums of their squared steps.
struct Side {
  Side(size_t words, size_t dimensions)
      : rows(words, dimensions), squares(words, dimensions), biases(1, words), bias_squares(1, words) {}
  Table rows;
  Table squares;
  Table biases;
  Table bias_squares;
};

// As the authors begin: uniform in +-0.5 / (dimensions + 1), biases too; sums of squares at 1.
void Initialise(Side& side, uint64_t seed, uint64_t stream) {
  const float scale = 1 / static_cast<float>(side.rows.columns() + 1);
  for (size_t i = 0; i < side.rows.rows(); ++i) {
    PlaceRandom random(seed, stream, i);
    for (float& value : side.rows.row(i)) {
      value = (random.Uniform() - 0.5F) * scale;
    }
    side.biases.row(0)[i] = (random.Uniform() - 0.5F) * scale;
  }
  std::fill_n(side.squares.data(), side.squares.rows() * side.squares.stride(), 1.0F);
  std::fill_n(side.bias_squares.data(), side.bias_squares.stride(), 1.0F);
}

class GloveRun final : public Run {
 private:
  template <class Self>
  static auto Tables(Self& self) {
    return std::array{std::pair("words", &self.words_.rows),
                      std::pair("words.squares", &self.words_.squares),
                      std::pair("words.biases", &self.words_.biases),
                      std::pair("words.bias_squares", &self.words_.bias_squares),
                      std::pair("contexts", &self.contexts_.rows),
                      std::pair("contexts.squares", &self.contexts_.squares),
                      std::pair("contexts.biases", &self.contexts_.biases),
                      std::pair("contexts.bias_squares", &self.contexts_.bias_squares)};
  }

 public:
  GloveRun(std::vector<Pair> pairs, size_t words, const GloveOptions& options)
      : options_(options),
        words_(words, static_cast<size_t>(options.dimensions)),
        contexts_(words, static_cast<size_t>(options.dimensions)) {
    Initialise(words_, options.seed, 0);
    Initialise(contexts_, options.seed, 1);
    LayOut(pairs);
  }

  int64_t steps() const override { return kGrid; }
  int64_t epoch_words() const override { return static_cast<int64_t>(cells_.size()); }
  std::string_view counted() const override { return "pairs of words"; }

  // One diagonal of the grid.
  StepReport Step(const Position& position) override {
    std::array<double, kGrid> losses{};
    std::atomic<size_t> next{0};
    RunTeam(std::min(static_cast<size_t>(std::max(options_.threads, 1)), kGrid), [&](size_t, Gate&) {
      for (size_t row = next.fetch_add(1); row < kGrid; row = next.fetch_add(1)) {
        losses.at(row) = Learn(CellOf(row, static_cast<size_t>(position.step)));
      }
    });
    StepReport report{.learning_rate = options_.learning_rate};
    for (size_t row = 0; row < kGrid; ++row) {
      const size_t cell = CellOf(row, static_cast<size_t>(position.step));
      report.words += static_cast<int64_t>(begins_[cell + 1] - begins_[cell]);
      report.loss += losses.at(row);
    }
    report.samples = static_cast<double>(report.words);
    report.loss /= std::max(report.samples, 1.0);
    return report;
  }

  std::map<std::string, tensor::View> State() const override {
    std::map<std::string, tensor::View> state;
    for (const auto& [name, table] : Tables(*this)) {
      state[name] = ViewOf(*table);
    }
    return state;
  }
  Status SetState(const std::map<std::string, tensor::View>& state) override {
    for (const auto& [name, table] : Tables(*this)) {
      ATELIER_TRY(Restore(state, name, *table));
    }
    return {};
  }
  Table Vectors() const override {
    Table sum(words_.rows.rows(), words_.rows.columns());
    for (size_t i = 0; i < sum.rows() * sum.stride(); ++i) {
      sum.data()[i] = words_.rows.data()[i] + contexts_.rows.data()[i];
    }
    return sum;
  }

 private:
  // The cell that is `row`'s in a diagonal.
  static size_t CellOf(size_t row, size_t diagonal) { return row * kGrid + (row + diagonal) % kGrid; }
  static size_t CellOf(const Pair& pair) {
    return static_cast<size_t>(pair.word) % kGrid * kGrid + static_cast<size_t>(pair.context) % kGrid;
  }

  void LayOut(std::vector<Pair>& pairs) {
    SeededRng(options_.seed, kShuffleStream).Shuffle(pairs);
    for (const Pair& pair : pairs) {
      ++begins_[CellOf(pair) + 1];
    }
    for (size_t cell = 0; cell < kGrid * kGrid; ++cell) {
      begins_[cell + 1] += begins_[cell];
    }
    cells_.resize(pairs.size());
    auto next = begins_;
    for (const Pair& pair : pairs) {
      const double share = std::pow(pair.count / options_.x_max, options_.alpha);
      cells_[next[CellOf(pair)]++] = {pair.word, pair.context, static_cast<float>(std::min(share, 1.0)),
                                      std::log(pair.count)};
    }
  }

  // Returns the sum of the losses.
  double Learn(size_t cell) {
    double loss = 0;
    for (size_t i = begins_[cell]; i < begins_[cell + 1]; ++i) {
      loss += LearnPair(cells_[i]);
    }
    return loss;
  }

  double LearnPair(const Cell& pair) {
    const auto word = static_cast<size_t>(pair.word);
    const auto context = static_cast<size_t>(pair.context);
    const size_t width = words_.rows.width();
    float* first = words_.rows.row(word).data();
    float* second = contexts_.rows.row(context).data();
    const float error = kernels_.dot(first, second, width) + words_.biases.row(0)[word] +
                        contexts_.biases.row(0)[context] - pair.log_count;
    const float gradient = pair.weight * error;
    const auto rate = static_cast<float>(options_.learning_rate);
    kernels_.adagrad({.first = first,
                      .first_squares = words_.squares.row(word).data(),
                      .second = second,
                      .second_squares = contexts_.squares.row(context).data(),
                      .width = width,
                      .gradient = gradient,
                      .rate = rate,
                      .clip = kClip});
    const float step = std::clamp(gradient, -kClip, kClip) * rate;
    StepBias(words_, word, step);
    StepBias(contexts_, context, step);
    return static_cast<double>(gradient) * error;
  }

  static void StepBias(Side& side, size_t row, float step) {
    float& squares = side.bias_squares.row(0)[row];
    side.biases.row(0)[row] -= step / std::sqrt(squares);
    squares += step * step;
  }

  GloveOptions options_;
  Side words_;
  Side contexts_;
  std::vector<Cell> cells_;
  std::array<size_t, kGrid * kGrid + 1> begins_{};
  const tensor::EmbeddingKernels& kernels_ = tensor::BestEmbeddingKernels();
};

}  // namespace

std::unique_ptr<Run> MakeGloveRun(std::vector<Pair> pairs, size_t words, const GloveOptions& options) {
  return std::make_unique<GloveRun>(std::move(pairs), words, options);
}

}  // namespace atelier::families::word_vectors
