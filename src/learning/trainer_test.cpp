#include "learning/trainer.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "families/sequential/learner.h"
#include "families/testing/tiny_data.h"
#include "families/weights.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;
using families::testing::TemporaryFolder;
using Numbers = std::vector<int64_t>;

// A training on 400 points of three classes, run as often as a test likes.
class Training : public ::testing::Test {
 protected:
  Training() {
    const auto points = families::testing::Points(400);
    manifest_ = store_.Add({points.x, points.y, points.label}, data::Task::kClassification, points.splits, 150);
    reader_ = store_.Read(manifest_);
  }

  static json::object Settings(std::string_view text) {
    auto settings = CompleteSettings("mlp", ParseJson(text)->as_object());
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
    return *settings;
  }

  std::unique_ptr<families::Learner> Build(const json::object& settings, bool validate = true) {
    auto learner = families::LearnChain(
        {.family = "mlp",
         .settings = settings,
         .reader = *reader_,
         .rows = {reader_->Rows(data::Split::kTrain), validate ? reader_->Rows(data::Split::kTest) : Numbers{}}});
    EXPECT_TRUE(learner.ok()) << (learner.ok() ? "" : learner.error().message);
    return std::move(learner).value();
  }

  static std::string Weights(families::Learner& learner) {
    std::string bytes;
    EXPECT_TRUE(families::WriteTensors(families::StateOf(learner.module()), [&](auto part) -> Status {
                  bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
                  return {};
                }).ok());
    return bytes;
  }

  struct Trained {
    std::string weights;
    TrainOutcome outcome;
  };
  Trained Run(const json::object& settings, TrainOptions options = {}) {
    auto learner = Build(settings);
    options.settings = TrainSettingsOf(settings);
    auto outcome = Train(*learner, options);
    EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().message);
    return {Weights(*learner), outcome.ok() ? *outcome : TrainOutcome{}};
  }

  families::testing::TinyStore store_;
  data::Manifest manifest_;
  std::unique_ptr<data::Reader> reader_;
};

TEST_F(Training, LearnsWithEveryOptimizerAndLoss) {
  for (const char* text : {R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.05,"optimizer":"sgd"})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02,"loss":"cross_entropy"})",
                           R"({"layers":"16","epochs":25,"batch_size":16,"learning_rate":0.02,"loss":"mse"})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02,"batch_norm":true,
                               "dropout":0.1,"l1":0.0001,"l2":0.0001,"gradient_clip":1,"schedule":"step"})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02,"precision":"bf16"})"}) {
    const auto trained = Run(Settings(text));
    ASSERT_FALSE(trained.outcome.history.empty()) << text;
    EXPECT_GT(trained.outcome.history.back().validation_metric, 0.95) << text;
  }
}

TEST_F(Training, SparseAndOneHotCrossEntropyAgree) {
  const auto sparse = Run(Settings(R"({"layers":"8","loss":"sparse_cross_entropy"})"));
  const auto one_hot = Run(Settings(R"({"layers":"8","loss":"cross_entropy"})"));
  EXPECT_NEAR(sparse.outcome.history.back().loss, one_hot.outcome.history.back().loss, 1e-6);
}

TEST_F(Training, TheSeedDecidesTheWeights) {
  const auto settings = Settings(R"({"layers":"16","dropout":0.3,"epochs":2,"batch_size":32})");
  auto other = settings;
  other["seed"] = 2;
  const auto first = Run(settings);
  EXPECT_EQ(first.weights, Run(settings).weights);
  EXPECT_NE(first.weights, Run(other).weights);
}

// A kill leaves the checkpoints of some moment. `cancelled` is asked before each step: it copies them there.
TEST_F(Training, ResumesBitIdenticallyFromAnyMoment) {
  auto settings = Settings(R"({"layers":"16,bn","dropout":0.3,"epochs":4,"batch_size":50,"early_stopping":2,
                               "checkpoint_every_steps":3,"checkpoint_every_epochs":2,"learning_rate":0.01})");
  const auto whole = Run(settings);
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "live");
  int calls = 0;
  Run(settings, {.checkpoint_directory = folder.path() / "live", .fingerprint = "f", .cancelled = [&] {
                   fs::copy(folder.path() / "live", folder.path() / ("at" + std::to_string(calls++)),
                            fs::copy_options::recursive | fs::copy_options::skip_existing);
                   return false;
                 }});
  ASSERT_GT(calls, 20);
  int resumed = 0;
  for (int i = 3; i < calls; i += 2) {
    const auto again = Run(settings, {.checkpoint_directory = folder.path() / ("at" + std::to_string(i)),
                                      .fingerprint = "f",
                                      .message = [&](std::string_view, std::string_view) { ++resumed; }});
    EXPECT_EQ(again.weights, whole.weights) << "killed before step " << i;
    ASSERT_EQ(again.outcome.history.size(), whole.outcome.history.size());
    for (size_t e = 0; e < whole.outcome.history.size(); ++e) {
      EXPECT_EQ(again.outcome.history[e].loss, whole.outcome.history[e].loss);
      EXPECT_EQ(again.outcome.history[e].validation_loss, whole.outcome.history[e].validation_loss);
    }
  }
  EXPECT_GT(resumed, 8);
}

TEST_F(Training, CancelWritesACheckpointToGoOnFrom) {
  const TemporaryFolder folder;
  auto settings = Settings(R"({"layers":"16","epochs":3,"batch_size":32,"optimizer":"sgd"})");
  const auto whole = Run(settings);
  int calls = 0;
  TrainOptions options{.settings = TrainSettingsOf(settings),
                       .checkpoint_directory = folder.path(),
                       .fingerprint = "f",
                       .cancelled = [&] { return ++calls > 14; }};
  const auto cancelled = Train(*Build(settings), options);
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);
  options.cancelled = {};
  EXPECT_EQ(Run(settings, options).weights, whole.weights);

  options.fingerprint = "other";
  EXPECT_EQ(Train(*Build(settings), options).error().reason, "checkpoint_mismatch");
}

TEST_F(Training, EarlyStoppingKeepsTheBestWeights) {
  const auto settings = Settings(R"({"layers":"16","epochs":40,"batch_size":16,"learning_rate":0.5,"early_stopping":2,
                                     "schedule":"constant"})");
  const auto learner = Build(settings);
  const auto outcome = Train(*learner, {.settings = TrainSettingsOf(settings)});
  ASSERT_TRUE(outcome.ok());
  ASSERT_TRUE(outcome->stopped_early);
  EXPECT_EQ(outcome->history.size(), static_cast<size_t>(outcome->best_epoch + 2));
  const auto sums = learner->Validate({});
  EXPECT_DOUBLE_EQ(sums->mean_loss(), outcome->history[static_cast<size_t>(outcome->best_epoch - 1)].validation_loss);
}

TEST_F(Training, DivergenceIsAClearFailure) {
  const auto points = families::testing::Points(100);
  manifest_ = store_.Add({points.x, points.y}, data::Task::kRegression, points.splits);
  reader_ = store_.Read(manifest_);
  const auto settings = Settings(R"({"layers":"16,16","activation":"none","epochs":50,"learning_rate":10,
                                     "batch_size":8,"optimizer":"sgd","schedule":"constant"})");
  const auto outcome = Train(*Build(settings, false), {.settings = TrainSettingsOf(settings)});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "training_diverged") << outcome.error().message;
}

// The gradient of a mean over equal batches is the mean of their gradients.
TEST_F(Training, AccumulatedBatchesAreOneLargeBatch) {
  const auto large = Run(Settings(R"({"layers":"16","epochs":2,"batch_size":64})"));
  const auto small = Run(Settings(R"({"layers":"16","epochs":2,"batch_size":16,"accumulation":4})"));
  ASSERT_EQ(large.outcome.history.size(), small.outcome.history.size());
  EXPECT_NEAR(large.outcome.history[1].validation_loss, small.outcome.history[1].validation_loss, 1e-4);
  EXPECT_NE(large.weights, small.weights);
}

TEST_F(Training, ReportsEveryEpoch) {
  std::vector<json::object> epochs;
  Run(Settings(R"({"layers":"4","epochs":3})"), {.progress = [&](json::object event) {
        if (GetString(event, "stage") == "epoch") {
          epochs.push_back(std::move(event));
        }
      }});
  ASSERT_EQ(epochs.size(), 3U);
  for (const char* key : {"epoch", "epochs", "loss", "metric", "metric_name", "validation_loss", "validation_metric",
                          "samples_per_s", "learning_rate", "eta_s"}) {
    EXPECT_TRUE(epochs[2].contains(key)) << key;
  }
  EXPECT_EQ(GetInt(epochs[2], "epoch"), 3);
}

}  // namespace
}  // namespace atelier::learning
