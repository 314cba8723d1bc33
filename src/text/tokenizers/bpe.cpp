#include <algorithm>
#include <optional>

#include "base/ids.h"
#include "text/tokenizers/byte_alphabet.h"
#include "text/tokenizers/merges.h"
#include "text/tokenizers/models.h"
#include "text/tokenizers/pre_tokenizers.h"
#include "text/tokenizers/splitter.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

constexpr int32_t kNoToken = -1;  // of a symbol

class BpeTokenizer final : public TokenizerBase {
 public:
  explicit BpeTokenizer(TokenizerSpec spec)
      : TokenizerBase(std::move(spec)), byte_level_(spec_.kind == TokenizerKind::kByteLevelBpe) {}

 protected:
  Status PrepareModel() override {
    ATELIER_TRY(PrepareSplits());
    plain_ = PlainTokens();
    byte_tokens_ = ByteTokens();
    if (byte_level_) {
      for (size_t byte = 0; byte < byte_tokens_.size(); ++byte) {
        byte_tokens_.at(byte) = Find(AlphabetOf(static_cast<uint8_t>(byte)));
      }
    }
    return PrepareMerges();
  }

  void EncodeText(std::string_view text, bool first, std::vector<int32_t>& ids) const override {
    std::string escaped;
    if (!byte_level_) {
      escaped = EscapeSpaces(text, first);
      text = escaped;
    }
    std::vector<int32_t> symbols;
    for (const std::string_view word : splitter_->Split(text)) {
      EncodeWord(word, symbols, ids);
    }
  }

  std::string BytesOf(int32_t id) const override {
    const std::string_view token = TokenText(id);
    if (!byte_level_) {
      return ReplaceAll(token, kSpaceMark, " ");
    }
    if (KindOf(id) == TokenKind::kNormal) {
      return FromAlphabet(token).value_or(std::string(token));
    }
    return std::string(token);
  }

 private:
  Status PrepareSplits() {
    std::vector<SplitStep> steps;
    if (spec_.splits) {
      steps = *spec_.splits;
    } else if (byte_level_) {
      const PreTokenizer* pre = FindPreTokenizer(spec_.pre.empty() ? "default" : spec_.pre);
      if (pre == nullptr) {
        return MakeError(Code::kUnimplemented, "there is no pre-tokeniser " + QuotedName(spec_.pre),
                         "unknown_pre_tokenizer", "pre");
      }
      steps = pre->steps;
      ignore_merges_ = pre->ignore_merges;
    }
    ignore_merges_ = spec_.ignore_merges.value_or(ignore_merges_);
    ATELIER_ASSIGN(splitter, Splitter::Make(steps));
    splitter_ = std::move(splitter);
    return {};
  }

  Status PrepareMerges() {
    Index all;
    all.reserve(spec_.tokens.size());
    for (int32_t id = 0; id < size(); ++id) {
      all.emplace(TokenText(id), id);
    }
    merges_.emplace(spec_.merges.size());
    for (size_t rank = 0; rank < spec_.merges.size(); ++rank) {
      const std::string& merge = spec_.merges[rank];
      const size_t space = merge.find(' ', 1);
      const auto bad = [&](const std::string& message) {
        return InvalidArgument("merge " + std::to_string(rank) + ", " + QuotedName(merge) + ": " + message, "merges",
                               "invalid_tokenizer");
      };
      if (space == std::string::npos || space + 1 == merge.size()) {
        return bad("it is no pair");
      }
      const auto left = all.find(std::string_view(merge).substr(0, space));
      const auto right = all.find(std::string_view(merge).substr(space + 1));
      const auto whole = all.find(merge.substr(0, space) + merge.substr(space + 1));
      if (left == all.end() || right == all.end() || whole == all.end()) {
        return bad("its parts or what they make are no tokens");
      }
      merges_->Add(left->second, right->second, {static_cast<uint32_t>(rank), whole->second});
    }
    return {};
  }

  int32_t Find(std::string_view token) const {
    const auto found = plain_.find(token);
    return found == plain_.end() ? kNoToken : found->second;
  }

  void EncodeWord(std::string_view word, std::vector<int32_t>& symbols, std::vector<int32_t>& ids) const {
    if (ignore_merges_) {
      const int32_t whole = byte_level_ ? Find(ToAlphabet(word)) : Find(word);
      if (whole != kNoToken) {
        ids.push_back(whole);
        return;
      }
    }
    symbols.clear();
    if (byte_level_) {
      for (const char byte : word) {
        symbols.push_back(byte_tokens_[static_cast<uint8_t>(byte)]);
      }
    } else {
      CharacterSymbols(word, symbols);
    }
    merges_->Apply(symbols);
    bool after_unknown = false;
    for (const int32_t symbol : symbols) {
      if (symbol != kNoToken) {
        ids.push_back(symbol);
      } else if (spec_.unknown && !(after_unknown && spec_.fuse_unknown)) {
        ids.push_back(*spec_.unknown);
      }
      after_unknown = symbol == kNoToken;
    }
  }

  void CharacterSymbols(std::string_view word, std::vector<int32_t>& symbols) const {
    for (size_t at = 0; at < word.size();) {
      const uint32_t length = ReadUtf8(word, at).length;
      const std::string_view character = word.substr(at, length);
      at += length;
      if (const int32_t id = Find(character); id != kNoToken) {
        symbols.push_back(id);
        continue;
      }
      const auto has_token = [&](char byte) { return byte_tokens_[static_cast<uint8_t>(byte)] != kNoToken; };
      if (!std::ranges::all_of(character, has_token)) {
        symbols.push_back(kNoToken);
        continue;
      }
      for (const char byte : character) {
        symbols.push_back(byte_tokens_[static_cast<uint8_t>(byte)]);
      }
    }
  }

  const bool byte_level_;
  bool ignore_merges_ = false;
  std::optional<Splitter> splitter_;
  std::optional<Merges> merges_;
  Index plain_;
  std::array<int32_t, 256> byte_tokens_{};
};

}  // namespace

std::unique_ptr<TokenizerBase> MakeBpe(TokenizerSpec spec) { return std::make_unique<BpeTokenizer>(std::move(spec)); }

}  // namespace atelier::text
