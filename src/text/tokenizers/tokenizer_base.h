// What all tokenisers share: special tokens, normalising, the bytes of each token, joining them.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "text/tokenizer.h"
#include "text/tokenizers/normalizer.h"
#include "text/tokenizers/special_tokens.h"

namespace atelier::text {

// The byte that a token "<0xHH>" stands for.
std::optional<uint8_t> ByteOfToken(std::string_view token);

// Whether Decode leaves out the space that Encode puts before a text.
bool DropsFirstSpace(const TokenizerSpec& spec);

class TokenizerBase : public Tokenizer {
 public:
  std::vector<int32_t> Encode(std::string_view text, const EncodeOptions& options) const final;
  std::string_view Bytes(int32_t id) const final;
  std::string Decode(const std::vector<int32_t>& ids) const override;
  const TokenizerSpec& spec() const final { return spec_; }

  // To be called once before use, after a check of the spec. Errors: those of Tokenizer::Make.
  Status Prepare();

 protected:
  // Borrowed spellings of the spec to ids.
  using Index = std::unordered_map<std::string_view, int32_t>;

  explicit TokenizerBase(TokenizerSpec spec) : spec_(std::move(spec)) {}

  virtual Status PrepareModel() = 0;
  // Appends the tokens of `text`, which is normalised and has no special tokens; `first`: nothing stands before it.
  virtual void EncodeText(std::string_view text, bool first, std::vector<int32_t>& ids) const = 0;
  // The bytes of a normal or user-defined token.
  virtual std::string BytesOf(int32_t id) const = 0;

  TokenKind KindOf(int32_t id) const;
  // Whether text may become this token without its being a special token.
  bool IsPlain(int32_t id) const;
  Index PlainTokens() const;
  std::string_view TokenText(int32_t id) const { return spec_.tokens[static_cast<size_t>(id)]; }

  // SentencePiece: `text` with U+2581 for spaces, and one before it where the spec says so.
  std::string EscapeSpaces(std::string_view text, bool first) const;
  std::array<int32_t, 256> ByteTokens() const;  // the ids of "<0xHH>"; -1: none

  const TokenizerSpec spec_;

 private:
  void AppendSpecial(bool before, std::vector<int32_t>& ids) const;

  std::optional<Normalizer> normalizer_;
  SpecialTokens special_;
  std::string bytes_;            // of all tokens, one after another
  std::vector<size_t> offsets_;  // into bytes_; [tokens + 1]
};

}  // namespace atelier::text
