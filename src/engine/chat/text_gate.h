// Lets text through, but not what may turn out to be a mark, nor the white space before it.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "engine/sampling/pattern_set.h"

namespace atelier::engine::chat {

// White space of JSON and of templates: space, tab, line feed, carriage return.
bool IsSpace(char byte);

// Works byte by byte, so cuts make no difference. Not thread-safe.
class TextGate {
 public:
  explicit TextGate(std::vector<std::string> marks) : marks_(std::move(marks)) {}

  // Takes the next byte and appends to `released` what is certain to be plain text by now. When a mark ends with this
  // byte: its index; the mark and the white space before it are then what TakeHeld gives.
  std::optional<size_t> Push(char byte, std::string& released);
  // Everything that was not released; the gate starts afresh.
  std::string TakeHeld();

 private:
  PatternSet marks_;
  std::string held_;
  size_t solid_ = 0;    // held_ up to here is neither a mark's beginning nor white space at the end
  size_t decided_ = 0;  // held_ up to here is no mark's beginning
};

}  // namespace atelier::engine::chat
