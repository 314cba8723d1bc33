// Sentences by Punkt: T. Kiss, J. Strunk, "Unsupervised Multilingual Sentence Boundary Detection", Computational
// Linguistics 32 (2006), with the refinements of NLTK's implementation (quotes that close after the period, initials,
// reading the context of possible ends only).
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/language/characters.h"

namespace atelier::text::language {

// Where a word was seen, with which case of its first letter.
enum Orthography : uint8_t {
  kBeginUpper = 1U << 1U,
  kMiddleUpper = 1U << 2U,
  kUnknownUpper = 1U << 3U,
  kBeginLower = 1U << 4U,
  kMiddleLower = 1U << 5U,
  kUnknownLower = 1U << 6U,
  kAnyUpper = kBeginUpper | kMiddleUpper | kUnknownUpper,
  kAnyLower = kBeginLower | kMiddleLower | kUnknownLower,
};

// What Punkt knows of a language. Words are in lower case, without their final period; numbers are "##number##".
struct PunktParameters {
  std::set<std::string, std::less<>> abbreviations;
  std::set<std::pair<std::string, std::string>> collocations;  // the first with a period: no sentence ends there
  std::set<std::string, std::less<>> starters;                 // often begin a sentence
  std::map<std::string, uint8_t, std::less<>> orthography;     // bits of Orthography

  uint8_t OrthographyOf(std::string_view word) const;
};

// Common abbreviations, and words that are known to be written in lower case within sentences.
PunktParameters EnglishPunkt();

// {"abbreviations": [...], "collocations": [[a, b]...], "starters": [...], "orthography": {word: bits}}
json::object ToJson(const PunktParameters& parameters);
// Errors: kInvalidArgument, naming the field.
Result<PunktParameters> PunktFromJson(const json::object& object);

// The sentences of a text in UTF-8, without the white space between them. Takes time linear in the text.
std::vector<Span> PunktSentences(std::string_view text, const PunktParameters& parameters);

struct PunktTrainingOptions {
  double abbreviation_score = 0.3;
  uint64_t rare_count = 5;  // rarer words may be abbreviations by what follows them
  double collocation_score = 7.88;
  double starter_score = 30;
};

// Learns from running text in UTF-8, on top of `parameters`.
PunktParameters TrainPunkt(std::string_view text, PunktParameters parameters = {},
                           const PunktTrainingOptions& options = {});

}  // namespace atelier::text::language
