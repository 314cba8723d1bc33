// A list of regular expressions with replacements, applied one after the other to a whole text.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct pcre2_real_code_8;

namespace atelier::text::language {

struct RewriteRule {
  std::string_view pattern;      // PCRE2's syntax, with Unicode properties; $ is the end of the text
  std::string_view replacement;  // $0 to $9 are groups
};

// Immutable, thread-safe.
class Rewriter {
 public:
  // Errors: kInternal for a pattern that does not compile.
  static Result<Rewriter> Create(std::span<const RewriteRule> rules);

  // `text` must be UTF-8. Errors: kOutOfRange where a rule meets the limits of time and memory.
  Result<std::string> Apply(std::string text) const;

 private:
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  struct Rule {
    std::unique_ptr<pcre2_real_code_8, Free> code;
    std::string replacement;
  };
  std::vector<Rule> rules_;
};

}  // namespace atelier::text::language
