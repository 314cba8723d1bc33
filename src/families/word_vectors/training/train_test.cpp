#include "families/word_vectors/training/train.h"

#include <gtest/gtest.h>

#include <fstream>
#include <stdexcept>

#include "families/word_vectors/testing/corpora.h"
#include "families/word_vectors/training/glove.h"
#include "families/word_vectors/training/word2vec.h"
#include "storage/test_folder.h"

namespace atelier::families::word_vectors {
namespace {

using testing::CopyOf;
using testing::TwoTopics;
using Maker = std::unique_ptr<Run> (*)(const Corpus&);

std::unique_ptr<Run> MakeWord2vec(const Corpus& corpus) {
  return MakeWord2vecRun(corpus, {.examples = {.sample = 0, .seed = 4}, .dimensions = 16, .epochs = 2});
}
std::unique_ptr<Run> MakeGlove(const Corpus& corpus) {
  return MakeGloveRun(*CountPairs(corpus, {.window = 2}), corpus.vocabulary.size(), {.dimensions = 16});
}

class TrainLoopTest : public ::testing::TestWithParam<Maker> {
 protected:
  TrainLoopOptions Options(int steps) {
    left_ = steps;
    return {.epochs = 2,
            .checkpoint_directory = folder_ / "checkpoint",
            .fingerprint = "one",
            .checkpoint_every_steps = 3,
            .cancelled = [this] { return left_-- == 0; }};
  }

  storage::TestFolder folder_;
  Corpus corpus_ = TwoTopics(8000);
  int left_ = 0;
};
INSTANTIATE_TEST_SUITE_P(Both, TrainLoopTest, ::testing::Values(MakeWord2vec, MakeGlove));

TEST_P(TrainLoopTest, ACutRunEndsAsAWholeOne) {
  const auto whole = GetParam()(corpus_);
  ASSERT_GT(whole->steps(), 3);
  const auto history = TrainLoop(*whole, {.epochs = 2});
  ASSERT_TRUE(history.ok()) << history.error().message;
  ASSERT_EQ(history->size(), 2);
  EXPECT_LT((*history)[1].loss, (*history)[0].loss);

  for (const int steps : {2, 5, 100}) {
    const auto run = GetParam()(corpus_);
    const auto result = TrainLoop(*run, Options(steps));
    if (steps < 100) {
      ASSERT_FALSE(result.ok());
      EXPECT_EQ(result.error().code, Code::kCancelled);
      continue;
    }
    ASSERT_TRUE(result.ok()) << result.error().message;
    EXPECT_EQ(CopyOf(run->Vectors()), CopyOf(whole->Vectors()));
    EXPECT_EQ((*result)[0].loss, (*history)[0].loss);
    EXPECT_EQ((*result)[1].learning_rate, (*history)[1].learning_rate);
  }
}

// A kill leaves the last whole checkpoint behind, and perhaps a part of the next.
TEST_P(TrainLoopTest, AKilledRunGoesOnFromItsLastCheckpoint) {
  const auto whole = GetParam()(corpus_);
  ASSERT_TRUE(TrainLoop(*whole, {.epochs = 2}).ok());
  auto options = Options(-1);
  int steps = 0;
  options.cancelled = [&] { return ++steps > 5 ? throw std::runtime_error("killed") : false; };
  const auto killed = GetParam()(corpus_);
  EXPECT_THROW(static_cast<void>(TrainLoop(*killed, options)), std::runtime_error);
  std::ofstream(folder_ / "checkpoint" / "writing") << "half";
  const auto again = GetParam()(corpus_);
  std::string said;
  options = Options(-1);
  options.message = [&](std::string_view, std::string_view text) { said += text; };
  ASSERT_TRUE(TrainLoop(*again, options).ok());
  EXPECT_EQ(CopyOf(again->Vectors()), CopyOf(whole->Vectors()));
  EXPECT_NE(said.find("resumed from the checkpoint at epoch 1, step 3"), std::string::npos) << said;
}

TEST_P(TrainLoopTest, ACheckpointOfAnotherTrainingIsRefused) {
  const auto run = GetParam()(corpus_);
  EXPECT_EQ(TrainLoop(*run, Options(4)).error().code, Code::kCancelled);
  auto options = Options(-1);
  options.fingerprint = "other";
  EXPECT_EQ(TrainLoop(*run, options).error().reason, "checkpoint_mismatch");
}

}  // namespace
}  // namespace atelier::families::word_vectors
