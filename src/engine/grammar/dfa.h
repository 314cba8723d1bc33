// Deterministic automata over code points: the regular languages of strings, numbers and literal texts.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/grammar/budget.h"

namespace atelier::engine::grammar {

using CodePoint = uint32_t;
inline constexpr CodePoint kCodePointEnd = 0x110000;
inline constexpr CodePoint kSurrogateBegin = 0xD800;
inline constexpr CodePoint kSurrogateEnd = 0xE000;

struct Range {
  CodePoint first = 0;
  CodePoint last = 0;  // inclusive
  bool operator==(const Range&) const = default;
};
// Sorted, disjoint, without surrogates.
using CodeSet = std::vector<Range>;

CodeSet Normalized(CodeSet ranges);
CodeSet Complement(const CodeSet& normalized);
CodeSet AnyCode();
// Decodes UTF-8; nullopt where it is malformed.
std::optional<std::vector<CodePoint>> DecodeUtf8(std::string_view text);
void AppendUtf8(CodePoint code, std::string& out);

// Every state of a trimmed automaton is reachable and leads to acceptance; the empty language has no states. Code
// points fall into classes: class k holds [starts[k], starts[k + 1]). State 0 is the start.
struct Dfa {
  static constexpr int32_t kDead = -1;

  std::vector<CodePoint> starts;
  std::vector<int32_t> next;        // [states, classes]
  std::vector<uint8_t> accepting;   // [states]
  std::vector<uint8_t> extendable;  // [states] whether a longer word goes on from here
  std::array<uint16_t, 128> ascii_class{};

  size_t states() const { return accepting.size(); }
  size_t classes() const { return starts.size(); }
  bool empty() const { return accepting.empty(); }
  size_t ClassOf(CodePoint code) const;
  int32_t Step(int32_t state, CodePoint code) const {
    return next[static_cast<size_t>(state) * classes() + (code < 128 ? ascii_class[code] : ClassOf(code))];
  }
  // Whether a code point of [first, last] leads on.
  bool Leads(int32_t state, CodePoint first, CodePoint last) const;
  bool Matches(std::string_view utf8) const;
};
using DfaPtr = std::shared_ptr<const Dfa>;  // shared among the rules and terminals that use one language

enum class SetOperation { kAnd, kOr, kMinus };

// Errors of all: "schema_too_complex".
Result<Dfa> Combine(const Dfa& left, const Dfa& right, SetOperation operation, Budget& budget);
Result<Dfa> FromWords(const std::vector<std::string>& words, Budget& budget);  // words that are no UTF-8 are left out
// The texts of between `min` and `max` code points.
Result<Dfa> WithLength(const Dfa& dfa, uint32_t min, std::optional<uint32_t> max, Budget& budget);
// Drops useless states, merges equal classes, fills the table of ASCII. `raw.starts` must begin with 0.
Dfa Trimmed(Dfa raw);
Dfa AnyText();
// All words, if there are at most `limit`.
std::optional<std::vector<std::string>> Words(const Dfa& dfa, size_t limit);

}  // namespace atelier::engine::grammar
