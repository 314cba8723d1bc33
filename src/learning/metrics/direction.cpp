#include <algorithm>
#include <array>

#include "learning/metrics/metrics.h"

namespace atelier::learning {

bool LowerIsBetter(std::string_view metric) {
  static constexpr std::array<std::string_view, 16> kLower{"loss",
                                                           "log_loss",
                                                           "brier",
                                                           "calibration_error",
                                                           "mse",
                                                           "rmse",
                                                           "mae",
                                                           "median_absolute_error",
                                                           "mape",
                                                           "smape",
                                                           "mase",
                                                           "perplexity",
                                                           "cer",
                                                           "wer",
                                                           "validation_loss",
                                                           "bits_per_character"};
  return std::ranges::find(kLower, metric) != kLower.end();
}

}  // namespace atelier::learning
