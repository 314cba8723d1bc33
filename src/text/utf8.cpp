#include "text/utf8.h"

#include "base/ids.h"

namespace atelier::text {
namespace {

struct Lead {
  uint32_t length;  // of the whole sequence; 0: no lead byte
  uint8_t low;      // bounds of the second byte
  uint8_t high;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0xC2 || byte > 0xF4) {
    return {0, 0, 0};
  }
  if (byte < 0xE0) {
    return {2, 0x80, 0xBF};
  }
  if (byte < 0xF0) {
    return {3, static_cast<uint8_t>(byte == 0xE0 ? 0xA0 : 0x80), static_cast<uint8_t>(byte == 0xED ? 0x9F : 0xBF)};
  }
  return {4, static_cast<uint8_t>(byte == 0xF0 ? 0x90 : 0x80), static_cast<uint8_t>(byte == 0xF4 ? 0x8F : 0xBF)};
}

}  // namespace

Utf8Step ReadUtf8(std::string_view text, size_t at) {
  const auto first = static_cast<uint8_t>(text[at]);
  if (first < 0x80) {
    return {first, 1, true, false};
  }
  const Lead lead = LeadOf(first);
  Utf8Step step;
  if (lead.length == 0) {
    return step;
  }
  char32_t value = first & (0x7FU >> lead.length);
  for (uint32_t i = 1; i < lead.length; ++i) {
    if (at + i >= text.size()) {
      step.truncated = true;
      return step;
    }
    const auto byte = static_cast<uint8_t>(text[at + i]);
    if (byte < (i == 1 ? lead.low : 0x80) || byte > (i == 1 ? lead.high : 0xBF)) {
      return step;
    }
    value = (value << 6U) | (byte & 0x3FU);
    step.length = i + 1;
  }
  step.value = value;
  step.valid = true;
  return step;
}

void AppendUtf8(std::string& out, char32_t value) {
  const auto tail = [&](unsigned shift) { out += static_cast<char>(0x80U | ((value >> shift) & 0x3FU)); };
  if (value < 0x80) {
    out += static_cast<char>(value);
  } else if (value < 0x800) {
    out += static_cast<char>(0xC0U | (value >> 6U));
    tail(0);
  } else if (value < 0x10000) {
    out += static_cast<char>(0xE0U | (value >> 12U));
    tail(6);
    tail(0);
  } else {
    out += static_cast<char>(0xF0U | (value >> 18U));
    tail(12);
    tail(6);
    tail(0);
  }
}

std::string ReplaceInvalidUtf8(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Utf8Step step = ReadUtf8(text, at);
    out += step.valid ? text.substr(at, step.length) : kReplacementCharacter;
    at += step.length;
  }
  return out;
}

size_t RunEnd(std::string_view text, size_t at, bool& valid) {
  if (at == 0 && IsUtf8(text)) {
    valid = true;
    return text.size();
  }
  Utf8Step step = ReadUtf8(text, at);
  valid = step.valid;
  for (at += step.length; at < text.size(); at += step.length) {
    step = ReadUtf8(text, at);
    if (step.valid != valid) {
      break;
    }
  }
  return at;
}

std::string ReplaceAll(std::string_view text, std::string_view from, std::string_view to) {
  std::string out;
  size_t at = 0;
  for (size_t found = text.find(from); found != std::string_view::npos; found = text.find(from, at)) {
    out.append(text, at, found - at).append(to);
    at = found + from.size();
  }
  out.append(text, at);
  return out;
}

}  // namespace atelier::text
