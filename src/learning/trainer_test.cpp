#include "learning/trainer.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "families/testing/tiny_data.h"
#include "learning/evaluate.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;
using families::testing::TemporaryFolder;

// A training on 400 points of three classes, run as often as a test likes.
class Training : public ::testing::Test {
 protected:
  Training() {
    const auto points = families::testing::Points(400);
    manifest_ = store_.Add({points.x, points.y, points.label}, data::Task::kClassification, points.splits, 150);
    reader_ = store_.Read(manifest_);
  }

  static TrainSettings Settings(std::string_view text) {
    auto settings = TrainSettingsFromJson("mlp", ParseJson(text)->as_object());
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
    return *settings;
  }

  families::Model Build(const TrainSettings& settings) {
    families::Model model;
    model.config = *MakeModelConfig("mlp", settings, manifest_);
    model.preprocessor = *families::MakePreprocessor(manifest_, model.config);
    train_ = *families::LoadSamples(*reader_, reader_->Rows(data::Split::kTrain), model.preprocessor);
    EXPECT_TRUE(families::FitStatistics(train_, model.preprocessor).ok());
    test_ = *families::LoadSamples(*reader_, reader_->Rows(data::Split::kTest), model.preprocessor);
    model.network = families::BuildNetwork(model.config, settings.seed).value();
    return model;
  }

  static std::string Weights(const families::Model& model) {
    std::string bytes;
    EXPECT_TRUE(families::WriteWeights(*model.network, [&](std::span<const std::byte> part) -> Status {
                  bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
                  return {};
                }).ok());
    return bytes;
  }

  struct Trained {
    std::string weights;
    TrainOutcome outcome;
  };
  Trained Run(TrainOptions options, bool validate = true) {
    auto model = Build(options.settings);
    auto outcome = Train(model, train_, validate ? test_ : families::Samples{}, options);
    EXPECT_TRUE(outcome.ok()) << (outcome.ok() ? "" : outcome.error().message);
    return {Weights(model), outcome.ok() ? *outcome : TrainOutcome{}};
  }

  families::testing::TinyStore store_;
  data::Manifest manifest_;
  std::unique_ptr<data::Reader> reader_;
  families::Samples train_;
  families::Samples test_;
};

TEST_F(Training, LearnsWithEveryOptimizerAndLoss) {
  for (const char* text : {R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.05,"optimizer":"sgd"})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02,"loss":"cross_entropy"})",
                           R"({"layers":"16","epochs":25,"batch_size":16,"learning_rate":0.02,"loss":"mse"})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02,"batch_norm":true,
                               "dropout":0.1,"l1":0.0001,"l2":0.0001,"gradient_clip":1,"schedule":"step"})",
                           R"({"layers":"16","epochs":15,"batch_size":16,"learning_rate":0.02,"precision":"bf16"})"}) {
    const auto trained = Run({.settings = Settings(text)});
    ASSERT_FALSE(trained.outcome.history.empty()) << text;
    EXPECT_GT(trained.outcome.history.back().validation_metric, 0.95) << text;
  }
}

TEST_F(Training, SparseAndOneHotCrossEntropyAgree) {
  const auto sparse = Run({.settings = Settings(R"({"layers":"8","loss":"sparse_cross_entropy"})")});
  const auto one_hot = Run({.settings = Settings(R"({"layers":"8","loss":"cross_entropy"})")});
  EXPECT_NEAR(sparse.outcome.history.back().loss, one_hot.outcome.history.back().loss, 1e-6);
}

TEST_F(Training, TheSeedDecidesTheWeights) {
  const auto settings = Settings(R"({"layers":"16","dropout":0.3,"epochs":2,"batch_size":32})");
  auto other = settings;
  other.seed = 2;
  const auto first = Run({.settings = settings});
  EXPECT_EQ(first.weights, Run({.settings = settings}).weights);
  EXPECT_NE(first.weights, Run({.settings = other}).weights);
}

// A kill leaves the checkpoints of some moment. `cancelled` is asked before each step: it copies them there.
TEST_F(Training, ResumesBitIdenticallyFromAnyMoment) {
  auto settings = Settings(R"({"layers":"16,bn","dropout":0.3,"epochs":4,"batch_size":50,"early_stopping":2,
                               "checkpoint_every_steps":3,"checkpoint_every_epochs":2,"learning_rate":0.01})");
  const auto whole = Run({.settings = settings});
  const TemporaryFolder folder;
  fs::create_directories(folder.path() / "live");
  int calls = 0;
  Run({.settings = settings, .checkpoint_directory = folder.path() / "live", .fingerprint = "f", .cancelled = [&] {
         fs::copy(folder.path() / "live", folder.path() / ("at" + std::to_string(calls++)),
                  fs::copy_options::recursive | fs::copy_options::skip_existing);
         return false;
       }});
  ASSERT_GT(calls, 20);
  int resumed = 0;
  for (int i = 3; i < calls; i += 2) {
    const auto again = Run({.settings = settings,
                            .checkpoint_directory = folder.path() / ("at" + std::to_string(i)),
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
  const auto whole = Run({.settings = settings});
  int calls = 0;
  TrainOptions options{
      .settings = settings, .checkpoint_directory = folder.path(), .fingerprint = "f", .cancelled = [&] {
        return ++calls > 14;
      }};
  auto model = Build(settings);
  const auto cancelled = Train(model, train_, test_, options);
  ASSERT_FALSE(cancelled.ok());
  EXPECT_EQ(cancelled.error().code, Code::kCancelled);
  options.cancelled = {};
  EXPECT_EQ(Run(options).weights, whole.weights);

  options.fingerprint = "other";
  auto third = Build(settings);
  EXPECT_EQ(Train(third, train_, test_, options).error().reason, "checkpoint_mismatch");
}

TEST_F(Training, EarlyStoppingKeepsTheBestWeights) {
  const auto settings = Settings(R"({"layers":"16","epochs":40,"batch_size":16,"learning_rate":0.5,"early_stopping":2,
                                     "schedule":"constant"})");
  auto model = Build(settings);
  const auto outcome = Train(model, train_, test_, {.settings = settings});
  ASSERT_TRUE(outcome.ok());
  ASSERT_TRUE(outcome->stopped_early);
  EXPECT_EQ(outcome->history.size(), static_cast<size_t>(outcome->best_epoch + 2));
  const auto sums = Measure(model, test_, "sparse_cross_entropy");
  EXPECT_DOUBLE_EQ(sums->mean_loss(), outcome->history[static_cast<size_t>(outcome->best_epoch - 1)].validation_loss);
}

TEST_F(Training, DivergenceIsAClearFailure) {
  const auto points = families::testing::Points(100);
  manifest_ = store_.Add({points.x, points.y}, data::Task::kRegression, points.splits);
  reader_ = store_.Read(manifest_);
  const auto settings = Settings(R"({"layers":"16,16","activation":"none","epochs":50,"learning_rate":10,
                                     "batch_size":8,"optimizer":"sgd","schedule":"constant"})");
  auto model = Build(settings);
  const auto outcome = Train(model, train_, {}, {.settings = settings});
  ASSERT_FALSE(outcome.ok());
  EXPECT_EQ(outcome.error().reason, "training_diverged") << outcome.error().message;
}

TEST_F(Training, ReportsEveryEpoch) {
  std::vector<json::object> epochs;
  Run({.settings = Settings(R"({"layers":"4","epochs":3})"), .progress = [&](json::object event) {
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
