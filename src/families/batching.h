// How examples become batches: pure functions of their arguments, the same on every machine.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::families {

// Examples 0..count-1 in an order drawn from (seed, epoch), cut into batches of `batch_size`; the last may be smaller.
std::vector<std::vector<int64_t>> ShuffledBatches(int64_t count, int64_t batch_size, uint64_t seed, int64_t epoch);

struct Buckets {
  int64_t batch_size = 64;   // examples at most
  int64_t token_budget = 0;  // largest length in a batch times its examples at most; 0: no such bound
};

// Examples of like length together, so that little is padded: sorted by length, equal lengths in an order drawn from
// (seed, epoch), cut, and the batches shuffled. Every epoch has as many batches; an example longer than the budget is a
// batch of its own.
std::vector<std::vector<int64_t>> BucketedBatches(std::span<const int64_t> lengths, const Buckets& buckets,
                                                  uint64_t seed, int64_t epoch);

}  // namespace atelier::families
