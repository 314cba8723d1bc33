// The scale (and offset) with which integer levels come nearest to some weights: alternating least squares from a grid
// of starts. For fixed levels l the best scale is sum(w x l) / sum(w l l), and scale and offset together solve the two
// normal equations of the weighted regression of x on l; for a fixed scale the best levels are the nearest ones (Lloyd,
// "Least squares quantization in PCM", 1982). The errors of all starts are compared; w are the importances.
#pragma once

#include <cstdint>
#include <span>

namespace atelier::tensor {

struct LevelRange {
  int lowest;
  int highest;
};

struct Line {  // x is about scale * level + offset
  float scale = 0;
  float offset = 0;
};

// The nearest integer of the range, ties to even; a NaN must not come.
int NearestLevel(float value, LevelRange range);

// x ~ scale * level. 0 if all weights are. The sign of the scale is free. `weights` and `importances` are finite and
// have one length, a multiple of 8; importances are not negative.
float FitScale(std::span<const float> weights, std::span<const float> importances, LevelRange range);

// x ~ scale * level + offset, level of 0 to `highest`, scale >= 0 and offset <= 0.
Line FitLine(std::span<const float> weights, std::span<const float> importances, int highest);

// x ~ scale * kIq4Values[level]. 0 if all weights are.
float FitIq4(std::span<const float> weights, std::span<const float> importances);

// The index of the nearest of kIq4Values; a NaN must not come.
uint8_t NearestIq4(float value);

}  // namespace atelier::tensor
