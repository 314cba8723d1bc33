// Cuts a text into words by a list of regular expressions, as pre-tokenisers do.
#pragma once

#include <string_view>
#include <vector>

#include "base/result.h"
#include "text/tokenizer.h"
#include "text/tokenizers/regex.h"

namespace atelier::text {

// Immutable, thread-safe.
class Splitter {
 public:
  // Errors: kInvalidArgument "invalid_tokenizer" (a regex does not compile, too many steps).
  static Result<Splitter> Make(const std::vector<SplitStep>& steps);

  // The words of `text`, in order, none empty, borrowed from it. Each run of bytes that are no UTF-8 is a word.
  std::vector<std::string_view> Split(std::string_view text) const;

 private:
  struct Step {
    Regex regex;
    SplitStep::Behaviour behaviour;
    bool invert;
  };
  std::vector<Step> steps_;
};

}  // namespace atelier::text
