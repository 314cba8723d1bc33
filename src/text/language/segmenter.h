// Sentences and words of a language.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/language/punkt.h"

namespace atelier::text::language {

// English by Punkt and the Treebank's rules, as NLTK's word_tokenize; Chinese by its punctuation and ICU's dictionary;
// other languages by ICU's rules (Unicode Standard Annex 29, tailored). Immutable, thread-safe.
class Segmenter {
 public:
  virtual ~Segmenter() = default;

  // `language`: "en", "zh" or another language code that ICU knows. `punkt`: instead of EnglishPunkt(). Errors:
  // kInvalidArgument for a code of the wrong form.
  static Result<std::unique_ptr<Segmenter>> Create(std::string_view language,
                                                   std::optional<PunktParameters> punkt = std::nullopt);

  // Of UTF-8; ill-formed sequences count as U+FFFD. Without the white space between.
  virtual std::vector<Span> Sentences(std::string_view text) const = 0;

  // The words and the punctuation of a text: of all its sentences. Errors: kOutOfRange for a text that is too long.
  Result<std::vector<std::string>> Words(std::string_view text) const;
  // Those of one sentence of well-formed UTF-8.
  virtual Result<std::vector<std::string>> WordsOfSentence(std::string_view sentence) const = 0;
};

// Chinese sentences end after 。！？… and their like, with the quotes and brackets that close after them, and at the
// ends of lines; a full stop of ASCII ends one before white space.
std::vector<Span> ChineseSentences(std::string_view text);

}  // namespace atelier::text::language
