// GPT-2's alphabet: each byte has a printable character, by which byte-level vocabularies are spelled
// (https://github.com/openai/gpt-2, src/encoder.py: bytes_to_unicode). Printable bytes of Latin-1 stand for themselves,
// the others are U+0100, U+0101 ... in their order.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace atelier::text {

// The character of `byte`, as UTF-8.
std::string_view AlphabetOf(uint8_t byte);

std::string ToAlphabet(std::string_view bytes);

// The bytes that `spelling` stands for; nothing where a character is not of the alphabet.
std::optional<std::string> FromAlphabet(std::string_view spelling);

}  // namespace atelier::text
