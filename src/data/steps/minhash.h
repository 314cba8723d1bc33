// Texts that share most of their pieces, by MinHash (A. Broder, "On the resemblance and containment of documents",
// 1997) and locality-sensitive hashing over bands of the signature (A. Rajaraman, J. Ullman, "Mining of Massive
// Datasets", chapter 3).
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace atelier::data::steps {

// Signatures of sets of shingles: runs of so many characters, with white space as one space and A-Z as a-z. Differs
// from the paper in its hash family: the upper half of a * x + b modulo 2^64. Thread-safe.
class MinHash {
 public:
  MinHash(size_t permutations, size_t shingle);
  size_t size() const { return factors_.size(); }
  // Empty for a text without anything but white space.
  std::vector<uint32_t> Signature(std::string_view text) const;

 private:
  size_t shingle_;
  std::vector<uint64_t> factors_, terms_;
};

// The share of equal places: an estimate of the Jaccard similarity of the two sets.
double Similarity(const std::vector<uint32_t>& a, const std::vector<uint32_t>& b);

// How a signature is cut so that pairs at the threshold are as likely found as not: the pair with the smallest area of
// false positives (similarity below the threshold) and false negatives (above), with 1 - (1 - s^rows)^bands.
struct Bands {
  size_t bands = 1, rows = 1;
};
Bands ChooseBands(double threshold, size_t permutations);

}  // namespace atelier::data::steps
