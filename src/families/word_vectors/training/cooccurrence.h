// How often words stand near each other.
#pragma once

#include <cstdint>
#include <vector>

#include "families/word_vectors/training/corpus.h"

namespace atelier::families::word_vectors {

struct Pair {
  int32_t word = 0;
  int32_t context = 0;
  float count = 0;  // each time they are d words apart counts 1 / d
};

struct PairOptions {
  int64_t window = 10;            // words on each side, within the sentence
  int64_t max_pairs = 100000000;  // 28 bytes each
  int threads = 1;
};

// All pairs that occur, both ways round, by word and then by context; the same whatever the threads. Errors:
// kResourceExhausted "too_many_pairs", naming the settings that lower their number.
Result<std::vector<Pair>> CountPairs(const Corpus& corpus, const PairOptions& options);

}  // namespace atelier::families::word_vectors
