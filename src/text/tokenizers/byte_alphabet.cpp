#include "text/tokenizers/byte_alphabet.h"

#include <array>

#include "text/utf8.h"

namespace atelier::text {
namespace {

constexpr char32_t kFirstOfOthers = 0x100;

struct Alphabet {
  std::array<std::string, 256> characters;
  std::array<int16_t, 0x144> bytes{};  // of a code point; -1: none
};

Alphabet MakeAlphabet() {
  Alphabet alphabet;
  alphabet.bytes.fill(-1);
  char32_t other = kFirstOfOthers;
  for (int byte = 0; byte < 256; ++byte) {
    const bool printable = (byte >= 0x21 && byte <= 0x7E) || (byte >= 0xA1 && byte <= 0xFF && byte != 0xAD);
    const char32_t character = printable ? static_cast<char32_t>(byte) : other++;
    AppendUtf8(alphabet.characters.at(static_cast<size_t>(byte)), character);
    alphabet.bytes.at(character) = static_cast<int16_t>(byte);
  }
  return alphabet;
}

const Alphabet& TheAlphabet() {
  static const Alphabet alphabet = MakeAlphabet();
  return alphabet;
}

}  // namespace

std::string_view AlphabetOf(uint8_t byte) { return TheAlphabet().characters.at(byte); }

std::string ToAlphabet(std::string_view bytes) {
  std::string out;
  out.reserve(bytes.size() * 2);
  for (const char byte : bytes) {
    out += AlphabetOf(static_cast<uint8_t>(byte));
  }
  return out;
}

std::optional<std::string> FromAlphabet(std::string_view spelling) {
  const Alphabet& alphabet = TheAlphabet();
  std::string out;
  for (size_t at = 0; at < spelling.size();) {
    const Utf8Step step = ReadUtf8(spelling, at);
    if (!step.valid || step.value >= alphabet.bytes.size() || alphabet.bytes.at(step.value) < 0) {
      return std::nullopt;
    }
    out += static_cast<char>(alphabet.bytes.at(step.value));
    at += step.length;
  }
  return out;
}

}  // namespace atelier::text
