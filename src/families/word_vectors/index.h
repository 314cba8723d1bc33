// Words by the nearness of their vectors: exact search over all of them.
#pragma once

#include <span>
#include <string>
#include <vector>

#include "families/word_vectors/table.h"
#include "families/word_vectors/vocabulary.h"

namespace atelier::families::word_vectors {

struct WordVectors {
  Vocabulary vocabulary;
  Table vectors;  // a row a word
};

struct Neighbour {
  int32_t word = 0;
  float similarity = 0;  // cosine
};

struct Query {
  std::vector<float> vector;        // of any length but zero
  std::vector<int32_t> left_out{};  // words that are no answers
  size_t top = 10;
  size_t among = 0;  // the first so many words of the vocabulary alone; 0: all
};

// Thread-safe; a search runs on the caller's thread.
class WordIndex {
 public:
  explicit WordIndex(WordVectors vectors);

  const Vocabulary& vocabulary() const { return vectors_.vocabulary; }
  size_t dimensions() const { return vectors_.vectors.columns(); }
  std::span<const float> Vector(int32_t word) const { return vectors_.vectors.row(static_cast<size_t>(word)); }
  // What the vector must be multiplied with to be of length one; 0 where it is zero.
  float Scale(int32_t word) const { return scales_[static_cast<size_t>(word)]; }
  float Similarity(int32_t a, int32_t b) const;

  // Most similar first, equally similar ones in order of the vocabulary: one list a query.
  std::vector<std::vector<Neighbour>> Nearest(std::span<const Query> queries) const;
  // `a` is to `b` as `c` is to what? T. Mikolov, W. Yih, G. Zweig, "Linguistic Regularities in Continuous Space Word
  // Representations" (NAACL 2013), as 3CosAdd (O. Levy, Y. Goldberg, CoNLL 2014): the words nearest to b - a + c of
  // their directions, these three left out.
  Query Analogy(int32_t a, int32_t b, int32_t c) const;

 private:
  WordVectors vectors_;
  std::vector<float> scales_;
};

}  // namespace atelier::families::word_vectors
