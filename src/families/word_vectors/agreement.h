// How well vectors agree with people: similarity of pairs of words, and analogies.
#pragma once

#include <array>
#include <map>
#include <span>
#include <string>
#include <vector>

#include "families/word_vectors/index.h"

namespace atelier::families::word_vectors {

struct ScoredPair {
  std::string first;
  std::string second;
  double score = 0;  // people's
};

struct PairAgreement {
  double spearman = 0;  // NaN where it is not defined: fewer than two pairs, or all of one rank
  double pearson = 0;
  int64_t pairs = 0;    // both words have a vector
  int64_t unknown = 0;  // the others, which are left out
};

// Words are looked up as FindWord does.
PairAgreement CompareSimilarities(const WordIndex& index, std::span<const ScoredPair> pairs);

struct AnalogyQuestion {
  std::array<std::string, 4> words;  // the first is to the second as the third is to the fourth
  std::string section{};
};

struct AnalogyAccuracy {
  int64_t correct = 0;  // the fourth word is the nearest
  int64_t asked = 0;    // all four have a vector
  int64_t unknown = 0;  // the others, which are left out
};

// By section, with the total under "". `among`: answers are the first so many words of the vocabulary; 0: all.
std::map<std::string, AnalogyAccuracy> AnswerAnalogies(const WordIndex& index,
                                                       std::span<const AnalogyQuestion> questions, size_t among);

// Ranks from 1; equal values share the mean of theirs.
std::vector<double> Ranks(std::span<const double> values);
// Pearson's r; NaN where it is not defined.
double Correlation(std::span<const double> a, std::span<const double> b);

}  // namespace atelier::families::word_vectors
