// Randomness behind an interface: the system's for secrets and ids, a seeded one for everything that must repeat.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

namespace atelier {

class Rng {
 public:
  virtual ~Rng() = default;
  virtual void Fill(std::span<std::byte> out) = 0;
};

// The operating system's random source (getrandom). Thread-safe; aborts if the kernel has none.
class SystemRng final : public Rng {
 public:
  void Fill(std::span<std::byte> out) override;
};

// PCG-XSH-RR 64/32 (M. O'Neill, "PCG: A Family of Simple Fast Space-Efficient Statistically Good Algorithms for
// Random Number Generation", HMC-CS-2014-0905). The same seed gives the same numbers on every machine and release.
// Not thread-safe; not for secrets.
class SeededRng final : public Rng {
 public:
  explicit SeededRng(uint64_t seed, uint64_t stream = 0);
  void Fill(std::span<std::byte> out) override;
  uint32_t Next();
  // Uniform in [0, bound), without modulo bias; bound must be positive.
  uint32_t Below(uint32_t bound);
  // Uniform in [0, 1).
  double Uniform();

  // Fisher-Yates, in place. At most 2^32 - 1 elements.
  template <class T>
  void Shuffle(std::vector<T>& items) {
    for (size_t i = items.size(); i > 1; --i) {
      std::swap(items[i - 1], items[Below(static_cast<uint32_t>(i))]);
    }
  }

 private:
  uint64_t state_ = 0;
  uint64_t increment_;
};

}  // namespace atelier
