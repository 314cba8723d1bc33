// The words that have a vector.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"

namespace atelier::families::word_vectors {

inline constexpr size_t kMaxWords = 10'000'000;

struct WordHash {
  using is_transparent = void;
  size_t operator()(std::string_view word) const { return std::hash<std::string_view>()(word); }
};
using WordIds = std::unordered_map<std::string, int32_t, WordHash, std::equal_to<>>;

// Words and how often each occurred in the training text; a word's number is its row. Thread-safe for reading.
class Vocabulary {
 public:
  Vocabulary() = default;
  // Takes the words as they are ordered. Errors: kInvalidArgument "invalid_model_file" (none or too many words, one
  // that is empty or occurs twice, another number of counts).
  static Result<Vocabulary> Make(std::vector<std::string> words, std::vector<int64_t> counts);

  size_t size() const { return words_.size(); }
  const std::vector<std::string>& words() const { return words_; }
  const std::vector<int64_t>& counts() const { return counts_; }
  std::optional<int32_t> Find(std::string_view word) const;

 private:
  std::vector<std::string> words_;
  std::vector<int64_t> counts_;
  WordIds ids_;
};

// The word as it is, or else in lower case.
std::optional<int32_t> FindWord(const Vocabulary& vocabulary, std::string_view word);

}  // namespace atelier::families::word_vectors
