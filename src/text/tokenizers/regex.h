// Regular expressions of tokenisers, run by PCRE2 (UTF and Unicode properties, just-in-time where it can) within
// limits.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

struct pcre2_real_code_8;
struct pcre2_real_match_data_8;
struct pcre2_real_match_context_8;
struct pcre2_real_jit_stack_8;

namespace atelier::text {

// A compiled pattern. Immutable, thread-safe.
class Regex {
 public:
  // `pattern`: UTF-8, in the syntax that PCRE2 and Oniguruma (of Hugging Face's tokenizers) share; \s and \S are
  // Unicode's White_Space, \w is a letter, mark, digit or connector, ^ and $ match at lines, \uHHHH is a character.
  // Errors: kInvalidArgument, with PCRE2's words and the pattern; constructs that the two read differently (&& and [ in
  // a class, \h, \W in a class) are refused, too.
  static Result<Regex> Compile(std::string_view pattern);

 private:
  friend class RegexMatcher;
  struct Free {
    void operator()(pcre2_real_code_8* code) const;
  };
  std::unique_ptr<pcre2_real_code_8, Free> code_;
};

// The working memory of one thread for one pattern. Borrows the pattern.
class RegexMatcher {
 public:
  explicit RegexMatcher(const Regex& regex);

  // Finds the first match at or after `from` that is not both empty and at `from`. `subject` must be UTF-8, `from` a
  // boundary of a character. False: none, or the limits of time and memory were met; a pattern that met them a few
  // times matches no more, so that a bad pattern cannot take a thread for long.
  bool Find(std::string_view subject, size_t from, size_t& begin, size_t& end);

 private:
  struct Free {
    void operator()(pcre2_real_match_data_8* data) const;
    void operator()(pcre2_real_match_context_8* context) const;
    void operator()(pcre2_real_jit_stack_8* stack) const;
  };
  const Regex& regex_;
  std::unique_ptr<pcre2_real_match_data_8, Free> data_;
  std::unique_ptr<pcre2_real_match_context_8, Free> context_;
  std::unique_ptr<pcre2_real_jit_stack_8, Free> stack_;
  int failures_ = 0;
};

}  // namespace atelier::text
