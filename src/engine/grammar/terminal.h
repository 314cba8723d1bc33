// One terminal of a grammar, read byte by byte: a regular language over code points, spelled either as plain UTF-8 or
// as a JSON string with its quotes and escapes.
#pragma once

#include <cstdint>

#include "engine/grammar/dfa.h"

namespace atelier::engine::grammar {

struct Terminal {
  static constexpr uint32_t kNoLimit = UINT32_MAX;

  DfaPtr language;           // not empty
  bool json_string = false;  // RFC 8259 section 7: " and \ and control characters are escaped; others may be, as \u,
                             // unless they are printable ASCII
  // In code points; only with a language whose every state accepts (use WithLength for the others).
  uint32_t min_length = 0;
  uint32_t max_length = kNoLimit;

  bool counts() const { return min_length > 0 || max_length != kNoLimit; }
};

// Where a terminal's text stands. A plain value.
struct TerminalState {
  int32_t state = 0;     // of the language's automaton
  uint32_t partial = 0;  // inside of a code point or an escape: see terminal.cpp
  uint32_t count = 0;    // code points so far, where they are counted; stops at min_length where there is no maximum

  bool operator==(const TerminalState&) const = default;
};

TerminalState StartOf(const Terminal& terminal);
// Reads one byte. False, with an unspecified state, where no text of the terminal goes on so: after true, some text of
// the terminal has exactly this beginning.
bool Step(const Terminal& terminal, TerminalState& state, uint8_t byte);
// Whether a byte may follow.
bool GoesOn(const Terminal& terminal, const TerminalState& state);
// Whether the text may end here.
bool Accepts(const Terminal& terminal, const TerminalState& state);

}  // namespace atelier::engine::grammar
