#include "base/rng.h"

#include <sys/random.h>

#include <cerrno>
#include <cstdlib>

namespace atelier {

void SystemRng::Fill(std::span<std::byte> out) {
  while (!out.empty()) {
    const ssize_t count = getrandom(out.data(), out.size(), 0);
    if (count < 0) {
      if (errno == EINTR) {
        continue;
      }
      std::abort();
    }
    out = out.subspan(static_cast<size_t>(count));
  }
}

SeededRng::SeededRng(uint64_t seed, uint64_t stream) : increment_((stream << 1U) | 1U) {
  Next();
  state_ += seed;
  Next();
}

uint32_t SeededRng::Next() {
  const uint64_t old = state_;
  state_ = old * 6364136223846793005ULL + increment_;
  const auto shifted = static_cast<uint32_t>(((old >> 18U) ^ old) >> 27U);
  const auto rotation = static_cast<uint32_t>(old >> 59U);
  return (shifted >> rotation) | (shifted << ((32U - rotation) & 31U));
}

uint32_t SeededRng::Below(uint32_t bound) {
  const uint32_t threshold = (0U - bound) % bound;
  while (true) {
    const uint32_t value = Next();
    if (value >= threshold) {
      return value % bound;
    }
  }
}

double SeededRng::Uniform() { return Next() * 0x1.0p-32; }

void SeededRng::Fill(std::span<std::byte> out) {
  for (auto& byte : out) {
    byte = static_cast<std::byte>(Next() >> 24U);
  }
}

}  // namespace atelier
