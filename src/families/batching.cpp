#include "families/batching.h"

#include <algorithm>
#include <numeric>

#include "base/rng.h"

namespace atelier::families {
namespace {

constexpr uint64_t kShuffleStream = 0x5EED;
constexpr uint64_t kBatchStream = 0xBA7C;

SeededRng EpochRng(uint64_t seed, int64_t epoch, uint64_t stream) {
  return SeededRng(seed + static_cast<uint64_t>(epoch) * 0x9E3779B97F4A7C15ULL, stream);
}

std::vector<int64_t> Permutation(int64_t count, uint64_t seed, int64_t epoch) {
  std::vector<int64_t> order(static_cast<size_t>(count));
  std::iota(order.begin(), order.end(), int64_t{0});
  EpochRng(seed, epoch, kShuffleStream).Shuffle(order);
  return order;
}

}  // namespace

std::vector<std::vector<int64_t>> ShuffledBatches(int64_t count, int64_t batch_size, uint64_t seed, int64_t epoch) {
  const auto order = Permutation(count, seed, epoch);
  std::vector<std::vector<int64_t>> batches;
  for (int64_t first = 0; first < count; first += batch_size) {
    batches.emplace_back(order.begin() + first, order.begin() + std::min(count, first + batch_size));
  }
  return batches;
}

std::vector<std::vector<int64_t>> BucketedBatches(std::span<const int64_t> lengths, const Buckets& buckets,
                                                  uint64_t seed, int64_t epoch) {
  auto order = Permutation(static_cast<int64_t>(lengths.size()), seed, epoch);
  const auto length_of = [&](int64_t example) { return lengths[static_cast<size_t>(example)]; };
  std::ranges::stable_sort(order, {}, length_of);
  std::vector<std::vector<int64_t>> batches;
  for (const int64_t example : order) {
    // Lengths rise, so the newest is the longest of its batch.
    const bool full =
        batches.empty() || std::ssize(batches.back()) >= buckets.batch_size ||
        (buckets.token_budget > 0 && length_of(example) * (std::ssize(batches.back()) + 1) > buckets.token_budget);
    if (full) {
      batches.emplace_back();
    }
    batches.back().push_back(example);
  }
  EpochRng(seed, epoch, kBatchStream).Shuffle(batches);
  return batches;
}

}  // namespace atelier::families
