// One vector for a text out of the vectors of its tokens.
#pragma once

#include <cstddef>
#include <span>

#include "engine/model_config.h"
#include "engine/step.h"

namespace atelier::engine {

// Pools all rows of an item into `to`, [width], not normalised; Pooling::kNone is taken for kLast, kRank for kFirst.
// The item has rows.
void Pool(Pooling pooling, StepOutput& output, size_t item, std::span<float> to);

// Scales to Euclidean length one; zeros stay zeros.
void NormaliseLength(std::span<float> vector);

}  // namespace atelier::engine
