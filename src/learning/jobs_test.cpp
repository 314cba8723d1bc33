#include "learning/jobs.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"
#include "families/predictor.h"
#include "families/testing/tiny_data.h"
#include "learning/evaluation/figures.h"
#include "learning/evaluation/report.h"
#include "learning/spec/train_settings.h"
#include "storage/blob_json.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;
namespace tiny = families::testing;

json::object TrainSpec(tiny::TinyStore& store, const data::Manifest& manifest, const std::string& family,
                       std::string_view settings) {
  auto canonical = MakeTrainSettings(family, ParseJson(settings)->as_object(), manifest);
  EXPECT_TRUE(canonical.ok()) << (canonical.ok() ? "" : canonical.error().message);
  auto spec = store.Spec(manifest);
  spec["family"] = family;
  spec["model"] = "tiny-model";
  spec["settings"] = *canonical;
  spec["code_version"] = "test";
  return spec;
}

Result<json::object> RunTrain(tiny::TinyStore& store, const json::object& spec) {
  fs::remove_all(store.path() / "job_1");
  fs::create_directories(store.path() / "job_1");
  return TrainJob({.spec = spec,
                   .directory = store.path() / "job_1",
                   .threads = 1,
                   .cancelled = {},
                   .progress = {},
                   .message = {}});
}

// Lays the result's files out as the worker will see them.
fs::path Folder(tiny::TinyStore& store, const json::object& result) {
  const fs::path folder = store.path() / "model";
  fs::create_directories(folder);
  for (const auto& file : result.at("files").as_object()) {
    const auto path = store.blobs().LocalPath(GetString(file.value().as_object(), "sha256"));
    EXPECT_TRUE(path.ok());
    fs::copy_file(*path, folder / std::string(file.key()), fs::copy_options::overwrite_existing);
  }
  return folder;
}

TEST(Jobs, TrainThenEvaluateThenPredictAgree) {
  tiny::TinyStore store;
  const auto points = tiny::Points(300);
  const auto manifest = store.Add({points.x, points.y, points.label}, data::Task::kClassification, points.splits);
  const auto spec = TrainSpec(store, manifest, "mlp",
                              R"({"layers":"16","epochs":12,"batch_size":16,"learning_rate":0.02,"validation":0.1})");
  const auto result = RunTrain(store, spec);
  ASSERT_TRUE(result.ok()) << result.error().message;
  const auto& metadata = result->at("metadata").as_object();
  EXPECT_EQ(GetString(metadata, "task"), "classification");
  EXPECT_EQ(GetString(metadata.at("lineage").as_object(), "job_id"), "job_1");
  EXPECT_EQ(GetInt(metadata, "parameters"), 2 * 16 + 16 + 16 * 3 + 3);
  EXPECT_EQ(GetInt(metadata.at("training").as_object(), "validation_rows"), 24);
  const auto& metrics = result->at("metrics").as_object();
  EXPECT_EQ(GetString(metrics, "split"), "test");
  EXPECT_GT(GetNumber(metrics, "accuracy"), 0.95);
  EXPECT_EQ(GetString(metadata, "weights_sha256"),
            GetString(result->at("files").at("model.safetensors").as_object(), "sha256"));

  auto evaluate = store.Spec(manifest);
  evaluate["model"] = {{"name", "tiny-model"}, {"version", 1}, {"files", result->at("files")}};
  evaluate["split"] = "test";
  const auto evaluated = EvaluateJob({.spec = evaluate,
                                      .directory = store.path() / "job_2",
                                      .threads = 1,
                                      .cancelled = {},
                                      .progress = {},
                                      .message = {}});
  ASSERT_TRUE(evaluated.ok()) << evaluated.error().message;
  EXPECT_EQ(evaluated->at("metrics").at("accuracy"), metrics.at("accuracy"));
  EXPECT_TRUE(evaluated->at("metrics").as_object().contains("confusion_matrix"));
  EXPECT_TRUE(evaluated->at("metrics").at("intervals").as_object().contains("accuracy"));
  const auto kept = LoadPredictions(
      store.blobs(),
      storage::BlobRefFromJson(ParseJson(json::serialize(evaluated->at("predictions")))->as_object(), "predictions")
          .value());
  ASSERT_TRUE(kept.ok()) << kept.error().message;
  EXPECT_EQ(std::ssize(kept->rows), GetInt(evaluated->at("metrics").as_object(), "rows"));
  EXPECT_NE(kept->Find("x"), nullptr);
  EXPECT_NEAR(GetNumber(MetricsOf(*kept), "accuracy"), GetNumber(metrics, "accuracy"), 1e-12);

  // What is served computes what was evaluated.
  auto predictor = families::Predictor::Open(Folder(store, *result), 1);
  ASSERT_TRUE(predictor.ok()) << predictor.error().message;
  size_t hits = 0;
  size_t rows = 0;
  for (size_t i = 0; i < points.splits.size(); ++i) {
    if (points.splits[i] != 2) {
      continue;
    }
    const auto prepared =
        (*predictor)
            ->Prepare(families::InstanceRecord{{"x", double(points.x.numbers[i])}, {"y", double(points.y.numbers[i])}})
            .value();
    const std::vector<const families::PreparedInstance*> batch{prepared.get()};
    const auto answer = (*(*predictor)->Predict(batch))[0].values;
    hits += std::max_element(answer.begin(), answer.end()) - answer.begin() == points.label.codes[i] ? 1 : 0;
    ++rows;
  }
  EXPECT_DOUBLE_EQ(static_cast<double>(hits) / static_cast<double>(rows), GetNumber(metrics, "accuracy"));
}

TEST(Jobs, ATrialOfASearchSeesNoTestRowsAndAFoldIsHeldOut) {
  tiny::TinyStore store;
  const auto points = tiny::Points(200);
  const auto manifest = store.Add({points.x, points.y, points.label}, data::Task::kClassification, points.splits);
  const auto train = std::ranges::count(points.splits, 0);
  auto spec = TrainSpec(store, manifest, "mlp", R"({"layers":"8","epochs":1,"validation":0.25})");
  spec["evaluate_on"] = "validation";
  const auto trial = RunTrain(store, spec);
  ASSERT_TRUE(trial.ok()) << trial.error().message;
  EXPECT_EQ(GetString(trial->at("metrics").as_object(), "split"), "validation");
  EXPECT_EQ(GetInt(trial->at("metrics").as_object(), "rows"),
            GetInt(trial->at("metadata").at("training").as_object(), "validation_rows"));
  spec = TrainSpec(store, manifest, "mlp", R"({"layers":"8","epochs":1})");
  spec["fold"] = {{"index", 1}, {"count", 4}, {"seed", 1}};
  const auto fold = RunTrain(store, spec);
  ASSERT_TRUE(fold.ok()) << fold.error().message;
  EXPECT_EQ(GetString(fold->at("metrics").as_object(), "split"), "test");
  const int64_t held = GetInt(fold->at("metrics").as_object(), "rows");
  EXPECT_NEAR(static_cast<double>(held), static_cast<double>(train) / 4, 1);
  spec["fold"] = {{"index", 4}, {"count", 4}, {"seed", 1}};
  EXPECT_EQ(RunTrain(store, spec).error().code, Code::kInvalidArgument);
}

TEST(Jobs, RegressionIsInTheTargetsUnit) {
  tiny::TinyStore store;
  SeededRng rng(3);
  std::vector<float> x;
  std::vector<float> y;
  std::vector<uint8_t> splits;
  for (int i = 0; i < 400; ++i) {
    x.push_back(static_cast<float>(rng.Uniform() * 10));
    y.push_back(1000 + 50 * x.back());
    splits.push_back(i % 5 == 0 ? 2 : 0);
  }
  const auto manifest = store.Add({tiny::Numbers("x", x), tiny::Numbers("y", y)}, data::Task::kRegression, splits);
  const auto spec =
      TrainSpec(store, manifest, "mlp", R"({"layers":"16","epochs":40,"batch_size":16,"learning_rate":0.01})");
  const auto result = RunTrain(store, spec);
  ASSERT_TRUE(result.ok()) << result.error().message;
  EXPECT_GT(GetNumber(result->at("metrics").as_object(), "r2"), 0.99);
  EXPECT_LT(GetNumber(result->at("metrics").as_object(), "rmse"), 15);
  auto predictor = families::Predictor::Open(Folder(store, *result), 1).value();
  EXPECT_EQ(predictor->signature().output_fields, std::vector<std::string>{"y"});
  const auto prepared = predictor->Prepare(families::InstanceTensor{{1}, {5}}).value();
  const std::vector<const families::PreparedInstance*> batch{prepared.get()};
  EXPECT_NEAR((*predictor->Predict(batch))[0].values[0], 1250, 30);
}

TEST(Jobs, PicturesAndTheSameSpecTwice) {
  tiny::TinyStore store;
  SeededRng rng(4);
  std::vector<uint8_t> pixels;
  std::vector<int32_t> labels;
  for (int i = 0; i < 120; ++i) {  // a bright row or a bright column
    const auto label = static_cast<int32_t>(rng.Below(2));
    const auto at = static_cast<int>(rng.Below(8));
    for (int p = 0; p < 64; ++p) {
      pixels.push_back((label == 0 ? p / 8 : p % 8) == at ? 220 : static_cast<uint8_t>(rng.Below(40)));
    }
    labels.push_back(label);
  }
  const auto manifest =
      store.Add({tiny::Images("image", {1, 8, 8}, pixels), tiny::Categories("line", {"row", "column"}, labels)},
                data::Task::kClassification, std::vector<uint8_t>(120, 0));
  const auto spec = TrainSpec(store, manifest, "cnn",
                              R"({"layers":"conv8x3,pool2,16","epochs":8,"batch_size":16,"learning_rate":0.01})");
  const auto first = RunTrain(store, spec);
  ASSERT_TRUE(first.ok()) << first.error().message;
  EXPECT_EQ(GetString(first->at("metrics").as_object(), "split"), "train");
  EXPECT_GT(GetNumber(first->at("metrics").as_object(), "accuracy"), 0.95);
  const auto second = RunTrain(store, spec);
  ASSERT_TRUE(second.ok());
  EXPECT_EQ(json::serialize(first->at("files")), json::serialize(second->at("files")));
}

TEST(Jobs, WhatDoesNotFitIsRefused) {
  tiny::TinyStore store;
  const auto points = tiny::Points(50);
  const auto manifest = store.Add({points.x, points.y, points.label}, data::Task::kClassification, points.splits);
  auto spec = TrainSpec(store, manifest, "mlp", "{}");
  spec["family"] = "cnn";
  EXPECT_EQ(RunTrain(store, spec).error().code, Code::kInvalidArgument);
  spec["dataset"].as_object()["manifest"] = {{"sha256", std::string(64, '0')}, {"size", 1}};
  EXPECT_FALSE(RunTrain(store, spec).ok());
  EXPECT_FALSE(
      EvaluateJob(
          {.spec = store.Spec(manifest), .directory = {}, .threads = 1, .cancelled = {}, .progress = {}, .message = {}})
          .ok());
}

}  // namespace
}  // namespace atelier::learning
