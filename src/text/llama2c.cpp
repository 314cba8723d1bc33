#include "text/llama2c.h"

#include <bit>
#include <cstring>

#include "text/tokenizers/check_spec.h"
#include "text/tokenizers/tokenizer_base.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

static_assert(std::endian::native == std::endian::little, "the file is little-endian");

Error Bad(const std::string& message) {
  return InvalidArgument("not a valid vocabulary of llama2.c: " + message, "tokens", "invalid_tokenizer");
}

template <class T>
bool Take(std::string_view& bytes, T& value) {
  if (bytes.size() < sizeof(value)) {
    return false;
  }
  std::memcpy(&value, bytes.data(), sizeof(value));
  bytes.remove_prefix(sizeof(value));
  return true;
}

}  // namespace

Result<TokenizerSpec> ReadLlama2cTokenizer(std::string_view bytes) {
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kSentencePieceBpe;
  int32_t longest = 0;
  if (!Take(bytes, longest) || longest <= 0 || static_cast<size_t>(longest) > kMaxTokenBytes) {
    return Bad("its longest token cannot have " + std::to_string(longest) + " bytes");
  }
  while (!bytes.empty() && spec.tokens.size() < kMaxTokens) {
    float score = 0;
    int32_t length = 0;
    const std::string name = "token " + std::to_string(spec.tokens.size());
    if (!Take(bytes, score) || !Take(bytes, length) || length < 0 || static_cast<size_t>(length) > bytes.size()) {
      return Bad(name + " is cut off");
    }
    // The longest token is that of the pieces; "\n<s>\n" may be longer.
    if (static_cast<size_t>(length) > kMaxTokenBytes) {
      return Bad(name + " has " + std::to_string(length) + " bytes");
    }
    const std::string_view token = bytes.substr(0, static_cast<size_t>(length));
    bytes.remove_prefix(token.size());
    spec.tokens.push_back(ReplaceAll(token, " ", kSpaceMark));
    spec.scores.push_back(score);
    spec.kinds.push_back(ByteOfToken(token) ? TokenKind::kByte : TokenKind::kNormal);
  }
  if (!bytes.empty() || spec.tokens.size() < 3) {
    return Bad("it has " + std::to_string(spec.tokens.size()) + " tokens, or more");
  }
  spec.tokens[0] = "<unk>";
  spec.tokens[1] = "<s>";
  spec.tokens[2] = "</s>";
  spec.kinds[0] = TokenKind::kUnknown;
  spec.kinds[1] = spec.kinds[2] = TokenKind::kControl;
  spec.unknown = 0;
  spec.bos = 1;
  spec.eos = 2;
  spec.add_bos = true;
  return spec;
}

}  // namespace atelier::text
