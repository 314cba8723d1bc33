#include "vocabulary.h"

#include <cstddef>
#include <utility>
#include <vector>

namespace atelier::bench {
namespace {

using tensor::GgufType;

constexpr size_t kLetters = 26;
constexpr size_t kLongWords = kLetters * kLetters * kLetters * kLetters;
constexpr size_t kStride = 312509;  // has no divisor in common with kLongWords
constexpr int64_t kNormal = 1;
constexpr int64_t kControl = 3;
constexpr std::string_view kSpace = "\u0120";  // of byte-level vocabularies
constexpr std::string_view kChatTemplate =
    "{% for message in messages %}<|im_start|>{{ message['role'] }}\n{{ message['content'] }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}";

std::string Utf8(uint32_t code) {  // below 0x800
  if (code < 0x80) {
    return {static_cast<char>(code)};
  }
  return {static_cast<char>(0xC0U | (code >> 6U)), static_cast<char>(0x80U | (code & 0x3FU))};
}

// GPT-2's letters for bytes: printable ones stand for themselves, the others are moved up in order.
std::string ByteToken(uint32_t byte, uint32_t& moved) {
  const bool printable =
      (byte >= '!' && byte <= '~') || (byte >= 0xA1 && byte <= 0xAC) || (byte >= 0xAE && byte <= 0xFF);
  return Utf8(printable ? byte : 256 + moved++);
}

// Word `index` of those of `length` letters.
std::string Word(size_t index, size_t length) {
  std::string word(length, 'a');
  for (size_t i = length; i-- > 0; index /= kLetters) {
    word[i] = static_cast<char>('a' + index % kLetters);
  }
  return word;
}

struct Vocabulary {
  std::vector<std::string> tokens;
  std::vector<std::string> merges;

  void AddWord(const std::string& word) {
    const std::string beginning = std::string(kSpace) + word.substr(0, word.size() - 1);
    merges.push_back(beginning + " " + word.back());
    tokens.push_back(beginning + word.back());
  }
};

}  // namespace

void AddVocabulary(const Shape& shape, tensor::GgufMetadata& metadata) {
  Vocabulary vocabulary;
  uint32_t moved = 0;
  for (uint32_t byte = 0; byte < 256; ++byte) {
    vocabulary.tokens.push_back(ByteToken(byte, moved));
  }
  const auto size = static_cast<size_t>(shape.vocabulary);
  const std::vector<std::string> controls = {"<|endoftext|>", "<|im_start|>", "<|im_end|>"};
  for (size_t length = 1, count = kLetters; length <= 4; ++length, count *= kLetters) {
    for (size_t i = 0; i < count && vocabulary.tokens.size() + controls.size() < size; ++i) {
      vocabulary.AddWord(Word(length < 4 ? i : i * kStride % kLongWords, length));
    }
  }
  std::vector<int64_t> kinds(vocabulary.tokens.size(), kNormal);
  for (const std::string& control : controls) {
    vocabulary.tokens.push_back(control);
    kinds.push_back(kControl);
  }
  const auto id = [&](size_t from_end) { return static_cast<uint64_t>(vocabulary.tokens.size() - from_end); };
  metadata["tokenizer.ggml.model"] = {std::string("gpt2")};
  metadata["tokenizer.ggml.pre"] = {std::string(shape.pre_tokenizer)};
  metadata["tokenizer.ggml.bos_token_id"] = {id(3), GgufType::kU32};
  metadata["tokenizer.ggml.eos_token_id"] = {id(1), GgufType::kU32};
  metadata["tokenizer.ggml.padding_token_id"] = {id(3), GgufType::kU32};
  metadata["tokenizer.ggml.add_bos_token"] = {false};
  metadata["tokenizer.chat_template"] = {std::string(kChatTemplate)};
  metadata["tokenizer.ggml.token_type"] = {std::move(kinds), GgufType::kI32};
  metadata["tokenizer.ggml.tokens"] = {std::move(vocabulary.tokens)};
  metadata["tokenizer.ggml.merges"] = {std::move(vocabulary.merges)};
}

}  // namespace atelier::bench
