// GloVe: J. Pennington, R. Socher, C. Manning, "GloVe: Global Vectors for Word Representation" (EMNLP 2014). Minimises
//   sum over pairs of f(X) * (w . c + b + d - log X)^2,   f(X) = min(1, (X / x_max)^alpha)
// over the counts X of words near each other, with AdaGrad; the vectors are w + c. The factor 2 of the gradient is left
// out and the sums of squares hold the steps, rate and all, beginning at 1, as the authors' program does it.
//
// The pairs are laid on a grid of kGrid by kGrid cells, by word and by context. The cells of a diagonal share no row,
// so threads work on them at once and the result is that of one thread.
#pragma once

#include <memory>

#include "families/word_vectors/training/cooccurrence.h"
#include "families/word_vectors/training/run.h"

namespace atelier::families::word_vectors {

struct GloveOptions {
  int64_t dimensions = 100;
  double learning_rate = 0.05;
  double x_max = 100;
  double alpha = 0.75;
  uint64_t seed = 1;
  int threads = 1;
};

// `words`: of the vocabulary; the pairs' numbers must be below it.
std::unique_ptr<Run> MakeGloveRun(std::vector<Pair> pairs, size_t words, const GloveOptions& options);

}  // namespace atelier::families::word_vectors
