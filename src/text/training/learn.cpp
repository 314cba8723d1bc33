#include "text/training/learn.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <unordered_map>

#include "text/tokenizers/byte_alphabet.h"
#include "text/training/merge_learner.h"
#include "text/training/unigram_trainer.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

using Symbols = std::unordered_map<char32_t, int32_t>;

std::string Utf8Of(char32_t character) {
  std::string text;
  AppendUtf8(text, character);
  return text;
}

std::vector<char32_t> Alphabet(const CharacterCounts& counts, size_t room, const TokenizerTraining& options) {
  const auto limit = static_cast<size_t>(std::max<int64_t>(options.alphabet_limit, 0));
  return ChooseAlphabet(counts, limit == 0 ? room : std::min(limit, room));
}

// Appends the characters, each behind `prefix`, as symbols.
Symbols AddSymbols(const std::vector<char32_t>& characters, std::string_view prefix,
                   std::vector<std::string>& spellings) {
  Symbols symbols;
  for (const char32_t character : characters) {
    symbols.emplace(character, static_cast<int32_t>(spellings.size()));
    spellings.push_back(std::string(prefix) + Utf8Of(character));
  }
  return symbols;
}

MergeOptions Merging(size_t room, const TokenizerTraining& options) {
  return {.min_count = std::max<int64_t>(options.min_frequency, 1), .symbols = room};
}

Learnt Take(const MergeLearner& learner) {
  Learnt learnt{.tokens = learner.spellings()};
  for (const auto& [left, right] : learner.merges()) {
    learnt.merges.push_back(learnt.tokens[static_cast<size_t>(left)] + " " + learnt.tokens[static_cast<size_t>(right)]);
  }
  return learnt;
}

// Calls `add` with the longest parts of the word that have nothing but the alphabet's characters.
template <class Add>  // void(std::u32string_view)
void ForEachKnownPart(std::string_view word, const Symbols& alphabet, const Add& add) {
  const std::vector<char32_t> characters = CharactersOf(word);
  const auto known = [&](char32_t character) { return alphabet.contains(character); };
  for (auto at = characters.begin(); at != characters.end();) {
    const auto end = std::find_if_not(at, characters.end(), known);
    if (at != end) {
      add(std::u32string_view(&*at, static_cast<size_t>(end - at)));
    }
    at = end == characters.end() ? end : end + 1;
  }
}

// Characters of words but for their first.
CharacterCounts CountContinuing(const WordCounts& words, const Symbols& alphabet) {
  CharacterCounts counts;
  for (const auto& [word, count] : words) {
    const std::vector<char32_t> characters = CharactersOf(word);
    for (const char32_t character : std::span(characters).subspan(1)) {
      if (alphabet.contains(character)) {
        counts[character] += count;
      }
    }
  }
  return counts;
}

}  // namespace

Learnt LearnByteBpe(const WordCounts& words, size_t room, const TokenizerTraining& options) {
  std::vector<std::pair<char32_t, uint8_t>> order;  // as the alphabet's characters are ordered
  for (int byte = 0; byte < 256; ++byte) {
    order.emplace_back(CharactersOf(AlphabetOf(static_cast<uint8_t>(byte))).front(), static_cast<uint8_t>(byte));
  }
  std::ranges::sort(order);
  std::vector<std::string> spellings;
  std::vector<int32_t> symbol_of(order.size());
  for (const auto& entry : order) {
    symbol_of[entry.second] = static_cast<int32_t>(spellings.size());
    spellings.emplace_back(AlphabetOf(entry.second));
  }
  MergeLearner learner(std::move(spellings), Merging(room, options));
  std::vector<int32_t> symbols;
  for (const auto& [word, count] : words) {
    symbols.clear();
    std::ranges::transform(word, std::back_inserter(symbols),
                           [&](char byte) { return symbol_of[static_cast<uint8_t>(byte)]; });
    learner.AddWord(symbols, count);
  }
  learner.Learn();
  return Take(learner);
}

Learnt LearnCharacterBpe(const WordCounts& words, size_t room, const TokenizerTraining& options) {
  std::vector<std::string> spellings;
  const Symbols alphabet = AddSymbols(Alphabet(CountCharacters(words), room, options), "", spellings);
  MergeLearner learner(std::move(spellings), Merging(room, options));
  std::vector<int32_t> symbols;
  for (const auto& entry : words) {
    ForEachKnownPart(entry.first, alphabet, [&](std::u32string_view part) {
      symbols.clear();
      std::ranges::transform(part, std::back_inserter(symbols), [&](char32_t c) { return alphabet.at(c); });
      learner.AddWord(symbols, entry.second);
    });
  }
  learner.Learn();
  return Take(learner);
}

Learnt LearnWordPiece(const WordCounts& words, size_t room, const TokenizerTraining& options) {
  std::vector<std::string> spellings;
  const Symbols first = AddSymbols(Alphabet(CountCharacters(words), room, options), "", spellings);
  const Symbols inside =
      AddSymbols(ChooseAlphabet(CountContinuing(words, first), room - first.size()), kContinuing, spellings);
  MergeOptions merging = Merging(room, options);
  merging.score = MergeScore::kLikelihood;
  merging.continuing_prefix = kContinuing;
  MergeLearner learner(std::move(spellings), std::move(merging));
  std::vector<int32_t> symbols;
  for (const auto& [word, count] : words) {
    const std::vector<char32_t> characters = CharactersOf(word);
    symbols.clear();
    for (const char32_t character : characters) {
      const Symbols& from = symbols.empty() ? first : inside;
      const auto found = from.find(character);
      if (found == from.end()) {
        break;
      }
      symbols.push_back(found->second);
    }
    if (symbols.size() == characters.size()) {  // else the word is the unknown token
      learner.AddWord(symbols, count);
    }
  }
  learner.Learn();
  return {.tokens = learner.spellings()};
}

Learnt LearnCharacters(const WordCounts& words, size_t room, const TokenizerTraining& options) {
  Learnt learnt;
  AddSymbols(Alphabet(CountCharacters(words), room, options), "", learnt.tokens);
  return learnt;
}

Result<Learnt> LearnUnigramPieces(const WordCounts& words, size_t room, const TokenizerTraining& options) {
  // One place is the mark's, which begins every word.
  std::vector<std::string> spellings;
  const Symbols alphabet =
      AddSymbols(Alphabet(CountCharacters(words), room > 1 ? room - 1 : 0, options), "", spellings);
  WordCounts parts;
  for (const auto& entry : words) {
    ForEachKnownPart(entry.first, alphabet, [&](std::u32string_view part) {
      std::string text;
      for (const char32_t character : part) {
        AppendUtf8(text, character);
      }
      parts[text] += entry.second;
    });
  }
  ATELIER_ASSIGN(pieces, LearnUnigram(parts, room));
  Learnt learnt;
  for (auto& [piece, score] : pieces) {
    learnt.tokens.push_back(std::move(piece));
    learnt.scores.push_back(score);
  }
  return learnt;
}

}  // namespace atelier::text
