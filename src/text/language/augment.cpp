#include "text/language/augment.h"

#include <algorithm>

#include "text/language/characters.h"
#include "text/utf8.h"

namespace atelier::text::language {
namespace {

constexpr size_t kMaxSynonyms = 20;

// Where the letters of a word begin and end: "(dogs," is "dogs".
Span CoreOf(std::string_view word) {
  Span core{word.size(), 0};
  for (size_t at = 0; at < word.size();) {
    const Utf8Step step = ReadUtf8(word, at);
    if (IsWordCharacter(step.value)) {
      core.begin = std::min(core.begin, at);
      core.end = at + step.length;
    }
    at += step.length;
  }
  return core.begin < core.end ? core : Span{};
}

bool IsWord(std::string_view word) { return CoreOf(word).end > 0; }

}  // namespace

Result<std::vector<std::string>> Augmenter::Words(std::string_view text) const {
  if (!spaces_) {
    return segmenter_.Words(text);
  }
  const auto words = SplitSpace(text);  // punctuation stays with its word
  return std::vector<std::string>(words.begin(), words.end());
}

std::string Augmenter::Synonym(const std::string& word, SeededRng& rng) const {
  const Span core = CoreOf(word);
  const std::string lower = Lower(core.In(word));
  if (core.end == 0 || stop_words_.Contains(lower)) {
    return word;
  }
  auto found = net_->Synonyms(lower, kMaxSynonyms);
  if (found.empty()) {
    return word;
  }
  std::string synonym = found[rng.Below(static_cast<uint32_t>(found.size()))];
  if (IsUpper(CharacterAt(word, core.begin)) && synonym[0] >= 'a' && synonym[0] <= 'z') {
    synonym[0] = static_cast<char>(synonym[0] - 'a' + 'A');
  }
  return word.substr(0, core.begin) + synonym + word.substr(core.end);
}

Result<std::string> Augmenter::Variant(std::string_view text, const AugmentOptions& options, SeededRng& rng) const {
  ATELIER_ASSIGN(words, Words(text));
  for (auto& word : words) {
    if (net_ != nullptr && options.synonyms > 0 && rng.Uniform() < options.synonyms) {
      word = Synonym(word, rng);
    }
  }
  for (size_t i = 0; i + 1 < words.size(); ++i) {
    if (options.swaps > 0 && rng.Uniform() < options.swaps && IsWord(words[i]) && IsWord(words[i + 1])) {
      std::swap(words[i], words[i + 1]);
    }
  }
  std::string out;
  const auto add = [&](const std::string& word) { out.append(spaces_ && !out.empty() ? " " : "").append(word); };
  for (const auto& word : words) {
    if (options.deletion > 0 && rng.Uniform() < options.deletion && IsWord(word)) {
      continue;
    }
    add(word);
  }
  if (out.empty() && !words.empty()) {
    add(words[rng.Below(static_cast<uint32_t>(words.size()))]);
  }
  return out;
}

}  // namespace atelier::text::language
