#include "families/word_vectors/training/word2vec.h"

#include <gtest/gtest.h>

#include <cmath>

#include "families/word_vectors/index.h"
#include "families/word_vectors/testing/corpora.h"
#include "families/word_vectors/training/random.h"

namespace atelier::families::word_vectors {
namespace {

using testing::CopyOf;
using testing::TrainEpochs;
using testing::TwoTopics;

Word2vecOptions Options(Algorithm algorithm, int threads = 1) {
  return {.examples = {.algorithm = algorithm, .window = 3, .negative = 4, .sample = 0.01, .seed = 5},
          .dimensions = 20,
          .epochs = 3,
          .learning_rate = 0.05,
          .threads = threads};
}

// What the header says, in doubles and without kernels, batches or threads' columns: the gradients of a batch from
// the rows as they were.
class Plainly {
 public:
  Plainly(const Corpus& corpus, const Word2vecOptions& options, const Table& initial)
      : corpus_(corpus), options_(options), source_(corpus, options.examples), dimensions_(initial.columns()) {
    for (size_t i = 0; i < initial.rows(); ++i) {
      inputs_.emplace_back(initial.row(i).begin(), initial.row(i).end());
      outputs_.emplace_back(dimensions_, 0.0);
    }
  }

  void Learn() {
    Stretch stretch;
    source_.Thin(0, corpus_.words.size(), 0, stretch);
    const size_t batch = BatchWords(inputs_.size());
    for (size_t first = 0; first < stretch.words.size(); first += batch) {
      const double done = static_cast<double>(stretch.places[first]) / static_cast<double>(corpus_.words.size());
      rate_ = options_.min_learning_rate +
              (options_.learning_rate - options_.min_learning_rate) * (1 - done / static_cast<double>(options_.epochs));
      const auto inputs = inputs_;
      const auto outputs = outputs_;
      for (size_t at = first; at < std::min(first + batch, stretch.words.size()); ++at) {
        LearnWord(stretch, at, inputs, outputs);
      }
    }
  }

  const std::vector<std::vector<double>>& inputs() const { return inputs_; }

 private:
  using Rows = std::vector<std::vector<double>>;

  std::vector<double> Mean(const Rows& rows, std::span<const int32_t> ids) const {
    std::vector<double> mean(dimensions_, 0.0);
    for (const int32_t id : ids) {
      for (size_t k = 0; k < dimensions_; ++k) {
        mean[k] += rows[static_cast<size_t>(id)][k] / static_cast<double>(ids.size());
      }
    }
    return mean;
  }

  void LearnWord(const Stretch& stretch, size_t at, const Rows& inputs, const Rows& outputs) {
    std::vector<int32_t> contexts(source_.max_contexts());
    std::vector<int32_t> targets(source_.max_targets());
    const Example example = source_.Draw(stretch, at, 0, contexts.data(), targets.data());
    if (example.contexts.empty()) {
      return;
    }
    const auto before = Mean(inputs, example.contexts);
    const auto x = Mean(inputs_, example.contexts);
    std::vector<double> error(dimensions_, 0.0);
    for (size_t i = 0; i < example.targets.size(); ++i) {
      const auto target = static_cast<size_t>(example.targets[i]);
      const bool real = i % source_.group() == 0;
      if (!real && example.targets[i] == example.targets[i - i % source_.group()]) {
        continue;
      }
      double dot = 0;
      for (size_t k = 0; k < dimensions_; ++k) {
        dot += before[k] * outputs[target][k];
      }
      const double gradient = rate_ * ((real ? 1 : 0) - 1 / (1 + std::exp(-dot)));
      for (size_t k = 0; k < dimensions_; ++k) {
        error[k] += gradient * outputs_[target][k];
        outputs_[target][k] += gradient * x[k];
      }
    }
    for (const int32_t context : example.contexts) {
      for (size_t k = 0; k < dimensions_; ++k) {
        inputs_[static_cast<size_t>(context)][k] += error[k];
      }
    }
  }

  const Corpus& corpus_;
  Word2vecOptions options_;
  ExampleSource source_;
  size_t dimensions_;
  Rows inputs_;
  Rows outputs_;
  double rate_ = 0;
};

class Word2vec : public ::testing::TestWithParam<Algorithm> {};
INSTANTIATE_TEST_SUITE_P(Both, Word2vec, ::testing::Values(Algorithm::kSkipGram, Algorithm::kCbow));

TEST_P(Word2vec, AnEpochIsWhatTheHeaderSays) {
  const Corpus corpus = TwoTopics(300);
  const auto options = Options(GetParam());
  const auto run = MakeWord2vecRun(corpus, options);
  ASSERT_EQ(run->steps(), 1);
  Plainly plainly(corpus, options, run->Vectors());
  plainly.Learn();
  run->Step({0, 0});
  const Table vectors = run->Vectors();
  double largest = 0;
  for (size_t i = 0; i < vectors.rows(); ++i) {
    for (size_t k = 0; k < vectors.columns(); ++k) {
      EXPECT_NEAR(vectors.row(i)[k], plainly.inputs()[i][k], 2e-4) << i << " " << k;
      largest = std::max(largest, std::abs(plainly.inputs()[i][k]));
    }
  }
  EXPECT_GT(largest, 0.1);  // it did learn
}

TEST_P(Word2vec, ThreadsDoNotChangeTheResult) {
  const Corpus corpus = TwoTopics(300);
  const auto alone = MakeWord2vecRun(corpus, Options(GetParam(), 1));
  const double loss = TrainEpochs(*alone, 2);
  for (const int threads : {2, 16}) {
    const auto together = MakeWord2vecRun(corpus, Options(GetParam(), threads));
    EXPECT_EQ(TrainEpochs(*together, 2), loss) << threads;
    EXPECT_EQ(CopyOf(together->Vectors()), CopyOf(alone->Vectors())) << threads;
  }
}

TEST_P(Word2vec, GoesOnFromItsState) {
  const Corpus corpus = TwoTopics(1800);
  const auto whole = MakeWord2vecRun(corpus, Options(GetParam()));
  ASSERT_GE(whole->steps(), 2);
  const auto first = MakeWord2vecRun(corpus, Options(GetParam()));
  whole->Step({0, 0});
  first->Step({0, 0});
  const auto second = MakeWord2vecRun(corpus, Options(GetParam()));
  EXPECT_NE(CopyOf(second->Vectors()), CopyOf(first->Vectors()));
  ASSERT_TRUE(second->SetState(first->State()).ok());
  whole->Step({0, 1});
  second->Step({0, 1});
  EXPECT_EQ(CopyOf(second->Vectors()), CopyOf(whole->Vectors()));
  auto state = first->State();
  state.erase("outputs");
  EXPECT_EQ(second->SetState(state).error().code, Code::kDataLoss);
}

TEST_P(Word2vec, WordsOfATopicComeTogether) {
  const Corpus corpus = TwoTopics(8000);
  const auto run = MakeWord2vecRun(corpus, Options(GetParam()));
  const double first = run->Step({0, 0}).loss;
  TrainEpochs(*run, 3);
  EXPECT_LT(run->Step({2, 0}).loss, 0.9 * first);
  EXPECT_EQ(testing::NeighboursOfOtherTopics(corpus, run->Vectors()), 0);
}

TEST(ExampleSource, DrawsNoiseByThePowerOfTheCounts) {
  const std::vector<int64_t> counts{1000, 100, 10, 1};
  const AliasTable noise = NoiseTable(counts);
  PlaceRandom random(1, 2, 3);
  std::array<int, 4> drawn{};
  constexpr int kDraws = 50000;
  for (int i = 0; i < kDraws; ++i) {
    ++drawn.at(static_cast<size_t>(noise.Draw(random.Next())));
  }
  const double total = std::pow(1000, 0.75) + std::pow(100, 0.75) + std::pow(10, 0.75) + 1;
  for (size_t i = 0; i < counts.size(); ++i) {
    const double share = std::pow(static_cast<double>(counts[i]), 0.75) / total;
    EXPECT_NEAR(drawn.at(i), share * kDraws, 5 * std::sqrt(share * kDraws)) << i;
  }
}

// Of a million words; the threshold is a thousand occurrences.
TEST(ExampleSource, ThinsFrequentWords) {
  const auto shares = KeepShares(std::vector<int64_t>{900000, 90000, 9000, 1000}, 1e-3);
  EXPECT_NEAR(static_cast<double>(shares[0]) / 0x1p32, (30 + 1) / 900.0, 1e-9);
  EXPECT_NEAR(static_cast<double>(shares[1]) / 0x1p32, (std::sqrt(90.0) + 1) / 90, 1e-9);
  EXPECT_EQ(shares[3], uint64_t{1} << 32U);
  EXPECT_EQ(KeepShares(std::vector<int64_t>{5}, 0)[0], uint64_t{1} << 32U);
}

TEST(ExampleSource, WindowsEndWithTheSentence) {
  const Corpus corpus = TwoTopics(200);
  const ExampleSource source(corpus, {.algorithm = Algorithm::kCbow, .window = 5, .negative = 2, .sample = 0});
  Stretch stretch;
  source.Thin(0, corpus.words.size(), 0, stretch);
  ASSERT_EQ(static_cast<int64_t>(stretch.words.size()), corpus.kept);
  std::vector<int32_t> contexts(source.max_contexts());
  std::vector<int32_t> targets(source.max_targets());
  size_t reach = 0;
  for (size_t at = 0; at < stretch.words.size(); ++at) {
    const Example example = source.Draw(stretch, at, 0, contexts.data(), targets.data());
    EXPECT_EQ(example.targets[0], stretch.words[at]);
    EXPECT_EQ(example.targets.size(), 3);
    for (const int32_t context : example.contexts) {  // a sentence has words of one topic alone
      EXPECT_EQ(testing::TopicOf(corpus, context), testing::TopicOf(corpus, stretch.words[at]));
    }
    reach = std::max(reach, example.contexts.size());
  }
  EXPECT_EQ(reach, 10);
}

}  // namespace
}  // namespace atelier::families::word_vectors
