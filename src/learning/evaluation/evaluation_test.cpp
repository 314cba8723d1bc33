#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <fstream>

#include "base/rng.h"
#include "learning/evaluation/bias.h"
#include "learning/evaluation/comparison.h"
#include "learning/evaluation/errors.h"
#include "learning/evaluation/figures.h"
#include "learning/evaluation/gate.h"
#include "learning/evaluation/predictions.h"
#include "learning/evaluation/slices.h"
#include "learning/metrics/testing/golden.h"

namespace atelier::learning {
namespace {

using testing::Golden;

double Number(const json::value& value) { return value.to_number<double>(); }

Key Category(std::string name, std::vector<std::string> labels, std::vector<int32_t> codes) {
  return {std::move(name), std::move(labels), std::move(codes), {}};
}

// 200 rows of two classes; those of the source "mail" are answered worse, most of all the long ones.
Predictions Labels(uint64_t seed, double skill) {
  SeededRng rng(seed);
  SeededRng fixed(99);
  Predictions p;
  p.labels = {"bad", "good"};
  p.keys = {Category("source", {"web", "mail"}, {}), {"text.length", {}, {}, {}}};
  for (int i = 0; i < 400; ++i) {
    const auto truth = static_cast<int32_t>(fixed.Below(2));
    const auto source = static_cast<int32_t>(fixed.Below(2));
    const bool right = rng.Uniform() < (source == 1 ? skill - 0.25 : skill);
    p.rows.push_back(1000 + i);
    p.truth.push_back(truth);
    p.predicted.push_back(right ? truth : 1 - truth);
    const auto sure = static_cast<float>(0.5 + 0.5 * rng.Uniform());
    p.probabilities.insert(p.probabilities.end(),
                           {p.predicted[i] == 0 ? sure : 1 - sure, p.predicted[i] == 0 ? 1 - sure : sure});
    p.losses.push_back(-std::log(p.probabilities[2 * i + static_cast<size_t>(truth)]));
    p.keys[0].codes.push_back(i % 50 == 0 ? -1 : source);
    p.keys[1].numbers.push_back(i % 40 == 0 ? NAN : static_cast<float>(fixed.Below(300)));
    p.inputs.push_back("text " + std::to_string(i));
  }
  return p;
}

Predictions Texts() {
  Predictions p;
  p.kind = AnswerKind::kText;
  p.rows = {3, 5, 9};
  p.true_texts = {"the cat sat on the mat", "我非常喜欢这个电影", ""};
  p.predicted_texts = {"the cat sat on a mat", "我喜欢这部电影", "nothing"};
  return p;
}

class File {
 public:
  File() : path_(std::filesystem::temp_directory_path() / ("predictions." + std::to_string(::getpid()))) {}
  ~File() { std::filesystem::remove(path_); }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  Result<Predictions> RoundTrip(const Predictions& predictions) {
    std::ofstream out(path_, std::ios::binary);
    ATELIER_TRY(WritePredictions(predictions, [&](std::span<const std::byte> bytes) -> Status {
      out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
      return {};
    }));
    out.close();
    return ReadPredictions(path_);
  }
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

TEST(PredictionsFile, KeepsEverything) {
  File file;
  const Predictions labels = Labels(1, 0.9);
  const auto read = file.RoundTrip(labels);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->rows, labels.rows);
  EXPECT_EQ(read->labels, labels.labels);
  EXPECT_EQ(read->truth, labels.truth);
  EXPECT_EQ(read->predicted, labels.predicted);
  EXPECT_EQ(read->probabilities, labels.probabilities);
  EXPECT_EQ(read->losses, labels.losses);
  EXPECT_EQ(read->inputs, labels.inputs);
  ASSERT_EQ(read->keys.size(), 2U);
  EXPECT_EQ(read->keys[0].labels, labels.keys[0].labels);
  EXPECT_EQ(read->keys[0].codes, labels.keys[0].codes);
  EXPECT_TRUE(std::isnan(read->keys[1].numbers[0]));
  EXPECT_EQ(read->keys[1].numbers[1], labels.keys[1].numbers[1]);
  const auto texts = file.RoundTrip(Texts());
  ASSERT_TRUE(texts.ok()) << texts.error().message;
  EXPECT_EQ(texts->true_texts, Texts().true_texts);
  EXPECT_EQ(texts->predicted_texts, Texts().predicted_texts);
  EXPECT_EQ(texts->kind, AnswerKind::kText);
}

TEST(PredictionsFile, RefusesWhatDoesNotFit) {
  File file;
  Predictions broken = Labels(1, 0.9);
  broken.predicted[7] = 2;
  EXPECT_EQ(file.RoundTrip(broken).error().code, Code::kInvalidArgument);
  broken = Labels(1, 0.9);
  broken.keys[0].codes.pop_back();
  EXPECT_EQ(file.RoundTrip(broken).error().code, Code::kInvalidArgument);
  std::ofstream(file.path(), std::ios::binary) << "no such file";
  EXPECT_EQ(ReadPredictions(file.path()).error().code, Code::kDataLoss);
  EXPECT_EQ(ReadPredictions(file.path().string() + ".absent").error().code, Code::kDataLoss);
}

TEST(Figures, AgreeWithTheReport) {
  for (const Predictions& p : {Labels(1, 0.8), Texts()}) {
    const auto metrics = MetricsOf(p);
    const auto all = AllRows(p.size());
    for (const Figure& figure : Figures(p)) {
      EXPECT_NEAR(figure.of(all), Number(metrics.at(figure.name)), 1e-9) << figure.name;
    }
  }
  Predictions numbers;
  numbers.kind = AnswerKind::kNumber;
  Predictions tags;
  tags.kind = AnswerKind::kTags;
  for (int i = 0; i < 30; ++i) {
    numbers.rows.push_back(i);
    numbers.true_values.push_back(i * i);
    numbers.predicted_values.push_back(i * i + (i % 3));
    tags.rows.push_back(i);
    tags.true_texts.emplace_back(i % 2 == 0 ? "B-A I-A O" : "O B-C O");
    tags.predicted_texts.emplace_back(i % 5 == 0 ? "B-A O O" : "B-A I-A O");
  }
  for (const Predictions& p : {numbers, tags}) {
    const auto metrics = MetricsOf(p);
    for (const Figure& figure : Figures(p)) {
      EXPECT_NEAR(figure.of(AllRows(p.size())), Number(metrics.at(figure.name)), 1e-9) << figure.name;
    }
  }
}

TEST(Figures, IntervalsHoldTheFigure) {
  const Predictions p = Labels(1, 0.8);
  const auto metrics = MetricsOf(p);
  const auto intervals = IntervalsOf(p, {});
  for (const char* name : {"accuracy", "f1_macro"}) {
    const double low = Number(intervals.at(name).at(0));
    const double high = Number(intervals.at(name).at(1));
    EXPECT_LT(low, Number(metrics.at(name)));
    EXPECT_GT(high, Number(metrics.at(name)));
    EXPECT_NEAR(high - low, 4 * std::sqrt(0.8 * 0.2 / 400), 0.04) << name;
  }
}

TEST(Slices, EveryRowIsInOne) {
  const Predictions p = Labels(1, 0.8);
  EXPECT_EQ(SliceNames(p), (std::vector<std::string>{"(class)", "source", "text.length"}));
  for (const auto& name : SliceNames(p)) {
    const auto slices = SlicesBy(p, name);
    ASSERT_TRUE(slices.ok());
    std::vector<int> seen(p.size());
    for (const Slice& slice : *slices) {
      for (const uint32_t row : slice.rows) {
        ++seen[row];
      }
    }
    EXPECT_EQ(std::ranges::count(seen, 1), static_cast<int64_t>(p.size())) << name;
  }
  EXPECT_EQ(SlicesBy(p, "source")->size(), 3U);
  EXPECT_EQ(SlicesBy(p, "text.length")->size(), 6U);  // five ranges, and missing
  EXPECT_EQ(SlicesBy(p, "colour").error().param, "slice");
}

TEST(Errors, FindTheWeakSlice) {
  const auto report = ErrorReport(Labels(1, 0.95), {.limit = 5});
  ASSERT_TRUE(report.ok()) << report.error().message;
  const auto& slices = report->at("slices").as_array();
  ASSERT_FALSE(slices.empty());
  EXPECT_EQ(slices[0].at("slice").as_string(), "source");
  EXPECT_EQ(slices[0].at("value").as_string(), "mail");
  EXPECT_NEAR(Number(slices[0].at("difference")), -0.25, 0.1);
  const auto& worst = report->at("worst").as_array();
  ASSERT_EQ(worst.size(), 5U);
  double last = 1;
  for (const auto& row : worst) {
    EXPECT_NE(row.at("truth"), row.at("predicted"));
    EXPECT_LE(Number(row.at("confidence")), last);
    last = Number(row.at("confidence"));
    EXPECT_EQ(row.at("input").as_string(), "text " + std::to_string(row.at("row").as_int64() - 1000));
    EXPECT_TRUE(row.at("keys").as_object().contains("source"));
  }
  EXPECT_EQ(report->at("confusions").as_array().size(), 2U);
  const auto by_source = ErrorReport(Labels(1, 0.95), {.slice = "source"});
  EXPECT_EQ(by_source->at("slices").as_array().size(), 3U);
  EXPECT_EQ(ErrorReport(Labels(1, 0.95), {.slice = "colour"}).error().param, "slice");
}

TEST(Compare, TellsABetterModelFromAnEqualOne) {
  const auto better = Compare(Labels(1, 0.8), Labels(2, 0.95), {});
  ASSERT_TRUE(better.ok()) << better.error().message;
  const auto& accuracy = better->at("figures").at(0);
  EXPECT_EQ(accuracy.at("metric").as_string(), "accuracy");
  EXPECT_EQ(accuracy.at("better").as_string(), "b");
  EXPECT_GT(Number(accuracy.at("interval").at(0)), 0);
  EXPECT_LT(Number(better->at("mcnemar").at("p")), 0.01);
  EXPECT_NEAR(Number(better->at("fixed")) - Number(better->at("broken")), 400 * Number(accuracy.at("difference")),
              1e-6);
  const auto same = Compare(Labels(1, 0.8), Labels(1, 0.8), {});
  EXPECT_TRUE(same->at("figures").at(0).at("better").is_null());
  EXPECT_EQ(Number(same->at("figures").at(0).at("p")), 1);
}

TEST(Compare, JoinsByRowAndLabelText) {
  Predictions a = Labels(1, 0.8);
  Predictions b = Labels(2, 0.8);
  std::swap(b.labels[0], b.labels[1]);  // the same labels under other numbers
  for (auto* codes : {&b.truth, &b.predicted}) {
    for (auto& code : *codes) {
      code = 1 - code;
    }
  }
  std::vector<uint32_t> places(AllRows(300));
  std::ranges::reverse(places);
  b = Select(b, places);
  const auto compared = Compare(a, b, {.resamples = 200});
  ASSERT_TRUE(compared.ok()) << compared.error().message;
  EXPECT_EQ(compared->at("rows").as_int64(), 300);
  EXPECT_EQ(compared->at("only_a").as_int64(), 100);
  b.truth[0] = 1 - b.truth[0];
  EXPECT_EQ(Compare(a, b, {}).error().code, Code::kInvalidArgument);
  EXPECT_EQ(Compare(a, Texts(), {}).error().code, Code::kInvalidArgument);
  b.rows.assign(b.rows.size(), 5);
  EXPECT_EQ(Compare(a, b, {}).error().code, Code::kInvalidArgument);
}

// Expected values: fairlearn (tests/golden/metrics.py).
TEST(Bias, GapsAreFairlearns) {
  const auto golden = Golden("fairness");
  Predictions p;
  p.labels = {"no", "yes"};
  for (const int32_t code : testing::List<int32_t>(golden.at("truth"))) {
    p.rows.push_back(static_cast<int64_t>(p.rows.size()));
    p.truth.push_back(code);
  }
  p.predicted = testing::List<int32_t>(golden.at("predicted"));
  p.keys = {Category("group", {"a", "b", "c"}, testing::List<int32_t>(golden.at("group")))};
  const auto report = BiasReport(p, {.group = "group"});
  ASSERT_TRUE(report.ok()) << report.error().message;
  std::map<std::string, double> gaps;
  for (const auto& gap : report->at("gaps").as_array()) {
    gaps[std::string(gap.at("name").as_string())] = Number(gap.at("value"));
  }
  for (const char* name : {"demographic_parity", "equal_opportunity", "equalized_odds"}) {
    EXPECT_NEAR(gaps[name], Number(golden.at(name)), 1e-12) << name;
  }
  const auto accuracy = testing::List<double>(golden.at("accuracy"));
  EXPECT_NEAR(gaps["accuracy"], std::ranges::max(accuracy) - std::ranges::min(accuracy), 1e-12);
  EXPECT_EQ(BiasReport(p, {.group = "group", .positive = "maybe"}).error().param, "positive");
  EXPECT_EQ(BiasReport(p, {.group = "colour"}).error().param, "group");
  EXPECT_EQ(BiasReport(p, {.group = "group", .least_rows = 399}).error().param, "group");
}

TEST(Gate, SaysByHowMuchItIsMissed) {
  const auto gate = GateFromJson({{"metric", "accuracy"}, {"at_least", 0.9}}, "gate");
  ASSERT_TRUE(gate.ok());
  const json::object good{{"accuracy", 0.9}};
  const json::object bad{{"accuracy", 0.85}};
  const json::object other{{"mae", 1}};
  const auto check = [](const Gate& gate, std::vector<GateEvidence> evidence) {
    return CheckGate(gate, "m@1", evidence);
  };
  EXPECT_TRUE(check(*gate, {{"d", 1, "test", &good}}).ok());
  EXPECT_TRUE(check(*gate, {{"d", 1, "train", &bad}, {"d", 1, "test", &other}, {"d", 1, "test", &good}}).ok());
  const Status missed = check(*gate, {{"d", 1, "test", &bad}, {"d", 1, "test", &good}});
  EXPECT_EQ(missed.error().reason, "gate_failed");
  EXPECT_EQ(missed.error().message,
            "the deployment demands accuracy of at least 0.9, but m@1 has 0.85: 0.05 too little");
  EXPECT_EQ(check(*gate, {{"d", 1, "train", &good}, {"d", 1, "test", &other}}).error().reason, "gate_unmet");
  const auto at_most = GateFromJson({{"metric", "mae"}, {"at_most", 2}, {"dataset", "d@1"}}, "gate");
  EXPECT_TRUE(check(*at_most, {{"d", 1, "test", &other}}).ok());
  EXPECT_EQ(check(*at_most, {{"d", 2, "test", &other}, {"e", 1, "test", &other}}).error().reason, "gate_unmet");
  EXPECT_EQ(GateFromJson(ToJson(*at_most), "gate")->dataset, "d@1");
  EXPECT_FALSE(GateFromJson({{"metric", "mae"}}, "gate").ok());
  EXPECT_FALSE(GateFromJson({{"metric", "mae"}, {"at_most", 1}, {"at_least", 0}}, "gate").ok());
  EXPECT_FALSE(GateFromJson({{"metric", "mae"}, {"at_most", 1}, {"colour", 0}}, "gate").ok());
}

}  // namespace
}  // namespace atelier::learning
