#include "engine/grammar/terminal.h"

#include <algorithm>

namespace atelier::engine::grammar {
namespace {

// `partial` is a phase in its high 8 bits and a value in its low 24 bits.
enum Phase : uint32_t {
  kBetween = 0,     // between code points
  kTail1 = 1,       // inside of UTF-8, one byte to come; the value is the code so far
  kTail2 = 2,       //
  kTail3 = 3,       //
  kEscape = 4,      // after a backslash
  kHex0 = 5,        // after \u; the value is the code so far
  kHex3 = 8,        //
  kHighDone = 9,    // after a high surrogate; the value is its low 10 bits
  kLowEscape = 10,  // after the backslash that follows
  kLowHex0 = 11,    // the value is (high << 12) | the low surrogate so far
  kLowHex3 = 14,    //
  kOpening = 15,    // before the first quote
  kClosed = 16,     // after the last quote
};

constexpr uint32_t kHighBegin = 0xD800;
constexpr uint32_t kLowBegin = 0xDC00;
constexpr uint32_t kLowEnd = 0xE000;

uint32_t Pack(uint32_t phase, uint32_t value) { return (phase << 24U) | value; }

// Consumes one whole code point.
bool Take(const Terminal& terminal, TerminalState& at, CodePoint code) {
  const int32_t next = terminal.language->Step(at.state, code);
  if (next == Dfa::kDead || at.count >= terminal.max_length) {
    return false;
  }
  if (terminal.counts() && (terminal.max_length != Terminal::kNoLimit || at.count < terminal.min_length)) {
    ++at.count;
  }
  at.state = next;
  at.partial = 0;
  return true;
}

bool Leads(const Terminal& terminal, const TerminalState& at, CodePoint first, CodePoint last) {
  return at.count < terminal.max_length && terminal.language->Leads(at.state, first, last);
}

// Whether an escape \uXXXX with XXXX in [first, last] goes on.
bool HexLeads(const Terminal& terminal, const TerminalState& at, uint32_t first, uint32_t last) {
  const auto leads = [&](uint32_t low, uint32_t high) {
    low = std::max(low, first);
    high = std::min(high, last);
    return low <= high && Leads(terminal, at, low, high);
  };
  if (leads(0, 0x1F) || leads(0x7F, kHighBegin - 1) || leads(kLowEnd, 0xFFFF)) {
    return true;
  }
  const uint32_t low = std::max(first, kHighBegin);
  const uint32_t high = std::min(last, kLowBegin - 1);
  return low <= high &&
         Leads(terminal, at, 0x10000 + ((low - kHighBegin) << 10U), 0x10000 + ((high - kHighBegin) << 10U) + 0x3FF);
}

constexpr int kNoEscape = -1;

int SimpleEscape(uint8_t byte) {
  switch (byte) {
    case '"':
    case '\\':
    case '/':
      return byte;
    case 'b':
      return '\b';
    case 'f':
      return '\f';
    case 'n':
      return '\n';
    case 'r':
      return '\r';
    case 't':
      return '\t';
    default:
      return kNoEscape;
  }
}

bool EscapeLeads(const Terminal& terminal, const TerminalState& at) {
  for (const char code : {'"', '\\', '/', '\b', '\f', '\n', '\r', '\t'}) {
    if (Leads(terminal, at, static_cast<uint8_t>(code), static_cast<uint8_t>(code))) {
      return true;
    }
  }
  return HexLeads(terminal, at, 0, 0xFFFF);
}

// `tail` more bytes of UTF-8 follow on `value`.
bool EnterTail(const Terminal& terminal, TerminalState& at, uint32_t tail, uint32_t value) {
  constexpr CodePoint kLeast[] = {0, 0x80, 0x800, 0x10000};
  const CodePoint first = std::max(value << (6 * tail), kLeast[tail]);
  const CodePoint last = std::min(((value + 1) << (6 * tail)) - 1, kCodePointEnd - 1);
  if (first > last || !Leads(terminal, at, first, last)) {
    return false;
  }
  at.partial = Pack(tail, value);
  return true;
}

bool StepBetween(const Terminal& terminal, TerminalState& at, uint8_t byte) {
  if (terminal.json_string) {
    if (byte == '"') {
      const bool whole =
          terminal.language->accepting[static_cast<size_t>(at.state)] != 0 && at.count >= terminal.min_length;
      at = {0, Pack(kClosed, 0), 0};
      return whole;
    }
    if (byte == '\\') {
      at.partial = Pack(kEscape, 0);
      return EscapeLeads(terminal, at);
    }
    if (byte < 0x20) {
      return false;
    }
  }
  if (byte < 0x80) {
    return Take(terminal, at, byte);
  }
  if (byte >= 0xC2 && byte <= 0xDF) {
    return EnterTail(terminal, at, 1, byte & 0x1FU);
  }
  if (byte >= 0xE0 && byte <= 0xEF) {
    return EnterTail(terminal, at, 2, byte & 0x0FU);
  }
  return byte >= 0xF0 && byte <= 0xF4 && EnterTail(terminal, at, 3, byte & 0x07U);
}

bool StepTail(const Terminal& terminal, TerminalState& at, uint32_t tail, uint8_t byte) {
  if ((byte & 0xC0U) != 0x80) {
    return false;
  }
  const uint32_t begun = at.partial & 0xFFFFFFU;
  if (begun == 0 && byte < (tail == 3 ? 0x90 : 0xA0)) {  // after E0 or F0: it would have a shorter spelling
    return false;
  }
  const uint32_t value = (begun << 6U) | (byte & 0x3FU);
  if (tail > 1) {
    return EnterTail(terminal, at, tail - 1, value);
  }
  return Take(terminal, at, value);
}

int HexDigit(uint8_t byte) {
  if (byte >= '0' && byte <= '9') {
    return byte - '0';
  }
  const int lower = byte | 0x20;
  return lower >= 'a' && lower <= 'f' ? lower - 'a' + 10 : -1;
}

bool StepEscape(const Terminal& terminal, TerminalState& at, uint8_t byte) {
  if (byte == 'u') {
    at.partial = Pack(kHex0, 0);
    return HexLeads(terminal, at, 0, 0xFFFF);
  }
  const int code = SimpleEscape(byte);
  return code != kNoEscape && Take(terminal, at, static_cast<CodePoint>(code));
}

bool StepHex(const Terminal& terminal, TerminalState& at, uint32_t digits, uint8_t byte) {
  const int digit = HexDigit(byte);
  if (digit < 0) {
    return false;
  }
  const uint32_t value = ((at.partial & 0xFFFFFFU) << 4U) | static_cast<uint32_t>(digit);
  const uint32_t shift = 4 * (3 - digits);
  if (!HexLeads(terminal, at, value << shift, ((value + 1) << shift) - 1)) {
    return false;
  }
  if (digits < 3) {
    at.partial = Pack(kHex0 + digits + 1, value);
    return true;
  }
  if (value >= kHighBegin && value < kLowBegin) {
    at.partial = Pack(kHighDone, value - kHighBegin);
    return true;
  }
  return Take(terminal, at, value);
}

bool StepLowHex(const Terminal& terminal, TerminalState& at, uint32_t digits, uint8_t byte) {
  const int digit = HexDigit(byte);
  if (digit < 0) {
    return false;
  }
  const uint32_t high = (at.partial & 0xFFFFFFU) >> 12U;
  const uint32_t low = ((at.partial & 0xFFFU) << 4U) | static_cast<uint32_t>(digit);
  const uint32_t shift = 4 * (3 - digits);
  const uint32_t first = std::max(low << shift, kLowBegin);
  const uint32_t last = std::min(((low + 1) << shift) - 1, kLowEnd - 1);
  const CodePoint base = 0x10000 + (high << 10U);
  if (first > last || !Leads(terminal, at, base + (first - kLowBegin), base + (last - kLowBegin))) {
    return false;
  }
  if (digits < 3) {
    at.partial = Pack(kLowHex0 + digits + 1, (high << 12U) | low);
    return true;
  }
  return Take(terminal, at, base + (low - kLowBegin));
}

bool Become(TerminalState& at, bool possible, uint32_t phase, uint32_t value) {
  at.partial = Pack(phase, value);
  return possible;
}

}  // namespace

TerminalState StartOf(const Terminal& terminal) { return {0, terminal.json_string ? Pack(kOpening, 0) : 0, 0}; }

bool Step(const Terminal& terminal, TerminalState& state, uint8_t byte) {
  const uint32_t phase = state.partial >> 24U;
  const uint32_t value = state.partial & 0xFFFFFFU;
  switch (phase) {
    case kBetween:
      return StepBetween(terminal, state, byte);
    case kTail1:
    case kTail2:
    case kTail3:
      return StepTail(terminal, state, phase, byte);
    case kEscape:
      return StepEscape(terminal, state, byte);
    case kHighDone:
      return Become(state, byte == '\\', kLowEscape, value);
    case kLowEscape:
      return Become(state, byte == 'u', kLowHex0, value << 12U);
    case kOpening:
      return Become(state, byte == '"', kBetween, 0);
    case kClosed:
      return false;
    default:
      return phase <= kHex3 ? StepHex(terminal, state, phase - kHex0, byte)
                            : StepLowHex(terminal, state, phase - kLowHex0, byte);
  }
}

bool GoesOn(const Terminal& terminal, const TerminalState& state) {
  if (terminal.json_string) {
    return state.partial != Pack(kClosed, 0);
  }
  return state.partial != 0 ||
         (terminal.language->extendable[static_cast<size_t>(state.state)] != 0 && state.count < terminal.max_length);
}

bool Accepts(const Terminal& terminal, const TerminalState& state) {
  if (terminal.json_string) {
    return state.partial == Pack(kClosed, 0);
  }
  return state.partial == 0 && terminal.language->accepting[static_cast<size_t>(state.state)] != 0 &&
         state.count >= terminal.min_length;
}

}  // namespace atelier::engine::grammar
