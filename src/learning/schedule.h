// The learning rate of a step: a pure function, so that a resumed training takes the same rates.
#pragma once

#include <cstdint>

#include "learning/spec/train_settings.h"

namespace atelier::learning {

// `step` counts from 0 over all epochs. With r the set rate and T all steps:
//   constant: r                       cosine: r * (1 + cos(pi * (step - w) / (T - w))) / 2   (arXiv:1608.03983, one
//   cycle) step    : r * step_factor^floor(epoch / step_epochs)
// In the first w = warmup_steps steps the rate is r * (step + 1) / w instead, for constant and cosine.
double LearningRate(const TrainSettings& settings, int64_t step, int64_t steps_an_epoch);

}  // namespace atelier::learning
