#include "engine/sampling/random.h"

namespace atelier::engine {
namespace {

// The last counter word tells the uses apart.
constexpr uint32_t kDraw = 0;
constexpr uint32_t kChoice = 1;

uint32_t Low(uint64_t value) { return static_cast<uint32_t>(value); }
uint32_t High(uint64_t value) { return static_cast<uint32_t>(value >> 32U); }

}  // namespace

std::array<uint32_t, 4> Philox(std::array<uint32_t, 4> counter, std::array<uint32_t, 2> key) {
  for (int round = 0; round < 10; ++round) {
    const uint64_t first = uint64_t{0xD2511F53U} * counter[0];
    const uint64_t second = uint64_t{0xCD9E8D57U} * counter[2];
    counter = {High(second) ^ counter[1] ^ key[0], Low(second), High(first) ^ counter[3] ^ key[1], Low(first)};
    key[0] += 0x9E3779B9U;
    key[1] += 0xBB67AE85U;
  }
  return counter;
}

double UniformAt(uint64_t seed, uint64_t step) {
  const auto words = Philox({Low(step), High(step), 0, kDraw}, {Low(seed), High(seed)});
  const uint64_t bits = (uint64_t{words[0]} << 32U) | words[1];
  return static_cast<double>(bits >> 11U) * 0x1.0p-53;
}

uint64_t ChoiceSeed(uint64_t seed, uint32_t choice) {
  if (choice == 0) {
    return seed;
  }
  const auto words = Philox({choice, 0, 0, kChoice}, {Low(seed), High(seed)});
  return (uint64_t{words[0]} << 32U) | words[1];
}

}  // namespace atelier::engine
