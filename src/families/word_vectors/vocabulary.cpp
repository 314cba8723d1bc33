#include "families/word_vectors/vocabulary.h"

#include "families/word_vectors/words.h"

namespace atelier::families::word_vectors {
namespace {

Error Invalid(const std::string& message) { return InvalidArgument(message, "", "invalid_model_file"); }

}  // namespace

Result<Vocabulary> Vocabulary::Make(std::vector<std::string> words, std::vector<int64_t> counts) {
  if (words.empty() || words.size() > kMaxWords) {
    return Invalid("a vocabulary has 1 to " + std::to_string(kMaxWords) + " words");
  }
  if (counts.size() != words.size()) {
    return Invalid("the vocabulary has other counts than words");
  }
  Vocabulary vocabulary;
  vocabulary.ids_.reserve(words.size());
  for (size_t i = 0; i < words.size(); ++i) {
    if (words[i].empty()) {
      return Invalid("word " + std::to_string(i) + " of the vocabulary is empty");
    }
    if (!vocabulary.ids_.emplace(words[i], static_cast<int32_t>(i)).second) {
      return Invalid("the word '" + words[i].substr(0, 64) + "' is in the vocabulary twice");
    }
  }
  vocabulary.words_ = std::move(words);
  vocabulary.counts_ = std::move(counts);
  return vocabulary;
}

std::optional<int32_t> Vocabulary::Find(std::string_view word) const {
  const auto found = ids_.find(word);
  return found == ids_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<int32_t> FindWord(const Vocabulary& vocabulary, std::string_view word) {
  const auto found = vocabulary.Find(word);
  return found.has_value() || word.size() > kMaxWordBytes ? found : vocabulary.Find(LowerCase(word));
}

}  // namespace atelier::families::word_vectors
