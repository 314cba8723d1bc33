#include <algorithm>

#include "engine/grammar/dfa.h"

namespace atelier::engine::grammar {

CodeSet Normalized(CodeSet ranges) {
  std::sort(ranges.begin(), ranges.end(), [](const Range& a, const Range& b) { return a.first < b.first; });
  CodeSet merged;
  for (const Range& range : ranges) {
    if (range.first > range.last) {
      continue;
    }
    if (!merged.empty() && range.first <= merged.back().last + 1) {
      merged.back().last = std::max(merged.back().last, range.last);
    } else {
      merged.push_back(range);
    }
  }
  CodeSet out;
  for (const Range& range : merged) {
    if (range.first < kSurrogateBegin) {
      out.push_back({range.first, std::min(range.last, kSurrogateBegin - 1)});
    }
    if (range.last >= kSurrogateEnd) {
      out.push_back({std::max(range.first, kSurrogateEnd), std::min(range.last, kCodePointEnd - 1)});
    }
  }
  return out;
}

CodeSet Complement(const CodeSet& normalized) {
  CodeSet out;
  CodePoint begin = 0;
  for (const Range& range : normalized) {
    if (range.first > begin) {
      out.push_back({begin, range.first - 1});
    }
    begin = range.last + 1;
  }
  if (begin < kCodePointEnd) {
    out.push_back({begin, kCodePointEnd - 1});
  }
  return Normalized(std::move(out));
}

CodeSet AnyCode() { return {{0, kSurrogateBegin - 1}, {kSurrogateEnd, kCodePointEnd - 1}}; }

std::optional<std::vector<CodePoint>> DecodeUtf8(std::string_view text) {
  std::vector<CodePoint> codes;
  for (size_t i = 0; i < text.size();) {
    const auto lead = static_cast<uint8_t>(text[i]);
    const size_t length = lead < 0x80 ? 1 : lead < 0xC2 ? 0 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : lead < 0xF5 ? 4 : 0;
    if (length == 0 || i + length > text.size()) {
      return std::nullopt;
    }
    CodePoint code = length == 1 ? lead : lead & (0x7FU >> length);
    for (size_t j = 1; j < length; ++j) {
      const auto byte = static_cast<uint8_t>(text[i + j]);
      if ((byte & 0xC0U) != 0x80) {
        return std::nullopt;
      }
      code = (code << 6U) | (byte & 0x3FU);
    }
    const CodePoint least = length == 3 ? 0x800 : length == 4 ? 0x10000 : 0;
    if (code < least || code >= kCodePointEnd || (code >= kSurrogateBegin && code < kSurrogateEnd)) {
      return std::nullopt;
    }
    codes.push_back(code);
    i += length;
  }
  return codes;
}

void AppendUtf8(CodePoint code, std::string& out) {
  if (code < 0x80) {
    out += static_cast<char>(code);
  } else if (code < 0x800) {
    out += static_cast<char>(0xC0U | (code >> 6U));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else if (code < 0x10000) {
    out += static_cast<char>(0xE0U | (code >> 12U));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  } else {
    out += static_cast<char>(0xF0U | (code >> 18U));
    out += static_cast<char>(0x80U | ((code >> 12U) & 0x3FU));
    out += static_cast<char>(0x80U | ((code >> 6U) & 0x3FU));
    out += static_cast<char>(0x80U | (code & 0x3FU));
  }
}

}  // namespace atelier::engine::grammar
