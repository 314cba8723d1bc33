// Expected values: scikit-learn 1.2.1 on the same numbers (accuracy_score, top_k_accuracy_score,
// precision_recall_fscore_support with zero_division=0, confusion_matrix, mean_squared_error, r2_score).
#include "learning/metrics/metrics.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace atelier::learning {
namespace {

const std::vector<int64_t> kTruth{4, 3, 3, 4, 2, 3, 4, 1, 0, 1, 1, 4, 4, 0, 2, 4, 0, 3, 0, 2,
                                  4, 1, 1, 1, 3, 1, 4, 2, 2, 2, 2, 2, 2, 4, 4, 3, 3, 3, 1, 4};
// [40, 7]; no row has class 5 or 6, none is predicted as 6
const std::vector<float> kScores{
    -1.84F, -0.24F, -1.27F, 0.27F,  1.16F,  -0.19F, -12.52F, -0.54F, -0.05F, 0.11F,  -0.53F, -0.48F, -0.98F, -10.81F,
    1.06F,  -0.81F, -0.03F, 1.88F,  -0.58F, -0.11F, -9.89F,  0.06F,  -1.23F, 0.08F,  1.36F,  -0.55F, 0.86F,  -9.88F,
    -0.64F, 2.0F,   1.76F,  -1.2F,  0.07F,  0.58F,  -10.19F, 0.68F,  -0.07F, 0.67F,  2.44F,  -0.68F, 0.2F,   -10.46F,
    0.13F,  -1.19F, -0.58F, -0.2F,  1.9F,   1.15F,  -11.32F, -0.79F, 1.65F,  -1.99F, -0.46F, -0.1F,  1.26F,  -9.31F,
    0.67F,  -0.37F, -0.25F, 1.52F,  -0.43F, -0.3F,  -9.65F,  -0.12F, 0.8F,   -1.11F, -0.01F, -0.44F, 1.17F,  -9.35F,
    -0.02F, 1.67F,  -0.34F, 1.05F,  -0.01F, 0.58F,  -11.29F, 0.35F,  -1.69F, -2.04F, -0.3F,  0.1F,   0.16F,  -7.76F,
    -0.83F, -0.62F, 0.21F,  0.49F,  0.82F,  -0.21F, -9.3F,   1.52F,  -1.03F, -0.08F, 0.04F,  -1.05F, 0.26F,  -10.86F,
    0.97F,  0.19F,  1.09F,  -0.59F, -0.12F, -2.0F,  -11.13F, 0.36F,  -2.13F, 0.85F,  -1.75F, 1.76F,  -0.85F, -9.22F,
    1.13F,  -1.54F, 1.25F,  1.44F,  -0.07F, -0.27F, -10.16F, -0.98F, 1.1F,   -0.54F, 0.95F,  -0.79F, -0.63F, -11.28F,
    2.26F,  -0.15F, 0.97F,  0.01F,  -0.69F, -0.33F, -10.56F, 0.01F,  -0.38F, 0.7F,   -1.38F, -0.81F, 1.65F,  -10.67F,
    -1.05F, 0.34F,  1.41F,  -1.45F, 0.79F,  -0.63F, -11.76F, 0.73F,  0.98F,  0.07F,  -0.75F, 0.45F,  -0.54F, -10.14F,
    -1.11F, -0.22F, 1.34F,  -0.51F, 0.29F,  -0.03F, -10.44F, -0.51F, 1.63F,  -0.3F,  -0.15F, 0.02F,  1.18F,  -9.32F,
    0.38F,  -0.56F, -1.38F, 1.95F,  0.97F,  -0.14F, -9.46F,  0.78F,  1.83F,  0.92F,  -0.46F, 1.51F,  -1.25F, -9.14F,
    0.49F,  0.87F,  1.88F,  1.48F,  -0.15F, -1.69F, -9.18F,  -1.02F, -0.01F, 1.84F,  -1.64F, -2.11F, 0.26F,  -9.96F,
    -0.25F, 0.04F,  0.14F,  -1.51F, -0.17F, -0.97F, -11.64F, 0.51F,  -0.06F, 1.41F,  -0.99F, -0.66F, -1.0F,  -10.89F,
    0.2F,   -0.78F, 1.36F,  0.34F,  2.03F,  -1.39F, -9.11F,  -0.09F, -0.01F, -0.45F, -0.46F, 0.74F,  -0.08F, -9.92F,
    -0.29F, 1.15F,  0.98F,  -2.2F,  -0.69F, -1.97F, -13.25F, -0.53F, 1.33F,  0.05F,  -1.17F, 0.06F,  1.13F,  -9.84F,
    0.05F,  -0.05F, 0.04F,  0.81F,  1.55F,  0.22F,  -11.04F, 0.51F,  -0.68F, 1.09F,  -0.27F, -0.14F, -0.01F, -11.32F,
    1.72F,  1.46F,  -0.46F, 1.77F,  0.38F,  -2.61F, -9.75F,  -0.06F, 0.08F,  -1.08F, 0.73F,  -0.18F, 1.19F,  -9.67F,
    -0.01F, 2.53F,  -0.56F, -0.39F, -1.82F, 1.57F,  -9.04F,  0.92F,  0.67F,  0.11F,  0.22F,  0.75F,  -0.2F,  -9.95F,
};

ClassScores Recorded() { return {.truth = kTruth, .scores = kScores, .classes = 7}; }

double At(const boost::json::object& metrics, const char* key) { return metrics.at(key).to_number<double>(); }

TEST(ClassificationMetrics, MatchesScikitLearn) {
  const auto metrics = ClassificationMetrics(Recorded());
  EXPECT_DOUBLE_EQ(At(metrics, "accuracy"), 0.525);
  EXPECT_DOUBLE_EQ(At(metrics, "top_5_accuracy"), 1.0);
  EXPECT_DOUBLE_EQ(At(metrics, "precision_macro"), 0.4716931216931217);
  EXPECT_DOUBLE_EQ(At(metrics, "recall_macro"), 0.44149831649831656);
  EXPECT_DOUBLE_EQ(At(metrics, "f1_macro"), 0.45);
  EXPECT_DOUBLE_EQ(At(metrics, "precision_micro"), 0.525);
  EXPECT_DOUBLE_EQ(At(metrics, "f1_micro"), 0.525);
  EXPECT_DOUBLE_EQ(At(metrics, "precision_weighted"), 0.5807142857142857);
  EXPECT_DOUBLE_EQ(At(metrics, "recall_weighted"), 0.525);
  EXPECT_DOUBLE_EQ(At(metrics, "f1_weighted"), 0.5427777777777777);
}

TEST(ClassificationMetrics, TablesMatchScikitLearn) {
  const std::vector<std::string> labels{"a", "b", "c", "d", "e", "f", "g"};
  auto scores = Recorded();
  scores.labels = &labels;
  const auto metrics = ClassificationMetrics(scores);
  EXPECT_EQ(boost::json::serialize(metrics.at("confusion_matrix")),
            "[[2,0,0,2,0,0,0],[0,6,1,0,0,1,0],[0,2,4,0,2,1,0],[0,1,2,4,0,1,0],[2,1,2,1,5,0,0],[0,0,0,0,0,0,0],"
            "[0,0,0,0,0,0,0]]");
  const auto& fourth = metrics.at("per_class").as_array().at(4).as_object();
  EXPECT_EQ(fourth.at("label").as_string(), "e");
  EXPECT_DOUBLE_EQ(At(fourth, "precision"), 0.7142857142857143);
  EXPECT_DOUBLE_EQ(At(fourth, "recall"), 0.45454545454545453);
  EXPECT_DOUBLE_EQ(At(fourth, "f1"), 0.5555555555555556);
  EXPECT_EQ(fourth.at("support").as_int64(), 11);
}

TEST(ClassificationMetrics, TopKMatchesScikitLearn) {
  EXPECT_DOUBLE_EQ(TopKAccuracy(Recorded(), 1), 0.525);
  EXPECT_DOUBLE_EQ(TopKAccuracy(Recorded(), 2), 0.775);
  EXPECT_DOUBLE_EQ(TopKAccuracy(Recorded(), 3), 0.85);
}

TEST(ClassificationMetrics, EqualScoresPredictTheFirstClass) {
  const std::vector<int64_t> truth{0, 1};
  const std::vector<float> scores{0.5F, 0.5F, 0.5F, 0.5F};
  EXPECT_DOUBLE_EQ(At(ClassificationMetrics({.truth = truth, .scores = scores, .classes = 2}), "accuracy"), 0.5);
}

TEST(RegressionMetrics, MatchesScikitLearn) {
  const std::vector<double> truth{65.118, 55.557, 49.415, 44.206, 43.65,  66.027,
                                  55.067, 50.676, 46.538, 38.909, 49.331, 58.737};
  const std::vector<double> predicted{63.548, 54.648, 48.531, 44.644, 37.278, 65.085,
                                      51.649, 54.214, 43.456, 41.217, 55.429, 57.483};
  const auto metrics = RegressionMetrics(truth, predicted);
  EXPECT_NEAR(At(metrics, "mse"), 10.294842083333327, 1e-12);
  EXPECT_NEAR(At(metrics, "rmse"), 3.2085576328520773, 1e-12);
  EXPECT_NEAR(At(metrics, "mae"), 2.567749999999999, 1e-12);
  EXPECT_NEAR(At(metrics, "r2"), 0.8423194325708693, 1e-12);
}

TEST(RegressionMetrics, ConstantTruth) {
  EXPECT_DOUBLE_EQ(At(RegressionMetrics(std::vector<double>{2, 2}, std::vector<double>{2, 2}), "r2"), 1);
  EXPECT_DOUBLE_EQ(At(RegressionMetrics(std::vector<double>{2, 2}, std::vector<double>{2, 3}), "r2"), 0);
}

}  // namespace
}  // namespace atelier::learning
