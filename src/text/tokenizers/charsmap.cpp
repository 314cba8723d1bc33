#include "text/tokenizers/charsmap.h"

#include <bit>
#include <cstring>

#include "text/utf8.h"

namespace atelier::text {
namespace {

static_assert(std::endian::native == std::endian::little, "the array is little-endian");

constexpr size_t kMaxBytes = 16U << 20U;
constexpr size_t kMaxReplacement = 64;
constexpr uint32_t kValueBit = 1U << 31U;

uint32_t OffsetOf(uint32_t unit) { return (unit >> 10U) << ((unit & (1U << 9U)) >> 6U); }
bool HasValue(uint32_t unit) { return ((unit >> 8U) & 1U) != 0; }

Error Bad(const std::string& message) {
  return InvalidArgument("precompiled_charsmap: " + message, "precompiled_charsmap", "invalid_tokenizer");
}

}  // namespace

Result<Charsmap> Charsmap::Parse(std::string_view blob) {
  uint32_t size = 0;
  if (blob.size() < sizeof(size) || blob.size() > kMaxBytes) {
    return Bad("it has " + std::to_string(blob.size()) + " bytes");
  }
  std::memcpy(&size, blob.data(), sizeof(size));
  blob.remove_prefix(sizeof(size));
  if (size == 0 || size % sizeof(uint32_t) != 0 || size >= blob.size()) {
    return Bad("its array of " + std::to_string(size) + " bytes does not fit");
  }
  if (blob.back() != '\0') {
    return Bad("its last replacement has no end");
  }
  Charsmap map;
  map.units_.resize(size / sizeof(uint32_t));
  std::memcpy(map.units_.data(), blob.data(), size);
  map.replacements_ = blob.substr(size);
  for (size_t at = 0; at < map.replacements_.size();) {
    const size_t end = map.replacements_.find('\0', at);
    if (end - at > kMaxReplacement) {
      return Bad("a replacement has " + std::to_string(end - at) + " bytes");
    }
    at = end + 1;
  }
  return map;
}

Charsmap::Match Charsmap::Longest(std::string_view text, size_t at) const {
  Match match;
  size_t place = OffsetOf(units_[0]);
  for (size_t i = at; i < text.size(); ++i) {
    const auto label = static_cast<uint8_t>(text[i]);
    place ^= label;
    if (label == 0 || place >= units_.size() || (units_[place] & (kValueBit | 0xFFU)) != label) {
      break;
    }
    const uint32_t unit = units_[place];
    place ^= OffsetOf(unit);
    if (HasValue(unit) && place < units_.size()) {
      match = {i + 1 - at, units_[place] & ~kValueBit};
    }
  }
  return match.replacement < replacements_.size() ? match : Match{};
}

std::string Charsmap::Apply(std::string_view text) const {
  std::string out;
  out.reserve(text.size());
  for (size_t at = 0; at < text.size();) {
    const Match match = Longest(text, at);
    if (match.length > 0) {
      out += replacements_.c_str() + match.replacement;
      at += match.length;
    } else {
      const uint32_t length = ReadUtf8(text, at).length;
      out.append(text, at, length);
      at += length;
    }
  }
  return out;
}

}  // namespace atelier::text
