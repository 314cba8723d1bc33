#include "families/word_vectors/training/examples.h"

#include <algorithm>

#include "families/word_vectors/training/random.h"

namespace atelier::families::word_vectors {
namespace {

// Streams of random numbers: an epoch has one for each of its two uses.
uint64_t ThinningStream(uint64_t epoch) { return 2 * epoch; }
uint64_t DrawingStream(uint64_t epoch) { return 2 * epoch + 1; }

}  // namespace

ExampleSource::ExampleSource(const Corpus& corpus, const ExampleOptions& options)
    : corpus_(corpus),
      options_(options),
      window_(static_cast<size_t>(options.window)),
      negative_(static_cast<size_t>(options.negative)),
      noise_(NoiseTable(corpus.vocabulary.counts())),
      keep_(KeepShares(corpus.vocabulary.counts(), options.sample)) {}

void ExampleSource::Thin(size_t begin, size_t end, uint64_t epoch, Stretch& stretch) const {
  stretch.words.clear();
  stretch.places.clear();
  stretch.sentences.clear();
  int32_t sentence = 0;
  PlaceRandom random(options_.seed, ThinningStream(epoch), begin);
  for (size_t place = begin; place < end; ++place) {
    const int32_t word = corpus_.words[place];
    if (word == kSentenceEnd) {
      ++sentence;
    } else if ((random.Next() >> 32U) < keep_[static_cast<size_t>(word)]) {
      stretch.words.push_back(word);
      stretch.places.push_back(place);
      stretch.sentences.push_back(sentence);
    }
  }
}

Example ExampleSource::Draw(const Stretch& stretch, size_t at, uint64_t epoch, int32_t* contexts,
                            int32_t* targets) const {
  PlaceRandom random(options_.seed, DrawingStream(epoch), stretch.places[at]);
  const size_t reach = 1 + random.Below(static_cast<uint32_t>(window_));
  const size_t first = at - std::min(at, reach);
  const size_t last = std::min(at + reach, stretch.words.size() - 1);
  const int32_t word = stretch.words[at];
  size_t context_count = 0;
  size_t target_count = 0;
  const auto add_target = [&](int32_t target) {
    targets[target_count++] = target;
    for (size_t i = 0; i < negative_; ++i) {
      targets[target_count++] = noise_.Draw(random.Next());
    }
  };
  for (size_t i = first; i <= last; ++i) {
    if (i == at || stretch.sentences[i] != stretch.sentences[at]) {
      continue;
    }
    if (skip_gram()) {
      add_target(stretch.words[i]);
    } else {
      contexts[context_count++] = stretch.words[i];
    }
  }
  if (skip_gram() && target_count > 0) {
    contexts[context_count++] = word;
  } else if (context_count > 0) {
    add_target(word);
  }
  return {{contexts, context_count}, {targets, target_count}};
}

}  // namespace atelier::families::word_vectors
