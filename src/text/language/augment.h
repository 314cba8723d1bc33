// Variants of a text for training: J. Wei, K. Zou, "EDA: Easy Data Augmentation Techniques", EMNLP 2019. Synonyms come
// from WordNet (English), words may be deleted, and neighbouring words may change places.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/rng.h"
#include "text/language/segmenter.h"
#include "text/language/stop_words.h"
#include "text/language/word_net.h"

namespace atelier::text::language {

// Shares of the words, each from 0 to 1.
struct AugmentOptions {
  double synonyms = 0.1;  // replaced; stop words and words without synonyms are not
  double deletion = 0.1;  // left out; at least one word stays
  double swaps = 0.1;     // change places with the next
};

// Immutable but for the generator that is given. Borrows all it is made from; `net` may be null where options.synonyms
// is 0.
class Augmenter {
 public:
  // `spaces`: words are set apart by spaces in this language (not in Chinese).
  Augmenter(const Segmenter& segmenter, bool spaces, const WordNet* net, const StopWords& stop_words)
      : segmenter_(segmenter), spaces_(spaces), net_(net), stop_words_(stop_words) {}

  // The same text, options and state of the generator give the same variant. Errors: those of Segmenter::Words.
  Result<std::string> Variant(std::string_view text, const AugmentOptions& options, SeededRng& rng) const;

 private:
  Result<std::vector<std::string>> Words(std::string_view text) const;
  std::string Synonym(const std::string& word, SeededRng& rng) const;

  const Segmenter& segmenter_;
  bool spaces_;
  const WordNet* net_;
  const StopWords& stop_words_;
};

}  // namespace atelier::text::language
