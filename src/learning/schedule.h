// The learning rate of a step: a pure function, so that a resumed training takes the same rates.
#pragma once

#include <cstdint>

#include "learning/spec/train_settings.h"

namespace atelier::learning {

// `step` counts from 0 over all epochs. With r the set rate, T all steps, w warmup_steps, f final_rate and
// d = (step - w) / (T - w):
//   constant: r
//   cosine  : r * (f + (1 - f) * (1 + cos(pi * d)) / 2)      (arXiv:1608.03983, one cycle)
//   linear  : r * (f + (1 - f) * (1 - d))
//   step    : r * step_factor^floor(epoch / step_epochs)
// In the first w steps the rate is r * (step + 1) / w instead, but for step.
double LearningRate(const TrainSettings& settings, int64_t step, int64_t steps_an_epoch);

}  // namespace atelier::learning
