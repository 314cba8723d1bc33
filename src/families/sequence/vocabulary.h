// Which words a model knows, and texts as their numbers. Learnt from training rows; vocabulary.json of the model.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "families/sequence/words.h"

namespace atelier::families {

inline constexpr const char* kVocabularyFile = "vocabulary.json";
// Ids of a token that is to be tagged: the word, its shape, its first and its last three characters.
inline constexpr int64_t kTokenFeatures = 4;

struct VocabularyOptions {
  Cut cut = Cut::kAuto;
  bool lowercase = true;
  int64_t max_length = 256;  // tokens that are read
  int64_t ngrams = 1;        // above 1: also runs of up to so many tokens, as ids of their own
  bool features = false;     // kTokenFeatures ids a token
  int64_t min_count = 1;
  int64_t size = 50000;  // at most, besides the special ones
};

// Immutable and thread-safe. Id 0 pads; ids 1 .. are what an unknown word (shape, prefix, suffix) becomes.
class Vocabulary {
 public:
  // Counts tokens text by text, then Make.
  class Learner {
   public:
    explicit Learner(const VocabularyOptions& options) : options_(options) {}
    void Add(std::span<const std::string> tokens);
    // The most frequent; of equal ones the first in byte order.
    Result<Vocabulary> Make() &&;

   private:
    VocabularyOptions options_;
    std::unordered_map<std::string, int64_t> counts_;
  };

  Vocabulary(Vocabulary&&) = default;
  Vocabulary& operator=(Vocabulary&&) = default;
  static Result<Vocabulary> FromJson(const boost::json::object& options, const boost::json::object& words);
  boost::json::object OptionsJson() const;
  boost::json::object WordsJson() const;

  const VocabularyOptions& options() const { return options_; }
  int64_t size() const { return static_cast<int64_t>(words_.size()); }  // pad and unknown ones too
  std::vector<std::string> Tokens(std::string_view text) const;
  // Never empty: a text without tokens is one unknown word, but without n-grams that are unknown.
  std::vector<int32_t> Ids(std::span<const std::string> tokens) const;

 private:
  Vocabulary() = default;
  Status Index();

  VocabularyOptions options_;
  std::shared_ptr<const WordCutter> cutter_;
  std::vector<std::string> words_;
  std::unordered_map<std::string_view, int32_t> ids_;  // views of words_
};

}  // namespace atelier::families
