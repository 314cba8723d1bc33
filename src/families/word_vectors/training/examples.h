// What word2vec learns from: words in their windows, with noise. Drawn by place, so any thread draws the same.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "families/word_vectors/training/corpus.h"
#include "families/word_vectors/training/noise.h"

namespace atelier::families::word_vectors {

enum class Algorithm { kSkipGram, kCbow };

struct ExampleOptions {
  Algorithm algorithm = Algorithm::kSkipGram;
  int64_t window = 5;    // words on each side at most; each word draws its own from 1 to this
  int64_t negative = 5;  // noise words beside each true one
  double sample = 1e-3;  // frequent words are left out as KeepShares says
  uint64_t seed = 1;
};

// The words of a stretch of the corpus that stay after frequent ones were thinned out.
struct Stretch {
  std::vector<int32_t> words;
  std::vector<size_t> places;      // in the corpus
  std::vector<int32_t> sentences;  // ascending; of the same sentence: the same number
};

// One word's lesson. Skip-gram: the word, and as targets each word of its window followed by its noise. CBOW: the
// window's words, and as targets the word followed by its noise. No contexts: nothing to learn.
struct Example {
  std::span<int32_t> contexts;
  std::span<int32_t> targets;
};

// Thread-safe. Borrows the corpus.
class ExampleSource {
 public:
  ExampleSource(const Corpus& corpus, const ExampleOptions& options);

  size_t max_contexts() const { return skip_gram() ? 1 : 2 * window_; }
  size_t max_targets() const { return (skip_gram() ? 2 * window_ : 1) * group(); }
  size_t group() const { return negative_ + 1; }  // targets that belong together: a true one, then its noise

  // The corpus from `begin` to `end`, which are at ends of sentences.
  void Thin(size_t begin, size_t end, uint64_t epoch, Stretch& stretch) const;
  // The example of the stretch's word `at`, into arrays of at least max_contexts() and max_targets().
  Example Draw(const Stretch& stretch, size_t at, uint64_t epoch, int32_t* contexts, int32_t* targets) const;

 private:
  bool skip_gram() const { return options_.algorithm == Algorithm::kSkipGram; }

  const Corpus& corpus_;
  ExampleOptions options_;
  size_t window_;
  size_t negative_;
  AliasTable noise_;
  std::vector<uint64_t> keep_;
};

}  // namespace atelier::families::word_vectors
