// The normaliser of a tokeniser, as a list of steps.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"
#include "text/tokenizers/charsmap.h"
#include "text/tokenizers/regex.h"

namespace atelier::text {

// Immutable, thread-safe. Bytes that are no UTF-8 stay as they are.
class Normalizer {
 public:
  // Errors: kInvalidArgument "invalid_tokenizer" (a bad regex or charsmap, an empty pattern, a long replacement, too
  // many steps).
  static Result<Normalizer> Make(const TokenizerSpec& spec);

  // What would be more than 64 times as long as `text` (and 64 bytes) is cut off there.
  std::string Apply(std::string text) const;

 private:
  struct Step {
    NormalizerStep step;
    std::optional<Regex> regex;
  };
  std::string ApplyStep(const Step& step, std::string text) const;

  std::vector<Step> steps_;
  std::optional<Charsmap> charsmap_;
};

// Simple lower case of one character (Unicode's one-to-one mapping).
char32_t LowerCase(char32_t character);

// Canonical decomposition (Unicode's NFD) of well-formed UTF-8; broken sequences stay.
std::string DecomposeCanonically(std::string_view text);

}  // namespace atelier::text
