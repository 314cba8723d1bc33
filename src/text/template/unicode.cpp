#include "text/template/unicode.h"

#include <algorithm>
#include <array>
#include <set>

namespace atelier::text::jinja {
namespace {

constexpr char32_t kReplacement = 0xFFFD;

struct Range {
  char32_t first;
  char32_t last;
};

constexpr std::array<Range, 9> kSpaces{{{0x9, 0xd},
                                        {0x1c, 0x20},
                                        {0x85, 0x85},
                                        {0xa0, 0xa0},
                                        {0x1680, 0x1680},
                                        {0x2000, 0x200a},
                                        {0x2028, 0x2029},
                                        {0x202f, 0x202f},
                                        {0x205f, 0x205f}}};

// Categories Cc, Cf, Cs, Co, Zl, Zp and Zs without U+0020.
constexpr Range kUnprintable[] = {
    {0x0, 0x1f},        {0x7f, 0xa0},       {0xad, 0xad},         {0x600, 0x605},     {0x61c, 0x61c},
    {0x6dd, 0x6dd},     {0x70f, 0x70f},     {0x890, 0x891},       {0x8e2, 0x8e2},     {0x1680, 0x1680},
    {0x180e, 0x180e},   {0x2000, 0x200f},   {0x2028, 0x202f},     {0x205f, 0x2064},   {0x2066, 0x206f},
    {0x3000, 0x3000},   {0xd800, 0xf8ff},   {0xfeff, 0xfeff},     {0xfff9, 0xfffb},   {0x110bd, 0x110bd},
    {0x110cd, 0x110cd}, {0x13430, 0x13438}, {0x1bca0, 0x1bca3},   {0x1d173, 0x1d17a}, {0xe0001, 0xe0001},
    {0xe0020, 0xe007f}, {0xf0000, 0xffffd}, {0x100000, 0x10fffd},
};

template <class Predicate>
std::string_view Strip(std::string_view text, Ends ends, const Predicate& removable) {
  size_t begin = 0;
  size_t end = text.size();
  while (ends != Ends::kRight && begin < end) {
    const CodePoint point = DecodeAt(text, begin);
    if (!removable(point.value)) {
      break;
    }
    begin += point.bytes;
  }
  while (ends != Ends::kLeft && end > begin) {
    size_t start = end - 1;
    while (start > begin && end - start < 4 && (static_cast<unsigned char>(text[start]) & 0xC0U) == 0x80U) {
      --start;
    }
    CodePoint point = DecodeAt(text, start);
    if (start + point.bytes != end) {
      point = {kReplacement, 1};
    }
    if (!removable(point.value)) {
      break;
    }
    end -= point.bytes;
  }
  return text.substr(begin, end - begin);
}

}  // namespace

CodePoint DecodeAt(std::string_view text, size_t at) {
  const auto byte = [&](size_t offset) { return static_cast<unsigned char>(text[at + offset]); };
  const unsigned char lead = byte(0);
  if (lead < 0x80) {
    return {lead, 1};
  }
  const size_t count = lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
  if (lead < 0xC2 || lead > 0xF4 || at + count > text.size()) {
    return {kReplacement, 1};
  }
  char32_t value = lead & (0xFFU >> (count + 1));
  for (size_t i = 1; i < count; ++i) {
    if ((byte(i) & 0xC0U) != 0x80U) {
      return {kReplacement, 1};
    }
    value = (value << 6U) | (byte(i) & 0x3FU);
  }
  constexpr std::array<char32_t, 5> kSmallest{0, 0, 0x80, 0x800, 0x10000};
  if (value < kSmallest.at(count) || value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    return {kReplacement, 1};
  }
  return {value, count};
}

void AppendUtf8(std::string& out, char32_t value) {
  if (value > 0x10FFFF || (value >= 0xD800 && value <= 0xDFFF)) {
    value = kReplacement;
  }
  const auto add = [&](char32_t bits) { out.push_back(static_cast<char>(bits)); };
  if (value < 0x80) {
    add(value);
  } else if (value < 0x800) {
    add(0xC0U | (value >> 6U));
    add(0x80U | (value & 0x3FU));
  } else if (value < 0x10000) {
    add(0xE0U | (value >> 12U));
    add(0x80U | ((value >> 6U) & 0x3FU));
    add(0x80U | (value & 0x3FU));
  } else {
    add(0xF0U | (value >> 18U));
    add(0x80U | ((value >> 12U) & 0x3FU));
    add(0x80U | ((value >> 6U) & 0x3FU));
    add(0x80U | (value & 0x3FU));
  }
}

size_t CountCodePoints(std::string_view text) {
  size_t count = 0;
  for (size_t at = 0; at < text.size(); at += DecodeAt(text, at).bytes) {
    ++count;
  }
  return count;
}

std::vector<size_t> CodePointOffsets(std::string_view text) {
  std::vector<size_t> offsets;
  offsets.reserve(text.size() + 1);
  for (size_t at = 0; at < text.size(); at += DecodeAt(text, at).bytes) {
    offsets.push_back(at);
  }
  offsets.push_back(text.size());
  return offsets;
}

bool IsSpace(char32_t value) {
  return value == 0x3000 ||
         std::ranges::any_of(kSpaces, [&](const Range& range) { return value >= range.first && value <= range.last; });
}

bool IsPrintable(char32_t value) {
  return std::ranges::none_of(kUnprintable,
                              [&](const Range& range) { return value >= range.first && value <= range.last; });
}

std::string_view StripSpace(std::string_view text, Ends ends) { return Strip(text, ends, IsSpace); }

std::string_view StripCharacters(std::string_view text, std::string_view characters, Ends ends) {
  std::set<char32_t> removable;
  for (size_t at = 0; at < characters.size();) {
    const CodePoint point = DecodeAt(characters, at);
    removable.insert(point.value);
    at += point.bytes;
  }
  return Strip(text, ends, [&](char32_t value) { return removable.contains(value); });
}

std::string Lower(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    AppendUtf8(out, ToLower(point.value));
    at += point.bytes;
  }
  return out;
}

std::string Upper(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const CodePoint point = DecodeAt(text, at);
    if (point.value == 0xDF) {
      out += "SS";
    } else {
      AppendUtf8(out, ToUpper(point.value));
    }
    at += point.bytes;
  }
  return out;
}

std::string Capitalize(std::string_view text) {
  if (text.empty()) {
    return {};
  }
  const size_t first = DecodeAt(text, 0).bytes;
  return Upper(text.substr(0, first)) + Lower(text.substr(first));
}

}  // namespace atelier::text::jinja
