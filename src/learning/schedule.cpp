#include "learning/schedule.h"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace atelier::learning {

double LearningRate(const TrainSettings& settings, int64_t step, int64_t steps_an_epoch) {
  const double rate = settings.learning_rate;
  if (settings.schedule == "step") {
    const int64_t epoch = step / std::max<int64_t>(steps_an_epoch, 1);
    return rate * std::pow(settings.step_factor, static_cast<double>(epoch / settings.step_epochs));
  }
  const int64_t all = settings.epochs * steps_an_epoch;
  const int64_t warmup = std::min(settings.warmup_steps, all);
  if (step < warmup) {
    return rate * static_cast<double>(step + 1) / static_cast<double>(warmup);
  }
  if (settings.schedule == "constant") {
    return rate;
  }
  const double done = static_cast<double>(step - warmup) / static_cast<double>(std::max<int64_t>(all - warmup, 1));
  const double left =
      settings.schedule == "linear" ? 1 - done : 0.5 * (1 + std::cos(std::numbers::pi * std::min(done, 1.0)));
  return rate * (settings.final_rate + (1 - settings.final_rate) * left);
}

}  // namespace atelier::learning
