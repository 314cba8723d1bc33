// The sequence families from a file of rows to an answer, through the jobs.
#include <gtest/gtest.h>

#include <cmath>

#include "base/json.h"
#include "base/rng.h"
#include "data/importer.h"
#include "families/predictor.h"
#include "families/testing/tiny_data.h"
#include "learning/jobs.h"
#include "learning/spec/train_settings.h"

namespace atelier::learning {
namespace {

namespace fs = std::filesystem;
namespace tiny = families::testing;

class SequenceJobs : public ::testing::Test {
 protected:
  data::Manifest Import(const std::string& name, const std::string& text, std::string_view options) {
    const auto blob = storage::PutBytes(store_.blobs(), text).value();
    const auto parsed = data::ImportOptionsFromJson(ParseJson(options)->as_object()).value();
    auto report = data::Import(store_.blobs(), {{name, blob}}, parsed, data::TabularFormats(), {});
    EXPECT_TRUE(report.ok()) << (report.ok() ? "" : report.error().message);
    return report->content;
  }

  // The metrics of the test rows; the model is opened.
  json::object Train(const std::string& family, const data::Manifest& manifest, std::string_view settings) {
    auto canonical = MakeTrainSettings(family, ParseJson(settings)->as_object(), manifest);
    EXPECT_TRUE(canonical.ok()) << (canonical.ok() ? "" : canonical.error().message);
    auto spec = store_.Spec(manifest);
    spec["family"] = family;
    spec["model"] = "tiny";
    spec["settings"] = *canonical;
    const auto folder = store_.path() / "job";
    fs::remove_all(folder);
    fs::create_directories(folder);
    const auto result =
        TrainJob({.spec = spec, .directory = folder, .threads = 1, .cancelled = {}, .progress = {}, .message = {}});
    EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
    for (const auto& file : result->at("files").as_object()) {
      const auto path = store_.blobs().LocalPath(GetString(file.value().as_object(), "sha256"));
      fs::copy_file(*path, folder / std::string(file.key()));
    }
    predictor_ = families::Predictor::Open(folder, 1).value();
    return result->at("metrics").as_object();
  }

  families::Answer Ask(const families::Instance& instance) {
    const auto prepared = predictor_->Prepare(instance);
    EXPECT_TRUE(prepared.ok()) << (prepared.ok() ? "" : prepared.error().message);
    const std::vector<const families::PreparedInstance*> batch{prepared->get()};
    return predictor_->Predict(batch).value()[0];
  }

  tiny::TinyStore store_;
  std::unique_ptr<families::Predictor> predictor_;
};

std::string Reviews() {
  const std::vector<std::string> good{"喜欢", "good", "不错", "great"};
  const std::vector<std::string> bad{"糟糕", "bad", "很差", "awful"};
  const std::vector<std::string> others{"电影", "film", "酒店", "the", "我", "room"};
  SeededRng rng(7);
  std::string text;
  for (int i = 0; i < 240; ++i) {
    const bool positive = rng.Below(2) == 1;
    std::string line;
    const auto told = rng.Below(5);
    for (uint32_t word = 0; word < 5; ++word) {
      const auto& list = word != told ? others : (positive ? good : bad);
      line += list[rng.Below(static_cast<uint32_t>(list.size()))] + " ";
    }
    text += json::serialize(json::object{{"text", line}, {"label", positive ? "positive" : "negative"}}) + "\n";
  }
  return text;
}

class TextJobs : public SequenceJobs, public ::testing::WithParamInterface<std::string> {};

TEST_P(TextJobs, ClassifiesTextsOfBothLanguages) {
  const auto manifest =
      Import("reviews.jsonl", Reviews(), R"({"target":"label","types":{"text":"text"},"split":[0.8,0,0.2]})");
  const auto metrics = Train(GetParam(), manifest,
                             R"({"epochs":12,"learning_rate":0.01,"embedding":16,"early_stopping":0,"validation":0})");
  EXPECT_EQ(GetString(metrics, "split"), "test");
  EXPECT_GE(GetNumber(metrics, "accuracy"), 0.95);
  const auto labels = predictor_->signature().labels;
  ASSERT_EQ(labels, (std::vector<std::string>{"negative", "positive"}));
  EXPECT_GT(Ask(families::InstanceText{"我喜欢电影"}).values[1], 0.6F);
  EXPECT_GT(Ask(families::InstanceRecord{{"text", "an awful film"}}).values[0], 0.6F);
  EXPECT_FALSE(predictor_->Prepare(families::InstanceTensor{{1}, {1}}).ok());
  EXPECT_FALSE(predictor_->Prepare(families::InstanceRecord{{"other", "x"}}).ok());
}

INSTANTIATE_TEST_SUITE_P(Families, TextJobs, ::testing::Values("lstm", "gru", "rnn", "textcnn", "textbag"));

TEST_F(SequenceJobs, TagsTokens) {
  const std::vector<std::string> places{"Madrid", "Paris", "Lima"};
  const std::vector<std::string> words{"in", "from", "we", "came", "."};
  SeededRng rng(3);
  std::string text;
  for (int i = 0; i < 150; ++i) {
    std::string tokens;
    std::string tags;
    for (int word = 0; word < 6; ++word) {
      const bool place = rng.Below(4) == 0;
      const auto& list = place ? places : words;
      tokens += (word == 0 ? "" : " ") + list[rng.Below(static_cast<uint32_t>(list.size()))];
      tags += std::string(word == 0 ? "" : " ") + (place ? "B-LOC" : "O");
    }
    text += json::serialize(json::object{{"tokens", tokens}, {"tags", tags}}) + "\n";
  }
  const auto manifest =
      Import("tags.jsonl", text, R"({"task":"none","types":{"tokens":"text","tags":"text"},"split":[0.8,0,0.2]})");
  const auto metrics =
      Train("gru", manifest, R"({"epochs":25,"learning_rate":0.01,"embedding":12,"hidden":12,"layers":1})");
  EXPECT_GE(GetNumber(metrics, "accuracy"), 0.99);
  // A place that it has never seen, by its shape.
  const auto answer = Ask(families::InstanceText{"we came from Quito."});
  EXPECT_EQ(answer.tokens, (std::vector<std::string>{"we", "came", "from", "Quito", "."}));
  EXPECT_EQ(answer.texts, (std::vector<std::string>{"O", "O", "O", "B-LOC", "O"}));
  EXPECT_EQ(answer.values.size(), 5U);
  EXPECT_EQ(Ask(families::InstanceRecord{{"tokens", "in Lima"}}).texts, (std::vector<std::string>{"O", "B-LOC"}));
}

TEST_F(SequenceJobs, ForecastsASeries) {
  std::string text = "day,sales\n";
  const auto value = [](int i) { return 100 + 0.5 * i + 10 * std::sin(i * 0.7); };
  for (int i = 0; i < 160; ++i) {
    text += std::to_string(i) + "," + std::to_string(value(i)) + "\n";
  }
  const auto manifest = Import("sales.csv", text, R"({"target":"sales"})");
  const auto metrics =
      Train("lstm", manifest, R"({"epochs":60,"context":12,"horizon":2,"hidden":8,"layers":1,"learning_rate":0.01})");
  EXPECT_EQ(GetString(metrics, "split"), "validation");
  EXPECT_LT(GetNumber(metrics, "mae"), 2.5);  // the last value again would be wrong by 4.5 and more
  std::vector<float> seen;
  for (int i = 160; i < 175; ++i) {
    seen.push_back(static_cast<float>(value(i)));
  }
  const auto answer = Ask(families::InstanceTensor{{15}, seen});
  ASSERT_EQ(answer.values.size(), 2U);
  EXPECT_NEAR(answer.values[0], value(175), 6);
  seen.resize(11);
  EXPECT_FALSE(predictor_->Prepare(families::InstanceTensor{{11}, seen}).ok());
}

TEST_F(SequenceJobs, SequencesOfNumbersAreClassified) {
  SeededRng rng(5);
  std::string text;
  for (int i = 0; i < 200; ++i) {
    const bool rises = rng.Below(2) == 1;
    json::array values;
    const double start = rng.Uniform() * 4;
    for (int step = 0; step < 8; ++step) {
      values.push_back(start + (rises ? 0.2 : -0.2) * step + 0.1 * rng.Uniform());
    }
    text += json::serialize(json::object{{"signal", values}, {"label", rises ? "up" : "down"}}) + "\n";
  }
  const auto manifest = Import("signals.jsonl", text, R"({"target":"label","split":[0.8,0,0.2]})");
  const auto metrics = Train("rnn", manifest, R"({"epochs":15,"learning_rate":0.01,"hidden":12,"layers":1})");
  EXPECT_GE(GetNumber(metrics, "accuracy"), 0.95);
  EXPECT_GT(Ask(families::InstanceTensor{{8}, {0, 0.2F, 0.4F, 0.6F, 0.8F, 1, 1.2F, 1.4F}}).values[1], 0.5F);
}

TEST_F(SequenceJobs, WhatDoesNotFitIsRefused) {
  const auto manifest = Import("numbers.csv", "a,b,label\n1,2,x\n3,4,y\n5,6,x\n", R"({"target":"label"})");
  const auto refusal = [&](const std::string& family, std::string_view settings) {
    const auto made = MakeTrainSettings(family, ParseJson(settings)->as_object(), manifest);
    EXPECT_FALSE(made.ok());
    return made.ok() ? Error{} : made.error();
  };
  EXPECT_EQ(refusal("textbag", "{}").reason, "dataset_unsuitable");
  EXPECT_EQ(refusal("textcnn", R"({"widths":[0]})").param, "settings.column");
  EXPECT_EQ(refusal("lstm", R"({"task":"forecasting"})").param, "settings.column");
  EXPECT_EQ(refusal("lstm", R"({"task":"forecasting","column":"a","context":24})").param, "settings.context");
  EXPECT_EQ(refusal("gru", R"({"task":"regression"})").param, "settings.task");
}

}  // namespace
}  // namespace atelier::learning
