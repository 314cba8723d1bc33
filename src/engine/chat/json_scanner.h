// Where a JSON value ends, byte by byte.
#pragma once

#include <cstddef>
#include <string>

namespace atelier::engine::chat {

inline constexpr size_t kMaxArgumentDepth = 128;

// Follows strings and brackets; it does not check the grammar between them. A strict scanner also refuses bytes that
// cannot stand outside a string. Bounded memory, no recursion.
class JsonScanner {
 public:
  enum class State {
    kMore,
    kDone,        // this byte was the last of the value
    kDoneBefore,  // the byte before was: a number or word ends where another byte stands
    kFailed,      // no value begins here, a bracket does not match, or nesting is too deep
  };

  explicit JsonScanner(bool strict) : strict_(strict) {}

  State Step(char byte);  // the value begins with the first byte
  bool started() const { return mode_ != Mode::kStart; }

 private:
  enum class Mode { kStart, kNested, kString, kWord };

  State Begin(char byte);
  State Nested(char byte);
  State String(char byte);

  bool strict_;
  Mode mode_ = Mode::kStart;
  bool escaped_ = false;
  std::string brackets_;  // that are open
};

}  // namespace atelier::engine::chat
