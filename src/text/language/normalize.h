// One spelling for texts that look the same. All of these take ill-formed UTF-8 for U+FFFD and give UTF-8.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::text::language {

enum class NormalForm { kNfc, kNfd, kNfkc, kNfkd };                   // Unicode Standard Annex 15
std::optional<NormalForm> NormalFormFromName(std::string_view name);  // "nfc"...
std::string Normalize(std::string_view text, NormalForm form);

// The full-width forms of ASCII (U+FF01 to U+FF5E, U+FFE0 to U+FFE6) and the ideographic space as usual ones.
std::string HalfWidth(std::string_view text);

// Between traditional and simplified Chinese, character by character, by ICU's tables. Thread-safe.
class ChineseScript {
 public:
  enum class To { kSimplified, kTraditional };
  // Errors: kUnimplemented where ICU has no such tables.
  static Result<ChineseScript> Create(To to);
  ~ChineseScript();
  ChineseScript(ChineseScript&&) noexcept;
  std::string Convert(std::string_view text) const;

 private:
  struct State;
  explicit ChineseScript(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Without control and invisible characters (zero-width space, soft hyphen, byte order mark), each run of blanks one
// space, lines without blanks at their ends, at most one empty line between lines, none at the ends.
std::string CleanWhitespace(std::string_view text);

}  // namespace atelier::text::language
