// Measures of predictions. Defined as scikit-learn 1.2 defines them, and tested against its recorded output.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace atelier::learning {

// Predictions of a classifier, row-major.
struct ClassScores {
  std::span<const int64_t> truth{};  // [rows], each in [0, classes)
  std::span<const float> scores;     // [rows, classes]; any order-preserving score: logits or probabilities
  int64_t classes = 0;
  const std::vector<std::string>* labels = nullptr;  // names for the report; may be null
};

// {"accuracy","top_5_accuracy","precision_macro","precision_micro","precision_weighted","recall_...","f1_...",
//  "per_class":[{"label","precision","recall","f1","support"}],"confusion_matrix":[[...]] (row: truth, column:
//  predicted)}.
// Averages run over the classes that occur in truth or predictions; an undefined ratio counts as 0. Of equal scores the
// first class is predicted. top_5 (where there are more than 5 classes) counts a row whose true class has fewer than 5
// classes before it (higher score, or equal score and lower index). The two tables are left out above 200 classes.
boost::json::object ClassificationMetrics(const ClassScores& scores);

// Share of rows whose true class is among the k best.
double TopKAccuracy(const ClassScores& scores, int64_t k);

// {"mse","rmse","mae","r2"}. R2 = 1 - sum (y - p)^2 / sum (y - mean y)^2; where y is constant: 1 if p equals it, else
// 0.
boost::json::object RegressionMetrics(std::span<const double> truth, std::span<const double> predicted);

}  // namespace atelier::learning
