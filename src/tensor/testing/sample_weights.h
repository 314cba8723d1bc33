// Weights as models have them, the same on every machine: bell-shaped, rows of different sizes, some outliers.
#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace atelier::tensor::testing {

inline std::vector<float> SampleWeights(size_t count) {
  std::vector<float> weights(count);
  uint64_t state = 1;
  const auto uniform = [&] {  // Knuth's MMIX generator, its upper bits
    state = state * 6364136223846793005U + 1442695040888963407U;
    return static_cast<float>(state >> 40) * 0x1p-24F;
  };
  for (size_t i = 0; i < count; ++i) {
    const float bell = uniform() + uniform() + uniform() + uniform() - 2;
    const float row = 0.01F * static_cast<float>(1 + i / 1024 % 7);
    weights[i] = bell * row * (i % 97 == 0 ? 4.0F : 1.0F);
  }
  return weights;
}

}  // namespace atelier::tensor::testing
