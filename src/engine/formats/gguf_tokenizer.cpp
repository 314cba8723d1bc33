#include "engine/formats/gguf_tokenizer.h"

#include <algorithm>
#include <array>
#include <optional>

#include "base/ids.h"
#include "base/json.h"
#include "text/end_tokens.h"
#include "text/spec_json.h"
#include "text/tokenizers/pre_tokenizers.h"
#include "text/tokenizers/tokenizer_base.h"
#include "text/utf8.h"

namespace atelier::engine {
namespace {

using tensor::GgufFile;
using text::TokenizerKind;
using text::TokenizerSpec;
using text::TokenKind;

constexpr uint64_t kNoId = 0xFFFFFFFF;  // how some converters write "none"

std::string Key(std::string_view name) { return "tokenizer.ggml." + std::string(name); }

Error Bad(std::string_view name, const std::string& message) {
  return InvalidArgument(Key(name) + ": " + message, Key(name), "invalid_tokenizer");
}

// The value of a key that must be there.
template <class T>
Result<T> Needed(std::string_view name, Result<T> read) {
  return !read.ok() && read.error().code == Code::kNotFound ? Result<T>(Bad(name, "it is missing")) : read;
}

// The value of a key that may be absent.
Status ReadFlag(const GgufFile& file, std::string_view name, bool& flag) {
  if (file.Has(Key(name))) {
    ATELIER_ASSIGN(value, file.Boolean(Key(name)));
    flag = value;
  }
  return {};
}

// One of tokenizer.ggml.{names}; `fallback` where none is there and it is a token.
struct IdKey {
  std::vector<std::string_view> names;
  std::optional<int32_t> TokenizerSpec::*field;
};

Status ReadId(const GgufFile& file, const IdKey& key, TokenizerSpec& spec) {
  for (const std::string_view name : key.names) {
    if (!file.Has(Key(name))) {
      continue;
    }
    ATELIER_ASSIGN(id, file.Integer(Key(name)));
    if (id == -1 || static_cast<uint64_t>(id) == kNoId) {
      spec.*key.field = std::nullopt;
    } else if (id < 0 || static_cast<uint64_t>(id) >= spec.tokens.size()) {
      return Bad(name, std::to_string(id) + " is no token; there are " + std::to_string(spec.tokens.size()));
    } else {
      spec.*key.field = static_cast<int32_t>(id);
    }
    return {};
  }
  if (spec.*key.field && static_cast<size_t>(*(spec.*key.field)) >= spec.tokens.size()) {
    spec.*key.field = std::nullopt;  // a default that this vocabulary does not have
  }
  return {};
}

Status ReadIds(const GgufFile& file, TokenizerSpec& spec) {
  const IdKey keys[] = {{{"bos_token_id"}, &TokenizerSpec::bos},
                        {{"eos_token_id"}, &TokenizerSpec::eos},
                        {{"eot_token_id"}, &TokenizerSpec::eot},
                        {{"unknown_token_id"}, &TokenizerSpec::unknown},
                        {{"seperator_token_id", "separator_token_id"}, &TokenizerSpec::separator},
                        {{"padding_token_id"}, &TokenizerSpec::padding},
                        {{"cls_token_id"}, &TokenizerSpec::classification},
                        {{"mask_token_id"}, &TokenizerSpec::mask}};
  for (const IdKey& key : keys) {
    ATELIER_TRY(ReadId(file, key, spec));
  }
  return {};
}

// Kind, defaults and pre-tokeniser.
Status ReadModel(const GgufFile& file, TokenizerSpec& spec) {
  ATELIER_ASSIGN(model, Needed("model", file.Text(Key("model"))));
  if (file.Has(Key("pre"))) {
    ATELIER_ASSIGN(pre, file.Text(Key("pre")));
    spec.pre = pre;
  }
  if (model == "gpt2") {
    spec.kind = TokenizerKind::kByteLevelBpe;
    spec.pre = spec.pre.empty() ? "default" : spec.pre;
    const text::PreTokenizer* pre = text::FindPreTokenizer(spec.pre);
    spec.add_bos = pre != nullptr && pre->add_bos;
    spec.add_space_prefix = false;
  } else if (model == "llama") {
    spec.kind = TokenizerKind::kSentencePieceBpe;
    spec.unknown = 0;
    spec.bos = 1;
    spec.eos = 2;
    spec.add_bos = true;
  } else if (model == "t5") {
    spec.kind = TokenizerKind::kUnigram;
    spec.padding = 0;
    spec.eos = 1;
    spec.unknown = 2;
    spec.add_eos = true;
  } else if (model == "bert") {
    spec.kind = TokenizerKind::kWordPiece;
    spec.padding = 0;
    spec.unknown = 100;
    spec.bos = 101;
    spec.separator = 102;
    spec.mask = 103;
    spec.word_piece.word_prefix = text::kSpaceMark;
    spec.word_piece.continuing_prefix = "";
    spec.word_piece.max_word_chars = 0;
  } else {
    return MakeError(Code::kUnimplemented, "tokenizer.ggml.model: there is no tokeniser " + QuotedName(model),
                     "unknown_tokenizer", Key("model"));
  }
  return {};
}

Result<std::vector<float>> ReadScores(const GgufFile& file) {
  std::vector<float> scores;
  if (auto numbers = file.Numbers(Key("scores")); numbers.ok()) {
    std::ranges::transform(*numbers, std::back_inserter(scores),
                           [](double score) { return static_cast<float>(score); });
    return scores;
  }
  ATELIER_ASSIGN(integers, file.Integers(Key("scores")));
  std::ranges::transform(integers, std::back_inserter(scores), [](int64_t score) { return static_cast<float>(score); });
  return scores;
}

Result<std::vector<TokenKind>> ReadKinds(const GgufFile& file) {
  // In the order of the file's numbers, from 0.
  constexpr std::array<TokenKind, 7> kKinds{TokenKind::kUnused,  TokenKind::kNormal,      TokenKind::kUnknown,
                                            TokenKind::kControl, TokenKind::kUserDefined, TokenKind::kUnused,
                                            TokenKind::kByte};
  ATELIER_ASSIGN(types, file.Integers(Key("token_type")));
  std::vector<TokenKind> kinds;
  kinds.reserve(types.size());
  for (const int64_t type : types) {
    if (type < 0 || type >= static_cast<int64_t>(kKinds.size())) {
      return Bad("token_type", "token " + std::to_string(kinds.size()) + " is of type " + std::to_string(type));
    }
    kinds.push_back(kKinds.at(static_cast<size_t>(type)));
  }
  return kinds;
}

// What the types would say, where the file has none.
std::vector<TokenKind> GuessKinds(const TokenizerSpec& spec) {
  std::vector<TokenKind> kinds(spec.tokens.size(), TokenKind::kNormal);
  for (size_t id = 0; id < kinds.size(); ++id) {
    if (spec.kind != TokenizerKind::kByteLevelBpe && text::ByteOfToken(spec.tokens[id])) {
      kinds[id] = TokenKind::kByte;
    }
  }
  for (const auto& id : {spec.bos, spec.eos, spec.eot, spec.separator, spec.padding, spec.classification, spec.mask}) {
    if (id) {
      kinds.at(static_cast<size_t>(*id)) = TokenKind::kControl;
    }
  }
  if (spec.unknown) {
    kinds.at(static_cast<size_t>(*spec.unknown)) = TokenKind::kUnknown;
  }
  return kinds;
}

Status ReadTokens(const GgufFile& file, TokenizerSpec& spec) {
  ATELIER_ASSIGN(tokens, Needed("tokens", file.Texts(Key("tokens"))));
  if (tokens.empty()) {
    return Bad("tokens", "there are none");
  }
  spec.tokens.assign(tokens.begin(), tokens.end());
  if (file.Has(Key("scores"))) {
    ATELIER_ASSIGN(scores, ReadScores(file));
    spec.scores = std::move(scores);
  }
  ATELIER_TRY(ReadIds(file, spec));
  if (file.Has(Key("token_type"))) {
    ATELIER_ASSIGN(kinds, ReadKinds(file));
    spec.kinds = std::move(kinds);
    if (spec.kinds.size() != spec.tokens.size()) {
      return Bad("token_type", "there are " + std::to_string(spec.kinds.size()) + " types for " +
                                   std::to_string(spec.tokens.size()) + " tokens");
    }
  } else {
    spec.kinds = GuessKinds(spec);
  }
  if (spec.kind == TokenizerKind::kByteLevelBpe) {
    ATELIER_ASSIGN(merges, Needed("merges", file.Texts(Key("merges"))));
    spec.merges.assign(merges.begin(), merges.end());
  }
  return {};
}

Status ReadOptions(const GgufFile& file, TokenizerSpec& spec) {
  if (spec.kind == TokenizerKind::kWordPiece) {
    spec.add_bos = true;
    spec.add_eos = true;
    ATELIER_TRY(ReadFlag(file, "add_sep_token", spec.add_eos));
    ATELIER_TRY(ReadFlag(file, "normalizer.lowercase", spec.word_piece.lowercase));
    spec.word_piece.strip_accents = spec.word_piece.lowercase;
    ATELIER_TRY(ReadFlag(file, "normalizer.strip_accents", spec.word_piece.strip_accents));
  } else {
    ATELIER_TRY(ReadFlag(file, "add_eos_token", spec.add_eos));
    spec.add_bos = spec.add_bos && spec.bos.has_value();
    ATELIER_TRY(ReadFlag(file, "add_bos_token", spec.add_bos));
  }
  if (spec.kind == TokenizerKind::kSentencePieceBpe || spec.kind == TokenizerKind::kUnigram) {
    ATELIER_TRY(ReadFlag(file, "add_space_prefix", spec.add_space_prefix));
  }
  if (spec.kind == TokenizerKind::kUnigram) {
    ATELIER_TRY(ReadFlag(file, "remove_extra_whitespaces", spec.remove_extra_whitespaces));
    if (file.Has(Key("precompiled_charsmap"))) {
      ATELIER_ASSIGN(bytes, file.Integers(Key("precompiled_charsmap")));
      std::ranges::transform(bytes, std::back_inserter(spec.precompiled_charsmap),
                             [](int64_t byte) { return static_cast<char>(byte); });
    }
  }
  return {};
}

void MarkEnds(TokenizerSpec& spec) {
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    if (text::IsKnownEnd(spec.tokens[id])) {
      spec.kinds[id] = TokenKind::kControl;
    }
  }
}

// Phi-3's special tokens take the white space behind them, which GGUF has no key for.
Status MarkStripping(const GgufFile& file, TokenizerSpec& spec) {
  if (!file.Has("general.name")) {
    return {};
  }
  ATELIER_ASSIGN(name, file.Text("general.name"));
  std::ranges::transform(name, name.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; });
  if (name.find("phi-3") == std::string::npos && name.find("phi3") == std::string::npos) {
    return {};
  }
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const TokenKind kind = spec.kinds[id];
    const std::string& token = spec.tokens[id];
    const bool special = kind == TokenKind::kControl || kind == TokenKind::kUserDefined || kind == TokenKind::kUnknown;
    if (special && token != "<unk>" && token != "<s>" && token != "<|endoftext|>") {
      spec.strips_right.push_back(static_cast<int32_t>(id));
    }
  }
  return {};
}

// The tokens that GGUF knows: a tokenizer.json may name more, or fewer.
void FitTokens(size_t count, TokenizerSpec& spec) {
  for (size_t id = spec.tokens.size(); id < count; ++id) {
    spec.tokens.push_back("[PAD" + std::to_string(id) + "]");
  }
  spec.tokens.resize(count);
  spec.kinds.resize(count, TokenKind::kUnused);
  if (!spec.scores.empty()) {
    spec.scores.resize(count);
  }
  const auto beyond = [&](int32_t id) { return static_cast<size_t>(id) >= count; };
  for (auto* ids : {&spec.strips_left, &spec.strips_right, &spec.before, &spec.after}) {
    std::erase_if(*ids, beyond);
  }
  for (auto* id : {&spec.bos, &spec.eos, &spec.eot, &spec.unknown, &spec.separator, &spec.padding, &spec.classification,
                   &spec.mask}) {
    *id = *id && beyond(**id) ? std::nullopt : *id;
  }
}

// The special tokens that the keys of ggml name, as tokenizer_config.json would.
std::string SpecialTokens(const GgufFile& file, std::span<const std::string> tokens) {
  constexpr std::pair<std::string_view, std::string_view> kNames[] = {
      {"bos_token_id", "bos_token"},       {"eos_token_id", "eos_token"},     {"unknown_token_id", "unk_token"},
      {"seperator_token_id", "sep_token"}, {"padding_token_id", "pad_token"}, {"cls_token_id", "cls_token"},
      {"mask_token_id", "mask_token"}};
  json::object names;
  for (const auto& [key, name] : kNames) {
    const auto id = file.Integer(Key(key));
    if (id.ok() && *id >= 0 && static_cast<uint64_t>(*id) < tokens.size()) {
      names[name] = tokens[static_cast<size_t>(*id)];
    }
  }
  return json::serialize(names);
}

Result<TokenizerSpec> OfTokenizerJson(const GgufFile& file) {
  ATELIER_ASSIGN(json, file.Text(kTokenizerJsonKey));
  ATELIER_ASSIGN(tokens, file.Texts(Key("tokens")));
  const std::string names = SpecialTokens(file, tokens);
  ATELIER_ASSIGN(spec, text::ReadTokenizerJson({.tokenizer_json = json, .tokenizer_config_json = names}));
  FitTokens(tokens.size(), spec);
  ATELIER_TRY(ReadIds(file, spec));
  ATELIER_TRY(ReadFlag(file, "add_bos_token", spec.add_bos));
  ATELIER_TRY(ReadFlag(file, "add_eos_token", spec.add_eos));
  const bool words = spec.kind == TokenizerKind::kWordPiece;
  spec.add_bos = spec.add_bos && (spec.bos || (words && spec.classification));
  spec.add_eos = spec.add_eos && (spec.eos || (words && spec.separator));
  MarkEnds(spec);
  return spec;
}

}  // namespace

Result<TokenizerSpec> TokenizerSpecFromGguf(const GgufFile& file) {
  if (file.Has(kTokenizerJsonKey)) {
    auto whole = OfTokenizerJson(file);
    if (whole.ok() || whole.error().code != Code::kUnimplemented) {
      return whole;
    }
  }
  TokenizerSpec spec;
  ATELIER_TRY(ReadModel(file, spec));
  ATELIER_TRY(ReadTokens(file, spec));
  ATELIER_TRY(ReadOptions(file, spec));
  MarkEnds(spec);
  ATELIER_TRY(MarkStripping(file, spec));
  return spec;
}

}  // namespace atelier::engine
