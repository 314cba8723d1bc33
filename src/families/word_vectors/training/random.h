// Random numbers that are a function of where they are needed, so that any thread can draw them: inner loops.
#pragma once

#include <cstdint>

namespace atelier::families::word_vectors {

// SplitMix64 (G. Steele, D. Lea, C. Flood, "Fast Splittable Pseudorandom Number Generators", OOPSLA 2014).
class PlaceRandom {
 public:
  // A stream for each of a seed and two numbers of a place.
  PlaceRandom(uint64_t seed, uint64_t first, uint64_t second)
      : state_(Mix(Mix(seed ^ Mix(first + kStep)) + second * kStep)) {}

  uint64_t Next() {
    state_ += kStep;
    return Mix(state_);
  }
  // In [0, bound); biased by less than bound / 2^32.
  uint32_t Below(uint32_t bound) { return static_cast<uint32_t>(((Next() >> 32U) * bound) >> 32U); }
  // In [0, 1).
  float Uniform() { return static_cast<float>(Next() >> 40U) * 0x1p-24F; }

 private:
  static constexpr uint64_t kStep = 0x9E3779B97F4A7C15ULL;
  static uint64_t Mix(uint64_t z) {
    z = (z ^ (z >> 30U)) * 0xBF58476D1CE4E5B9ULL;
    z = (z ^ (z >> 27U)) * 0x94D049BB133111EBULL;
    return z ^ (z >> 31U);
  }

  uint64_t state_;
};

}  // namespace atelier::families::word_vectors
