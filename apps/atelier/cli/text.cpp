#include "atelier/cli/text.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <ctime>

namespace atelier::cli {
namespace {

struct Range {
  char32_t first;
  char32_t last;
};

// East Asian Width W and F, and emoji that terminals draw wide (Unicode 15), merged over unassigned gaps.
constexpr std::array<Range, 27> kWide{{
    {0x1100, 0x115F}, {0x231A, 0x231B},   {0x23E9, 0x23EC},   {0x23F0, 0x23F0}, {0x23F3, 0x23F3}, {0x25FD, 0x25FE},
    {0x2614, 0x2615}, {0x2648, 0x2653},   {0x26A1, 0x26A1},   {0x26BD, 0x26BE}, {0x2705, 0x2705}, {0x2728, 0x2728},
    {0x274C, 0x274C}, {0x2795, 0x2797},   {0x2B1B, 0x2B1C},   {0x2E80, 0x303E}, {0x3041, 0x33FF}, {0x3400, 0x4DBF},
    {0x4E00, 0xA4CF}, {0xA960, 0xA97F},   {0xAC00, 0xD7A3},   {0xF900, 0xFAFF}, {0xFE30, 0xFE6F}, {0xFF00, 0xFF60},
    {0xFFE0, 0xFFE6}, {0x1F300, 0x1FAFF}, {0x20000, 0x3FFFD},
}};

// Combining marks of the common scripts, joiners and variation selectors.
constexpr std::array<Range, 14> kZero{{
    {0x0300, 0x036F},
    {0x0483, 0x0489},
    {0x0591, 0x05BD},
    {0x0610, 0x061A},
    {0x064B, 0x065F},
    {0x0900, 0x0902},
    {0x0E34, 0x0E3A},
    {0x1AB0, 0x1AFF},
    {0x1DC0, 0x1DFF},
    {0x200B, 0x200F},
    {0x20D0, 0x20FF},
    {0x302A, 0x302D},
    {0xFE00, 0xFE0F},
    {0xFE20, 0xFE2F},
}};

template <size_t N>
bool In(const std::array<Range, N>& ranges, char32_t point) {
  const auto found = std::lower_bound(ranges.begin(), ranges.end(), point,
                                      [](const Range& range, char32_t value) { return range.last < value; });
  return found != ranges.end() && found->first <= point;
}

struct Decoded {
  char32_t point = 0;
  size_t bytes = 1;
  bool valid = false;
};

// The character at the front of non-empty text (RFC 3629; no overlong forms, no surrogates).
Decoded Decode(std::string_view text) {
  const auto lead = static_cast<unsigned char>(text.front());
  if (lead < 0x80) {
    return {lead, 1, true};
  }
  const size_t length = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || text.size() < length) {
    return {lead, 1, false};
  }
  char32_t point = lead & (0x7FU >> length);
  for (size_t i = 1; i < length; ++i) {
    const auto byte = static_cast<unsigned char>(text[i]);
    if ((byte & 0xC0U) != 0x80U) {
      return {lead, 1, false};
    }
    point = (point << 6U) | (byte & 0x3FU);
  }
  static constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  const bool valid = point >= kSmallest.at(length) && point <= 0x10FFFF && (point < 0xD800 || point > 0xDFFF);
  return valid ? Decoded{point, length, true} : Decoded{lead, 1, false};
}

int Width(const Decoded& decoded) {
  if (!decoded.valid) {
    return 1;
  }
  if (In(kZero, decoded.point)) {
    return 0;
  }
  return In(kWide, decoded.point) ? 2 : 1;
}

// Controls, line separators, bidirectional marks and overrides, and the byte order mark.
bool IsUnsafe(char32_t point) {
  return point < 0x20 || (point >= 0x7F && point <= 0x9F) || point == 0x061C || point == 0x200E || point == 0x200F ||
         (point >= 0x2028 && point <= 0x202E) || (point >= 0x2066 && point <= 0x2069) || point == 0xFEFF;
}

template <class... Args>
std::string Format(const char* format, Args... args) {
  std::array<char, 96> buffer{};
  const int length = std::snprintf(buffer.data(), buffer.size(), format, args...);
  return {buffer.data(), static_cast<size_t>(std::clamp<int>(length, 0, buffer.size() - 1))};
}

}  // namespace

int DisplayWidth(std::string_view text) {
  int width = 0;
  while (!text.empty()) {
    const Decoded decoded = Decode(text);
    width += Width(decoded);
    text.remove_prefix(decoded.bytes);
  }
  return width;
}

std::string Escape(std::string_view text, Lines lines) {
  std::string out;
  while (!text.empty()) {
    const Decoded decoded = Decode(text);
    const char c = text.front();
    if (!decoded.valid) {
      out += Format("\\x%02x", static_cast<unsigned>(static_cast<unsigned char>(c)));
    } else if (lines == Lines::kKeep && (c == '\n' || c == '\t')) {
      out += c;
    } else if (c == '\n' || c == '\r' || c == '\t') {
      out += c == '\n' ? "\\n" : c == '\r' ? "\\r" : "\\t";
    } else if (IsUnsafe(decoded.point)) {
      out += Format(decoded.point < 0x100 ? "\\x%02x" : "\\u{%04x}", static_cast<unsigned>(decoded.point));
    } else {
      out += text.substr(0, decoded.bytes);
    }
    text.remove_prefix(decoded.bytes);
  }
  return out;
}

std::string Fit(std::string_view text, int width) {
  if (DisplayWidth(text) <= width) {
    return std::string(text);
  }
  std::string out;
  int used = 0;
  while (!text.empty()) {
    const Decoded decoded = Decode(text);
    if (used + Width(decoded) > width - 1) {
      break;
    }
    used += Width(decoded);
    out += text.substr(0, decoded.bytes);
    text.remove_prefix(decoded.bytes);
  }
  return width > 0 ? out + "\u2026" : out;
}

std::string HumanBytes(double bytes) {
  static constexpr std::array<const char*, 5> kUnits{"B", "KiB", "MiB", "GiB", "TiB"};
  size_t unit = 0;
  while (bytes >= 1024 && unit + 1 < kUnits.size()) {
    bytes /= 1024;
    ++unit;
  }
  return Format(unit == 0 || bytes >= 100 ? "%.0f %s" : "%.1f %s", bytes, kUnits.at(unit));
}

std::string HumanDuration(double seconds) {
  if (!std::isfinite(seconds) || seconds < 0 || seconds > 1e9) {
    return "-";
  }
  const auto total = static_cast<long>(std::ceil(seconds));
  return total >= 3600 ? Format("%ld:%02ld:%02ld", total / 3600, total / 60 % 60, total % 60)
                       : Format("%ld:%02ld", total / 60, total % 60);
}

std::string HumanTime(int64_t unix_seconds) {
  std::tm local{};
  const auto seconds = static_cast<std::time_t>(unix_seconds);
  if (unix_seconds <= 0 || localtime_r(&seconds, &local) == nullptr) {
    return "-";
  }
  std::array<char, 32> buffer{};
  const size_t length = std::strftime(buffer.data(), buffer.size(), "%Y-%m-%d %H:%M", &local);
  return {buffer.data(), length};
}

std::string HumanNumber(double value) {
  if (std::trunc(value) == value && std::abs(value) < 1e15) {
    return Format("%.0f", value);
  }
  return Format("%.4g", value);
}

std::string HumanPercent(double fraction) { return Format("%.1f%%", fraction * 100); }

std::string Bar(double fraction, int width) {
  fraction = std::isfinite(fraction) ? std::clamp(fraction, 0.0, 1.0) : 0;
  const int filled = static_cast<int>(fraction * width);
  std::string bar(static_cast<size_t>(filled), '=');
  if (filled < width) {
    bar += '>';
  }
  bar.resize(static_cast<size_t>(width), ' ');
  return "[" + bar + "]";
}

}  // namespace atelier::cli
