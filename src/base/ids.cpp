#include "base/ids.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdint>

namespace atelier {
namespace {

constexpr size_t kMaxQuotedBytes = 100;

// Length of the well-formed UTF-8 sequence at the front of `text`, or 0.
size_t Utf8Length(std::string_view text) {
  const auto at = [&](size_t i) { return static_cast<unsigned char>(text[i]); };
  const unsigned char first = at(0);
  if (first < 0x80) {
    return 1;
  }
  const size_t length = first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2);
  if (first < 0xC2 || first > 0xF4 || text.size() < length) {
    return 0;
  }
  for (size_t i = 1; i < length; ++i) {
    if ((at(i) & 0xC0U) != 0x80) {
      return 0;
    }
  }
  const unsigned char second = at(1);
  const bool overlong = (first == 0xE0 && second < 0xA0) || (first == 0xF0 && second < 0x90);
  const bool surrogate = first == 0xED && second > 0x9F;
  const bool beyond = first == 0xF4 && second > 0x8F;
  return overlong || surrogate || beyond ? 0 : length;
}

// Code points of names outside ASCII: no C1 controls, no spaces, no bidirectional or other format characters.
bool AllowedOutsideAscii(std::string_view sequence) {
  const auto byte = [&](size_t i) { return static_cast<uint32_t>(static_cast<unsigned char>(sequence[i])); };
  uint32_t point = 0;
  if (sequence.size() == 2) {
    point = ((byte(0) & 0x1FU) << 6U) | (byte(1) & 0x3FU);
  } else if (sequence.size() == 3) {
    point = ((byte(0) & 0x0FU) << 12U) | ((byte(1) & 0x3FU) << 6U) | (byte(2) & 0x3FU);
  } else {
    return true;
  }
  const bool punctuation_block = point >= 0x2000 && point <= 0x206F;
  const bool latin_control = point <= 0xBF;
  return !latin_control && !punctuation_block && point != 0x3000 && point != 0xFEFF && point < 0xFFF0;
}

bool IsDeviceName(std::string_view name) {
  std::string stem(name.substr(0, name.find('.')));
  std::transform(stem.begin(), stem.end(), stem.begin(), [](unsigned char c) { return std::toupper(c); });
  constexpr std::array<std::string_view, 4> kDevices{"CON", "PRN", "AUX", "NUL"};
  if (std::find(kDevices.begin(), kDevices.end(), stem) != kDevices.end()) {
    return true;
  }
  return stem.size() == 4 && (stem.starts_with("COM") || stem.starts_with("LPT")) && std::isdigit(stem[3]) != 0;
}

}  // namespace

std::string Hex(std::span<const std::byte> bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  std::string text;
  text.reserve(bytes.size() * 2);
  for (const std::byte byte : bytes) {
    const auto value = static_cast<unsigned>(byte);
    text += kDigits[value >> 4U];
    text += kDigits[value & 15U];
  }
  return text;
}

std::string NewId(std::string_view prefix, Rng& rng) {
  std::array<std::byte, 16> bits{};
  rng.Fill(bits);
  return std::string(prefix) + Hex(bits);
}

bool IsSha256(std::string_view text) {
  return text.size() == 64 &&
         std::all_of(text.begin(), text.end(), [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool IsUtf8(std::string_view text) {
  while (!text.empty()) {
    const size_t length = Utf8Length(text);
    if (length == 0) {
      return false;
    }
    text.remove_prefix(length);
  }
  return true;
}

std::string QuotedName(std::string_view name) {
  const bool text = IsUtf8(name);
  std::string quoted = "'";
  for (const char c : name.substr(0, kMaxQuotedBytes)) {
    const auto byte = static_cast<unsigned char>(c);
    quoted += byte < 0x20 || byte == 0x7F || (byte >= 0x80 && !text) ? '?' : c;
  }
  if (name.size() > kMaxQuotedBytes) {
    while (!IsUtf8(quoted)) {
      quoted.pop_back();
    }
    quoted += "...";
  }
  return quoted + "'";
}

Status ValidateName(std::string_view name, std::string_view param) {
  const auto refuse = [&](std::string_view why) {
    return InvalidArgument("a name " + std::string(why), std::string(param), "invalid_name");
  };
  if (name.empty() || name.size() > 128) {
    return refuse("has 1 to 128 bytes");
  }
  if (!IsUtf8(name)) {
    return refuse("is UTF-8 text");
  }
  const auto plain = [](char c) { return std::isalnum(static_cast<unsigned char>(c)) != 0; };
  if (static_cast<unsigned char>(name[0]) < 0x80 && !plain(name[0])) {
    return refuse("begins with a letter or digit");
  }
  for (size_t i = 0; i < name.size();) {
    const size_t length = Utf8Length(name.substr(i));
    const char c = name[i];
    if (length == 1 ? !(plain(c) || c == '.' || c == '_' || c == '-') : !AllowedOutsideAscii(name.substr(i, length))) {
      return refuse("has only letters, digits, '.', '_' and '-'");
    }
    i += length;
  }
  if (name.find("..") != std::string_view::npos || IsDeviceName(name)) {
    return refuse("must not contain '..' or be a device name");
  }
  return {};
}

}  // namespace atelier
