#include <algorithm>
#include <cmath>

#include "learning/metrics/metrics.h"

namespace atelier::learning {

boost::json::object RegressionMetrics(std::span<const double> truth, std::span<const double> predicted) {
  const auto count = static_cast<double>(std::max<size_t>(truth.size(), 1));
  double mean = 0;
  for (const double value : truth) {
    mean += value / count;
  }
  double squares = 0;
  double absolute = 0;
  double total = 0;
  for (size_t i = 0; i < truth.size(); ++i) {
    const double error = truth[i] - predicted[i];
    squares += error * error;
    absolute += std::abs(error);
    total += (truth[i] - mean) * (truth[i] - mean);
  }
  const double r2 = total > 0 ? 1.0 - squares / total : (squares == 0 ? 1.0 : 0.0);
  return {{"mse", squares / count}, {"rmse", std::sqrt(squares / count)}, {"mae", absolute / count}, {"r2", r2}};
}

}  // namespace atelier::learning
