// Text to token ids and back: byte-level BPE, SentencePiece BPE and unigram, WordPiece.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::text {

enum class TokenizerKind { kByteLevelBpe, kSentencePieceBpe, kUnigram, kWordPiece };

enum class TokenKind : uint8_t { kNormal, kUnknown, kControl, kUserDefined, kUnused, kByte };

// A tokeniser as data; filled from GGUF metadata or from tokenizer.json.
struct TokenizerSpec {
  TokenizerKind kind = TokenizerKind::kByteLevelBpe;
  std::string pre;                  // name of the pre-tokeniser as GGUF has it: "gpt-2", "llama-bpe", "qwen2" ...
  std::vector<std::string> tokens;  // as the file spells them
  std::vector<float> scores;        // of SentencePiece kinds; may be empty
  std::vector<TokenKind> kinds;     // as many as tokens, or empty: all normal
  std::vector<std::string> merges;  // "left right", in order of rank
  std::optional<int32_t> bos, eos, eot, unknown, separator, padding, classification, mask;
  bool add_bos = false;
  bool add_eos = false;
  bool add_space_prefix = true;           // SentencePiece
  bool remove_extra_whitespaces = false;  // unigram
  std::string precompiled_charsmap;       // unigram: SentencePiece's normaliser, raw bytes
};

struct EncodeOptions {
  bool add_special = true;    // BOS, EOS, CLS, SEP as the tokeniser says
  bool parse_special = true;  // control tokens spelled in the text become their ids; false for text of a user
};

// Immutable and thread-safe.
class Tokenizer {
 public:
  // Errors: kInvalidArgument "invalid_tokenizer" (duplicate or missing tokens, ids out of range, merges that name no
  // token), kUnimplemented (an unknown pre-tokeniser, by name).
  static Result<std::unique_ptr<Tokenizer>> Make(TokenizerSpec spec);
  virtual ~Tokenizer() = default;

  // Every byte string can be encoded; bytes that are no UTF-8 become byte tokens or the unknown token.
  virtual std::vector<int32_t> Encode(std::string_view text, const EncodeOptions& options) const = 0;
  // The bytes that token `id` adds to a text, in its middle; empty for control tokens and ids out of range. For a
  // control token's spelling see spec().tokens.
  virtual std::string_view Bytes(int32_t id) const = 0;
  // The text of `ids`: joined bytes; a SentencePiece text loses the space that encoding put before it.
  virtual std::string Decode(const std::vector<int32_t>& ids) const = 0;
  virtual const TokenizerSpec& spec() const = 0;
  int32_t size() const { return static_cast<int32_t>(spec().tokens.size()); }
};

}  // namespace atelier::text
