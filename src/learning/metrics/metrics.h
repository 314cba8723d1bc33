// Measures of predictions. Defined as scikit-learn 1.2 defines them, and tested against its recorded output.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
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
//  "balanced_accuracy","mcc","cohen_kappa","per_class":[{"label","precision","recall","f1","support"}],"confusion_matrix":[[...]]
//  (row: truth, column: predicted)}.
// Averages run over the classes that occur in truth or predictions; an undefined ratio counts as 0. Of equal scores the
// first class is predicted. top_5 (where there are more than 5 classes) counts a row whose true class has fewer than 5
// classes before it (higher score, or equal score and lower index). The two tables are left out above 200 classes.
boost::json::object ClassificationMetrics(const ClassScores& scores);

// Share of rows whose true class is among the k best.
double TopKAccuracy(const ClassScores& scores, int64_t k);

// {"mse","rmse","mae","median_absolute_error","r2","explained_variance","mape","smape"}.
// R2 = 1 - sum (y - p)^2 / sum (y - mean y)^2, explained variance = 1 - Var(y - p) / Var(y); where y is constant: 1 if
// nothing is left unexplained, else 0. mape = mean |y - p| / |y| is left out where a y is 0. smape = mean
// 2 |y - p| / (|y| + |p|), from 0 to 2 (0 where both are 0). Both are shares, not per cent.
boost::json::object RegressionMetrics(std::span<const double> truth, std::span<const double> predicted);

// The mean absolute scaled error of a forecast (R. Hyndman, A. Koehler, "Another look at measures of forecast
// accuracy", 2006): its mean absolute error, divided by that of repeating the value `season` steps before, over the
// series that was trained on. Below 1: better than that. Nothing where `history` is not longer than the season, or
// repeats itself.
std::optional<double> Mase(std::span<const double> truth, std::span<const double> predicted,
                           std::span<const double> history, size_t season);

// Whether a smaller value of a metric of this name is the better one: losses, errors and error rates.
bool LowerIsBetter(std::string_view metric);

}  // namespace atelier::learning
