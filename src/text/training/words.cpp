#include "text/training/words.h"

#include <unicode/uchar.h>
#include <unicode/uscript.h>

#include <algorithm>

#include "text/tokenizers/basic_words.h"
#include "text/tokenizers/normalizer.h"
#include "text/tokenizers/pre_tokenizers.h"
#include "text/tokenizers/splitter.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

constexpr size_t kMaxWordBytes = size_t{1} << 31U;

using AddWord = std::function<void(std::string_view)>;
using Cutter = std::function<void(std::string_view text, const AddWord& add)>;

// What may stand in one token: letters of one kind of script, digits or signs.
enum class Class : uint8_t { kSpace, kLetters, kAsian, kDigits, kSigns };

Class ClassOf(char32_t character) {
  const auto point = static_cast<UChar32>(character);
  if (u_isUWhiteSpace(point)) {
    return Class::kSpace;
  }
  const uint32_t category = U_GET_GC_MASK(point);
  if ((category & U_GC_ND_MASK) != 0) {
    return Class::kDigits;
  }
  if ((category & (U_GC_L_MASK | U_GC_M_MASK)) == 0) {
    return Class::kSigns;
  }
  UErrorCode failed = U_ZERO_ERROR;
  const UScriptCode script = uscript_getScript(point, &failed);
  const bool asian = script == USCRIPT_HAN || script == USCRIPT_HIRAGANA || script == USCRIPT_KATAKANA;
  return asian ? Class::kAsian : Class::kLetters;
}

// Runs of one class; a space becomes U+2581 before the run behind it, other white space is a word of its own.
void CutRuns(std::string_view text, bool space_before, const AddWord& add) {
  std::string word;
  Class open = Class::kSpace;
  const auto flush = [&] {
    if (!word.empty()) {
      add(word);
    }
    word.clear();
  };
  if (space_before) {
    word = kSpaceMark;
  }
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    const std::string_view character = text.substr(at, step.length);
    at += step.length;
    if (!step.valid) {
      flush();
      continue;
    }
    const Class next = ClassOf(step.value);
    const bool mark_before = word == kSpaceMark && open == Class::kSpace;
    if (next == Class::kSpace) {
      flush();
      word = character == " " ? kSpaceMark : character;
      if (character != " ") {
        flush();
      }
    } else {
      if (next != open && !mark_before) {
        flush();
      }
      word += character;
    }
    open = next;
  }
  flush();
}

void CutCharacters(std::string_view text, const AddWord& add) {
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    if (step.valid) {
      add(text[at] == ' ' ? kSpaceMark : text.substr(at, step.length));
    }
    at += step.length;
  }
}

void CutWhiteSpace(std::string_view text, const AddWord& add) {
  std::string word;
  const auto flush = [&] {
    if (!word.empty()) {
      add(word);
    }
    word.clear();
  };
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    if (!step.valid || u_isUWhiteSpace(static_cast<UChar32>(step.value))) {
      flush();
    } else {
      word += text.substr(at, step.length);
    }
    at += step.length;
  }
  flush();
}

Result<Cutter> ByteCutter(const std::string& pre) {
  const PreTokenizer* known = FindPreTokenizer(pre);
  if (known == nullptr) {
    return InvalidArgument("there is no pre-tokeniser '" + pre.substr(0, 100) + "'", "pre");
  }
  ATELIER_ASSIGN(made, Splitter::Make(known->steps));
  const auto splitter = std::make_shared<const Splitter>(std::move(made));  // a std::function must be copyable
  return Cutter([splitter](std::string_view text, const AddWord& add) {
    for (const std::string_view word : splitter->Split(text)) {
      add(word);
    }
  });
}

Result<Cutter> CutterOf(const TokenizerTraining& options) {
  switch (options.algorithm) {
    case TokenizerAlgorithm::kByteBpe:
      return ByteCutter(options.pre);
    case TokenizerAlgorithm::kCharacterBpe:
      return Cutter([prefix = options.add_space_prefix](std::string_view text, const AddWord& add) {
        CutRuns(text, prefix && !text.starts_with(' '), add);
      });
    case TokenizerAlgorithm::kWordPiece:
      return Cutter([basic = options.word_piece](std::string_view text, const AddWord& add) {
        for (const BasicWord& word : BasicWords(text, basic)) {
          if (basic.max_word_chars <= 0 || word.characters <= basic.max_word_chars) {
            add(word.text);
          }
        }
      });
    case TokenizerAlgorithm::kUnigram:
      return Cutter(CutWhiteSpace);
    case TokenizerAlgorithm::kCharacters:
      break;
  }
  return Cutter(CutCharacters);
}

}  // namespace

Result<WordCounts> CountWords(const Corpus& corpus, const TokenizerTraining& options) {
  TokenizerSpec steps;
  steps.normalizer = options.normalizer;
  ATELIER_ASSIGN(normalizer, Normalizer::Make(steps));
  ATELIER_ASSIGN(cut, CutterOf(options));
  WordCounts counts;
  size_t bytes = 0;
  const AddWord add = [&](std::string_view word) {
    const auto found = counts.find(word);
    if (found == counts.end()) {
      counts.emplace(word, 1);
      bytes += word.size();
    } else {
      ++found->second;
    }
  };
  ATELIER_TRY(corpus([&](std::string_view text) -> Status {
    if (options.normalizer.empty()) {
      cut(text, add);
    } else {
      cut(normalizer.Apply(std::string(text)), add);
    }
    return bytes <= kMaxWordBytes ? Status()
                                  : MakeError(Code::kResourceExhausted,
                                              "the distinct words of these texts are more than 2 GiB; sample them");
  }));
  return counts;
}

CharacterCounts CountCharacters(const WordCounts& words) {
  std::unordered_map<char32_t, int64_t> counts;
  for (const auto& [word, count] : words) {
    for (const char32_t character : CharactersOf(word)) {
      counts[character] += count;
    }
  }
  return {counts.begin(), counts.end()};
}

std::vector<char32_t> ChooseAlphabet(const CharacterCounts& counts, size_t limit) {
  std::vector<std::pair<int64_t, char32_t>> order;
  for (const auto& [character, count] : counts) {
    order.emplace_back(-count, character);
  }
  std::ranges::sort(order);
  order.resize(std::min(order.size(), limit));
  std::vector<char32_t> alphabet;
  for (const auto& entry : order) {
    alphabet.push_back(entry.second);
  }
  std::ranges::sort(alphabet);
  return alphabet;
}

std::vector<char32_t> CharactersOf(std::string_view word) {
  std::vector<char32_t> characters;
  for (size_t at = 0; at < word.size();) {
    const Utf8Step step = ReadUtf8(word, at);
    characters.push_back(step.value);
    at += step.length;
  }
  return characters;
}

}  // namespace atelier::text
