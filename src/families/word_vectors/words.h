// From running text to words.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::families::word_vectors {

enum class Splitting {
  kWords,   // Unicode's word boundaries (UAX #29; Chinese and Japanese by dictionary), punctuation left out
  kSpaces,  // what stands between white space: text that was cut into words before
};

struct SplitOptions {
  Splitting splitting = Splitting::kWords;
  bool lowercase = true;
};

inline constexpr size_t kMaxWordBytes = 256;  // longer ones are left out

// As Unicode has it; ill-formed UTF-8 becomes U+FFFD.
std::string LowerCase(std::string_view text);

// Not thread-safe.
class WordSplitter {
 public:
  // Errors: kInternal where ICU lacks its rules.
  static Result<std::unique_ptr<WordSplitter>> Create(const SplitOptions& options);
  virtual ~WordSplitter() = default;

  // The words of one line, in order; the views last until the call returns. Ill-formed UTF-8 counts as U+FFFD.
  // Errors: kInvalidArgument (more than 1 GiB of text in one line), kInternal.
  virtual Status Split(std::string_view line, const std::function<void(std::string_view)>& take) = 0;
};

}  // namespace atelier::families::word_vectors
