// Drawing words: negative samples by their frequency, and how often frequent words are left out.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace atelier::families::word_vectors {

// Draws i with the probability weights[i] / sum in constant time: A. Walker, "An Efficient Method for Generating
// Discrete Random Variables with General Distributions", ACM TOMS 3 (1977); the table as M. Vose builds it, "A Linear
// Algorithm for Generating Random Numbers with a Given Distribution", IEEE TSE 17 (1991). Thread-safe.
class AliasTable {
 public:
  // At least one weight; none negative, one positive.
  explicit AliasTable(std::span<const double> weights);

  int32_t Draw(uint64_t random) const {
    const auto cell = static_cast<size_t>(((random >> 32U) * cells_.size()) >> 32U);
    return static_cast<uint32_t>(random) < cells_[cell].own ? static_cast<int32_t>(cell) : cells_[cell].other;
  }

 private:
  struct Cell {
    uint32_t own = 0;  // share of 2^32 that is the cell's own number
    int32_t other = 0;
  };
  std::vector<Cell> cells_;
};

// T. Mikolov et al., "Distributed Representations of Words and Phrases and their Compositionality" (2013): noise is
// drawn with the 3/4th power of the counts.
AliasTable NoiseTable(std::span<const int64_t> counts);

// Of each word, the share of 2^32 of its occurrences that stays. As word2vec computes it (the paper has sqrt(t / f)):
// (sqrt(f / t) + 1) * t / f with f its share of the text and t = sample. A sample of 0 keeps all: 2^32.
std::vector<uint64_t> KeepShares(std::span<const int64_t> counts, double sample);

}  // namespace atelier::families::word_vectors
