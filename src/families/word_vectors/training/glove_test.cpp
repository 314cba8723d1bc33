#include "families/word_vectors/training/glove.h"

#include <gtest/gtest.h>

#include <cmath>
#include <map>

#include "families/word_vectors/testing/corpora.h"

namespace atelier::families::word_vectors {
namespace {

using testing::CopyOf;
using testing::CorpusOf;
using testing::TrainEpochs;
using testing::TwoTopics;

std::unique_ptr<Run> MakeRun(const Corpus& corpus, int threads) {
  return MakeGloveRun(*CountPairs(corpus, {.window = 4, .threads = threads}), corpus.vocabulary.size(),
                      {.dimensions = 20, .seed = 3, .threads = threads});
}

TEST(CountPairs, WeighsByDistanceWithinTheSentence) {
  const Corpus corpus = CorpusOf("a b c a\nb a");
  const auto pairs = CountPairs(corpus, {.window = 2});
  ASSERT_TRUE(pairs.ok());
  std::map<std::string, float> counts;
  for (const Pair& pair : *pairs) {
    const auto& words = corpus.vocabulary.words();
    counts[words[static_cast<size_t>(pair.word)] + words[static_cast<size_t>(pair.context)]] = pair.count;
  }
  // a b c a: ab 1, ac 1/2, bc 1, ba (two apart) 1/2, ca 1; b a: ba 1. Both ways round.
  const std::map<std::string, float> expected{{"ab", 2.5F}, {"ba", 2.5F}, {"ac", 1.5F},
                                              {"ca", 1.5F}, {"bc", 1.0F}, {"cb", 1.0F}};
  EXPECT_EQ(counts, expected);
}

TEST(CountPairs, RefusesMoreThanItMay) {
  const Corpus corpus = TwoTopics(100);
  const auto pairs = CountPairs(corpus, {.max_pairs = 100});
  ASSERT_FALSE(pairs.ok());
  EXPECT_EQ(pairs.error().code, Code::kResourceExhausted);
}

TEST(Glove, ThreadsDoNotChangeTheResult) {
  const Corpus corpus = TwoTopics(300);
  const auto alone = MakeRun(corpus, 1);
  const double loss = TrainEpochs(*alone, 3);
  const auto together = MakeRun(corpus, 3);
  EXPECT_EQ(TrainEpochs(*together, 3), loss);
  EXPECT_EQ(CopyOf(together->Vectors()), CopyOf(alone->Vectors()));
}

TEST(Glove, GoesOnFromItsState) {
  const Corpus corpus = TwoTopics(300);
  const auto whole = MakeRun(corpus, 1);
  const auto first = MakeRun(corpus, 1);
  TrainEpochs(*whole, 1);
  TrainEpochs(*first, 1);
  const auto second = MakeRun(corpus, 1);
  ASSERT_TRUE(second->SetState(first->State()).ok());
  whole->Step({1, 0});
  second->Step({1, 0});
  EXPECT_EQ(CopyOf(second->Vectors()), CopyOf(whole->Vectors()));
}

// The products of words and contexts become the logarithms of the counts: the error of the heaviest pairs, which the
// loss is the square of, goes down to next to nothing where the dimensions are as many as the words.
TEST(Glove, LearnsTheLogarithmsOfTheCounts) {
  const Corpus corpus = TwoTopics(2000);
  const auto run = MakeGloveRun(*CountPairs(corpus, {.window = 4}), corpus.vocabulary.size(),
                                {.dimensions = 40, .learning_rate = 0.1, .x_max = 10});
  const double before = run->Step({0, 0}).loss;
  const double after = TrainEpochs(*run, 100);
  EXPECT_GT(before, 1.0);
  EXPECT_LT(after, 1e-3);
}

TEST(Glove, WordsOfATopicComeTogether) {
  const Corpus corpus = TwoTopics(2000);
  const auto run = MakeRun(corpus, 1);
  TrainEpochs(*run, 30);
  EXPECT_LT(testing::NeighboursOfOtherTopics(corpus, run->Vectors()), 20);  // of 200; by chance 100
}

}  // namespace
}  // namespace atelier::families::word_vectors
