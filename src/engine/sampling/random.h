// The sampler's random numbers: a pure function of seed and step, so that a token's number does not depend on what
// was drawn before it or for whom.
#pragma once

#include <array>
#include <cstdint>

namespace atelier::engine {

// Philox4x32-10 (J. Salmon et al., "Parallel Random Numbers: As Easy as 1, 2, 3", SC11): ten rounds over `counter`.
std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key);

// The number of step `step` under `seed`, uniform in [0, 1) with 53 random bits.
double UniformAt(uint64_t seed, uint64_t step);

// The seed of choice number `choice` (from 0) of a request with n > 1: `seed` itself for the first, so that n = 1 and
// the first choice of n = 4 agree; a hash of both for the others.
uint64_t ChoiceSeed(uint64_t seed, uint32_t choice);

}  // namespace atelier::engine
