// word2vec: T. Mikolov, K. Chen, G. Corrado, J. Dean, "Efficient Estimation of Word Representations in Vector Space"
// (arXiv:1301.3781) and T. Mikolov, I. Sutskever, K. Chen, G. Corrado, J. Dean, "Distributed Representations of Words
// and Phrases and their Compositionality" (arXiv:1310.4546): skip-gram and CBOW with negative sampling.
//
// For a true target (label 1) and its noise (label 0), with x the input and o a target's output row:
//   g = rate * (label - sigmoid(x . o));   o += g * x;   each of x's rows += sum of g * o
// Skip-gram's input is the word itself, the targets are its window; CBOW's is the mean of its window, the target is
// the word. The rate falls linearly with the words seen. Noise that is the true word does not count.
//
// Where we differ: the g of BatchWords words are computed from the rows as they were before these words, and only then
// are the rows changed, word by word. That lets threads share the work without changing its result: the g by words, the
// rows by columns.
#pragma once

#include <algorithm>
#include <memory>

#include "families/word_vectors/training/examples.h"
#include "families/word_vectors/training/run.h"

namespace atelier::families::word_vectors {

struct Word2vecOptions {
  ExampleOptions examples{};
  int64_t dimensions = 100;
  int64_t epochs = 5;
  double learning_rate = 0.025;
  double min_learning_rate = 1e-4;
  int threads = 1;
};

// Few enough that a row is seldom changed often in one batch, many enough that threads seldom wait for each other.
inline size_t BatchWords(size_t vocabulary) { return std::clamp(vocabulary / 64, size_t{16}, size_t{256}); }

// Borrows the corpus.
std::unique_ptr<Run> MakeWord2vecRun(const Corpus& corpus, const Word2vecOptions& options);

}  // namespace atelier::families::word_vectors
