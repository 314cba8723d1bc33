// Part-of-speech tags by a greedy averaged perceptron: M. Collins, "Discriminative Training Methods for Hidden Markov
// Models", EMNLP 2002, with the features of M. Honnibal's tagger (2013), which NLTK's PerceptronTagger has, too: words,
// prefixes and suffixes around a word, and the two tags before it. Words with one tag only come from a dictionary.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::text::language {

inline constexpr std::string_view kTaggerFile = "tagger.json";  // of a model version that is a tagger
inline constexpr std::string_view kTaggerFamily = "tagger";

struct TaggedWord {
  std::string word;
  std::string tag;
};
using TaggedSentence = std::vector<TaggedWord>;

// A map that is asked with string_view.
struct StringHash {
  using is_transparent = void;
  size_t operator()(std::string_view text) const { return std::hash<std::string_view>()(text); }
};
template <class Value>
using StringMap = std::unordered_map<std::string, Value, StringHash, std::equal_to<>>;

// Immutable, thread-safe.
class Tagger {
 public:
  std::vector<std::string> Tags(const std::vector<std::string>& words) const;
  const std::vector<std::string>& tag_set() const { return tags_; }

  // {"format": "atelier-tagger-1", "tags": [...], "words": {word: tag}, "weights": {feature: {tag: weight}}}; the parts
  // are those of NLTK's files.
  json::object ToJson() const;
  // Errors: kInvalidArgument "invalid_tagger".
  static Result<Tagger> FromJson(const json::object& object);

 private:
  friend class TaggerTrainer;
  struct Weight {
    uint16_t tag;
    float value;
  };
  std::vector<std::string> tags_;  // ascending
  StringMap<uint16_t> words_;
  StringMap<std::vector<Weight>> weights_;
};

struct TaggerTraining {
  int passes = 5;
  uint64_t seed = 1;
  std::function<bool(int pass, double accuracy)> progress{};  // false stops
};

// Errors: kInvalidArgument where there are no sentences, or more than 4096 tags; kCancelled.
Result<Tagger> TrainTagger(std::vector<TaggedSentence> sentences, const TaggerTraining& options = {});

// Sentences of lines "word tag ...", set apart by empty lines (CoNLL-2000), or of lines of word/TAG words (Brown). Tags
// stand in the column `column`, from 1 on. Errors: kInvalidArgument, naming the line.
Result<std::vector<TaggedSentence>> ParseTagged(std::string_view text, size_t column = 1);

}  // namespace atelier::text::language
