// WordNet's database (G. A. Miller and others, Princeton; https://wordnet.princeton.edu), read from its files index.*,
// data.* and *.exc as wndb(5WN) describes them: base forms by morphy(7WN), and synonyms.
#pragma once

#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::text::language {

enum class PartOfSpeech { kNoun, kVerb, kAdjective, kAdverb };
inline constexpr std::array kPartsOfSpeech = {PartOfSpeech::kNoun, PartOfSpeech::kVerb, PartOfSpeech::kAdjective,
                                              PartOfSpeech::kAdverb};
// n, v, a (also s, of satellites) and r.
std::optional<PartOfSpeech> PartOfSpeechFromLetter(std::string_view letter);
// Of a tag of the Penn Treebank; a noun where it is none of the four.
PartOfSpeech PartOfSpeechOfTag(std::string_view penn_tag);

inline constexpr const char* kWordNetFolder = "/usr/share/wordnet";  // of Debian's package wordnet-base

// About 8 MB of memory, synonyms are read from the files. Immutable, thread-safe.
class WordNet {
 public:
  // Errors: kFailedPrecondition "wordnet_not_found" where a file is not there, kDataLoss for one of the wrong form.
  static Result<std::unique_ptr<WordNet>> Open(const std::filesystem::path& folder = kWordNetFolder);
  ~WordNet();

  // The base forms in the order of morphy: the form itself where it is one, its exceptions or else what the endings
  // give. As NLTK's: letters are taken as they are (words are in lower case), no rule for "ful" nor for collocations.
  std::vector<std::string> Morphy(std::string_view form, PartOfSpeech part) const;
  // The shortest of them; the form itself where there is none.
  std::string Lemma(std::string_view form, PartOfSpeech part) const;
  // The first base form of the first part of speech (noun, verb, adjective, adverb) that has one, or the form.
  std::string AnyLemma(std::string_view form) const;

  // Other words of the synsets of `lemma` (lower case), most common sense first; at most `limit`.
  std::vector<std::string> Synonyms(std::string_view lemma, size_t limit) const;

 private:
  struct Part;
  WordNet();
  const Part& PartOf(PartOfSpeech part) const { return *parts_[static_cast<size_t>(part)]; }
  std::array<std::unique_ptr<Part>, 4> parts_;
};

}  // namespace atelier::text::language
