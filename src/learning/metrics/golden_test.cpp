// Expected values: scikit-learn, seqeval, SciPy and sacrebleu on the same numbers (tests/golden/metrics.py).
#include <gtest/gtest.h>

#include <cmath>

#include "learning/metrics/bleu.h"
#include "learning/metrics/metrics.h"
#include "learning/metrics/probability.h"
#include "learning/metrics/ranking.h"
#include "learning/metrics/resampling.h"
#include "learning/metrics/tagging.h"
#include "learning/metrics/testing/golden.h"

namespace atelier::learning {
namespace {

using testing::Golden;
using testing::List;
using testing::Texts;

double Number(const json::value& value) { return value.to_number<double>(); }

void ExpectAll(const json::object& metrics, const json::value& expected, double tolerance) {
  for (const auto& member : expected.as_object()) {
    ASSERT_TRUE(metrics.contains(member.key())) << member.key();
    const double wanted = Number(member.value());
    EXPECT_NEAR(Number(metrics.at(member.key())), wanted, tolerance * std::max(1.0, std::abs(wanted))) << member.key();
  }
}

TEST(Probability, MatchesScikitLearn) {
  const auto golden = Golden("classification");
  for (const auto& one : golden.as_array()) {
    const auto truth = List<int64_t>(one.at("truth"));
    const auto scores = List<float>(one.at("scores"));
    const ClassScores given{.truth = truth, .scores = scores, .classes = one.at("classes").as_int64()};
    auto metrics = ClassificationMetrics(given);
    for (auto& member : ProbabilityMetrics(given)) {
      metrics[member.key()] = member.value();
    }
    ExpectAll(metrics, one.at("expected"), 1e-6);
    double rows = 0;
    for (const auto& bin : metrics.at("calibration").as_array()) {
      rows += Number(bin.at("rows"));
    }
    EXPECT_EQ(rows, static_cast<double>(truth.size()));
  }
}

TEST(Probability, TiesAndMissingClasses) {
  const std::vector<uint8_t> positive{1, 0, 1, 0};
  EXPECT_DOUBLE_EQ(*RocAuc(positive, std::vector<float>{0.5F, 0.5F, 0.5F, 0.5F}), 0.5);
  EXPECT_DOUBLE_EQ(*PrecisionRecallAuc(positive, std::vector<float>{0.5F, 0.5F, 0.5F, 0.5F}), 0.5);
  EXPECT_FALSE(RocAuc(std::vector<uint8_t>{1, 1}, std::vector<float>{0, 1}).has_value());
  EXPECT_FALSE(PrecisionRecallAuc(std::vector<uint8_t>{0, 0}, std::vector<float>{0, 1}).has_value());
  const std::vector<int64_t> truth{0, 0};
  const std::vector<float> scores{1, 0, 0.5F, 0.5F};
  EXPECT_FALSE(ProbabilityMetrics({.truth = truth, .scores = scores, .classes = 2}).contains("roc_auc"));
}

TEST(Regression, MatchesScikitLearn) {
  const auto golden = Golden("regression");
  const auto truth = List<double>(golden.at("truth"));
  const auto predicted = List<double>(golden.at("predicted"));
  ExpectAll(RegressionMetrics(truth, predicted), golden.at("expected"), 1e-12);
  EXPECT_NEAR(*Mase(truth, predicted, List<double>(golden.at("history")), 12), Number(golden.at("mase")), 1e-12);
  EXPECT_FALSE(Mase(truth, predicted, List<double>(golden.at("history")), 60).has_value());
}

TEST(Regression, NoShareOfNothing) {
  EXPECT_FALSE(RegressionMetrics(std::vector<double>{0, 1}, std::vector<double>{1, 1}).contains("mape"));
}

TEST(Tagging, MatchesSeqeval) {
  const auto golden = Golden("tagging");
  for (const auto& one : golden.as_array()) {
    std::vector<std::vector<std::string>> truth;
    std::vector<std::vector<std::string>> predicted;
    for (size_t i = 0; i < one.at("truth").as_array().size(); ++i) {
      truth.push_back(Texts(one.at("truth").at(i)));
      predicted.push_back(Texts(one.at("predicted").at(i)));
      const auto entities = Entities(truth.back());
      const auto& expected = one.at("entities").at(i).as_array();
      ASSERT_EQ(entities.size(), expected.size()) << json::serialize(one.at("truth").at(i));
      for (size_t j = 0; j < entities.size(); ++j) {
        EXPECT_EQ(entities[j].type, expected[j].at(0).as_string());
        EXPECT_EQ(static_cast<int64_t>(entities[j].first), expected[j].at(1).as_int64());
        EXPECT_EQ(static_cast<int64_t>(entities[j].last), expected[j].at(2).as_int64());
      }
    }
    const auto metrics = TaggingMetrics(truth, predicted);
    EXPECT_NEAR(Number(metrics.at("entity_precision")), Number(one.at("micro").at("precision")), 1e-12);
    EXPECT_NEAR(Number(metrics.at("entity_recall")), Number(one.at("micro").at("recall")), 1e-12);
    EXPECT_NEAR(Number(metrics.at("entity_f1")), Number(one.at("micro").at("f1-score")), 1e-12);
    EXPECT_NEAR(Number(metrics.at("entity_f1_macro")), Number(one.at("macro_f1")), 1e-12);
    EXPECT_NEAR(Number(metrics.at("entity_f1_weighted")), Number(one.at("weighted_f1")), 1e-12);
    EXPECT_NEAR(Number(metrics.at("token_accuracy")), Number(one.at("token_accuracy")), 1e-12);
    for (const auto& row : metrics.at("per_type").as_array()) {
      const auto& type = one.at("types").at(row.at("type").as_string());
      EXPECT_NEAR(Number(row.at("f1")), Number(type.at("f1-score")), 1e-12);
      EXPECT_EQ(Number(row.at("support")), Number(type.at("support")));
    }
    EXPECT_EQ(metrics.at("per_type").as_array().size(), one.at("types").as_object().size());
  }
}

TEST(Ranking, MatchesScikitLearn) {
  const auto golden = Golden("ranking");
  std::vector<RankedRelevance> queries;
  for (size_t i = 0; i < golden.at("relevance").as_array().size(); ++i) {
    queries.push_back(RankByScore(List<double>(golden.at("relevance").at(i)), List<float>(golden.at("scores").at(i))));
  }
  const auto metrics = RankingMetrics(queries);
  for (const char* name : {"ndcg_at_5", "ndcg_at_10", "map", "mrr", "recall_at_5"}) {
    EXPECT_NEAR(Number(metrics.at(name)), Number(golden.at(name)), 1e-12) << name;
  }
  const RankedRelevance nothing{0, 0};
  EXPECT_EQ(NdcgAt(nothing, 5) + AveragePrecision(nothing) + ReciprocalRank(nothing) + RecallAt(nothing, 5), 0);
}

TEST(Resampling, IntervalsAreNearSciPys) {
  const auto golden = Golden("resampling");
  const auto values = List<double>(golden.at("values"));
  const double width = Number(golden.at("high")) - Number(golden.at("low"));
  for (const auto& interval :
       {BootstrapMean(values, {.resamples = 4000}), Bootstrap(values.size(),
                                                              [&](std::span<const uint32_t> rows) {
                                                                double sum = 0;
                                                                for (const uint32_t row : rows) {
                                                                  sum += values[row] / static_cast<double>(rows.size());
                                                                }
                                                                return sum;
                                                              },
                                                              {.resamples = 4000, .seed = 2})}) {
    EXPECT_NEAR(interval.low, Number(golden.at("low")), 0.05 * width);
    EXPECT_NEAR(interval.high, Number(golden.at("high")), 0.05 * width);
  }
  const Interval again = BootstrapMean(values, {.resamples = 4000});
  EXPECT_EQ(again.low, BootstrapMean(values, {.resamples = 4000}).low);
}

TEST(Resampling, TestsMatchSciPy) {
  const auto golden = Golden("resampling");
  for (const auto& one : golden.at("mcnemar").as_array()) {
    const auto result = McNemar(one.at("only_a").as_int64(), one.at("only_b").as_int64());
    EXPECT_NEAR(result.p, Number(one.at("p")), 1e-9) << json::serialize(one);
  }
  EXPECT_NEAR(PairedPermutation(List<double>(golden.at("small")), {}), Number(golden.at("small_p")), 1e-12);
  EXPECT_NEAR(PairedPermutation(List<double>(golden.at("large")), {.resamples = 20000}), Number(golden.at("large_p")),
              0.01);
}

TEST(Resampling, RandomisationOfBleuIsNearSacrebleus) {
  const auto golden = Golden("resampling").at("bleu");
  const auto references = Texts(golden.at("references"));
  std::vector<BleuStatistics> a;
  std::vector<BleuStatistics> b;
  for (size_t i = 0; i < references.size(); ++i) {
    a.push_back(BleuOf(Texts(golden.at("a"))[i], {&references[i], 1}, {}));
    b.push_back(BleuOf(Texts(golden.at("b"))[i], {&references[i], 1}, {}));
  }
  const auto difference = [&](std::span<const uint8_t> swapped) {
    BleuStatistics first;
    BleuStatistics second;
    for (size_t i = 0; i < swapped.size(); ++i) {
      first += swapped[i] != 0 ? b[i] : a[i];
      second += swapped[i] != 0 ? a[i] : b[i];
    }
    return Score(second, {}).score - Score(first, {}).score;
  };
  const std::vector<uint8_t> none(references.size(), 0);
  EXPECT_NEAR(difference(none), Number(golden.at("score_b")) - Number(golden.at("score_a")), 1e-9);
  EXPECT_NEAR(PairedRandomisation(references.size(), difference, {.resamples = 10000}), Number(golden.at("p")), 0.02);
}

TEST(Direction, ErrorsAreBetterLow) {
  EXPECT_TRUE(LowerIsBetter("rmse"));
  EXPECT_TRUE(LowerIsBetter("wer"));
  EXPECT_FALSE(LowerIsBetter("accuracy"));
  EXPECT_FALSE(LowerIsBetter("bleu"));
}

}  // namespace
}  // namespace atelier::learning
