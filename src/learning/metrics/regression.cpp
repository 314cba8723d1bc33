#include <algorithm>
#include <cmath>

#include "learning/metrics/metrics.h"

namespace atelier::learning {
namespace {

double Mean(const std::vector<double>& values) {
  double mean = 0;
  for (const double value : values) {
    mean += value / static_cast<double>(values.size());
  }
  return mean;
}

double SumOfSquares(const std::vector<double>& values, double around) {
  double sum = 0;
  for (const double value : values) {
    sum += (value - around) * (value - around);
  }
  return sum;
}

double Median(std::vector<double> values) {
  if (values.empty()) {
    return 0;
  }
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  return values.size() % 2 == 1 ? *middle : (*middle + *std::max_element(values.begin(), middle)) / 2;
}

// 1 - left / total, with the convention for a constant truth.
double Explained(double left, double total) { return total > 0 ? 1 - left / total : (left == 0 ? 1 : 0); }

}  // namespace

boost::json::object RegressionMetrics(std::span<const double> truth, std::span<const double> predicted) {
  const auto count = static_cast<double>(std::max<size_t>(truth.size(), 1));
  std::vector<double> errors;
  std::vector<double> distances;
  double relative = 0;
  double symmetric = 0;
  bool zero = false;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double error = truth[i] - predicted[i];
    errors.push_back(error);
    distances.push_back(std::abs(error));
    zero = zero || truth[i] == 0;
    relative += truth[i] == 0 ? 0 : std::abs(error / truth[i]);
    const double sum = std::abs(truth[i]) + std::abs(predicted[i]);
    symmetric += sum > 0 ? 2 * std::abs(error) / sum : 0;
  }
  const std::vector<double> values(truth.begin(), truth.end());
  const double squares = SumOfSquares(errors, 0);
  const double total = SumOfSquares(values, Mean(values));
  boost::json::object metrics{
      {"mse", squares / count},          {"rmse", std::sqrt(squares / count)},
      {"mae", Mean(distances)},          {"median_absolute_error", Median(distances)},
      {"r2", Explained(squares, total)}, {"explained_variance", Explained(SumOfSquares(errors, Mean(errors)), total)},
      {"smape", symmetric / count}};
  if (!zero && !truth.empty()) {
    metrics["mape"] = relative / count;
  }
  return metrics;
}

std::optional<double> Mase(std::span<const double> truth, std::span<const double> predicted,
                           std::span<const double> history, size_t season) {
  if (truth.empty() || season == 0 || history.size() <= season) {
    return std::nullopt;
  }
  double naive = 0;
  for (size_t i = season; i < history.size(); ++i) {
    naive += std::abs(history[i] - history[i - season]);
  }
  double error = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    error += std::abs(truth[i] - predicted[i]);
  }
  if (naive == 0) {
    return std::nullopt;
  }
  naive /= static_cast<double>(history.size() - season);
  return error / static_cast<double>(truth.size()) / naive;
}

}  // namespace atelier::learning
