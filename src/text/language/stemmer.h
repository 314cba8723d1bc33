// Stems by the Snowball algorithms (M. F. Porter and others, https://snowballstem.org), through libstemmer.
#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

struct sb_stemmer;

namespace atelier::text::language {

// Not thread-safe; cheap to make.
class Stemmer {
 public:
  // `algorithm`: one of Algorithms() ("english", also called Porter 2; "porter", the original with its author's later
  // departures), or the ISO 639 code of its language ("en"). Errors: kInvalidArgument, naming what there is.
  static Result<Stemmer> Create(std::string_view algorithm);
  static std::vector<std::string> Algorithms();

  // Of a word in UTF-8, which is put into lower case first. English words of one or two letters stay as they are, as
  // Porter's own program has it.
  std::string Stem(std::string_view word) const;

 private:
  struct Free {
    void operator()(sb_stemmer* stemmer) const;
  };
  std::unique_ptr<sb_stemmer, Free> stemmer_;
  bool english_ = false;
};

}  // namespace atelier::text::language
