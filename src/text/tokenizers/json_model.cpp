#include <algorithm>

#include "base/ids.h"
#include "text/tokenizers/check_spec.h"
#include "text/tokenizers/json_parts.h"
#include "text/tokenizers/tokenizer_base.h"
#include "text/utf8.h"

namespace atelier::text {
namespace {

// A string field that must be absent, null or empty.
Status RefuseText(Fields& fields, std::string_view key, std::string_view model) {
  ATELIER_ASSIGN(text, fields.StringOr(key, ""));
  if (!text.empty()) {
    return UnknownPart(fields.Path(key), std::string(model) + " with " + std::string(key));
  }
  return {};
}

// `vocab` as an object {token: id}.
Status ReadVocabulary(const json::object& model, SpecDraft& draft, bool byte_fallback) {
  const json::value* vocab = model.if_contains("vocab");
  if (vocab == nullptr || !vocab->is_object()) {
    return BadPart("model.vocab", "it is no object of tokens");
  }
  for (const auto& entry : vocab->get_object()) {
    const auto* id = entry.value().if_int64();
    if (id == nullptr) {
      return BadPart("model.vocab", "the id of " + QuotedName(entry.key()) + " is no integer");
    }
    const TokenKind kind = byte_fallback && ByteOfToken(entry.key()) ? TokenKind::kByte : TokenKind::kNormal;
    ATELIER_TRY(draft.Put("model.vocab", *id, entry.key(), kind));
  }
  return {};
}

// A merge is "left right" or ["left", "right"].
Result<std::string> ReadMerge(const json::value& value, size_t index) {
  const std::string path = "model.merges[" + std::to_string(index) + "]";
  if (value.is_string()) {
    return std::string(std::string_view(value.get_string()));
  }
  if (!value.is_array() || value.get_array().size() != 2 || !value.get_array()[0].is_string() ||
      !value.get_array()[1].is_string()) {
    return BadPart(path, "it is no pair of strings");
  }
  const std::string_view left = value.get_array()[0].get_string();
  const std::string_view right = value.get_array()[1].get_string();
  if (left.empty() || left.find(' ', 1) != std::string_view::npos) {
    return UnknownPart(path, "a merge with a space within");
  }
  return std::string(left) + " " + std::string(right);
}

// A BPE that merges nothing: its tokens are characters, and longer ones never are found.
void KeepCharacters(TokenizerSpec& spec) {
  spec.scores.assign(spec.tokens.size(), 0);
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    const std::string& token = spec.tokens[id];
    if (spec.kinds[id] == TokenKind::kNormal && ReadUtf8(token, 0).length != token.size()) {
      spec.kinds[id] = TokenKind::kUnused;
    }
  }
}

Status ReadBpe(const json::object& model, SpecDraft& draft) {
  Fields fields(model, "model");
  draft.spec.kind = TokenizerKind::kSentencePieceBpe;
  ATELIER_TRY(RefuseText(fields, "continuing_subword_prefix", "a BPE"));
  ATELIER_TRY(RefuseText(fields, "end_of_word_suffix", "a BPE"));
  ATELIER_ASSIGN(dropout, fields.NumberOr("dropout", 0, 0, 1));
  if (dropout != 0) {
    return UnknownPart("model.dropout", "a BPE with dropout");
  }
  ATELIER_ASSIGN(byte_fallback, fields.BoolOr("byte_fallback", false));
  ATELIER_ASSIGN(ignore_merges, fields.BoolOr("ignore_merges", false));
  ATELIER_ASSIGN(fuse_unknown, fields.BoolOr("fuse_unk", false));
  ATELIER_ASSIGN(unknown, fields.StringOr("unk_token", ""));
  draft.spec.ignore_merges = ignore_merges;
  draft.spec.fuse_unknown = fuse_unknown;
  draft.unknown = unknown;
  ATELIER_TRY(ReadVocabulary(model, draft, byte_fallback));
  ATELIER_ASSIGN(merges, fields.ArrayOr("merges", kMaxMerges));
  if (merges == nullptr) {
    return BadPart("model.merges", "there are none");
  }
  if (merges->empty()) {
    KeepCharacters(draft.spec);
  }
  for (size_t i = 0; i < merges->size(); ++i) {
    ATELIER_ASSIGN(merge, ReadMerge((*merges)[i], i));
    draft.spec.merges.push_back(std::move(merge));
  }
  return {};
}

Status ReadUnigram(const json::object& model, SpecDraft& draft) {
  Fields fields(model, "model");
  draft.spec.kind = TokenizerKind::kUnigram;
  ATELIER_ASSIGN(byte_fallback, fields.BoolOr("byte_fallback", false));
  ATELIER_ASSIGN(unknown, fields.Int("unk_id", 0, static_cast<int64_t>(kMaxTokens)));
  ATELIER_ASSIGN(vocab, fields.ArrayOr("vocab", kMaxTokens));
  if (vocab == nullptr) {
    return BadPart("model.vocab", "there is none");
  }
  for (size_t id = 0; id < vocab->size(); ++id) {
    const json::value& entry = (*vocab)[id];
    const std::string path = "model.vocab[" + std::to_string(id) + "]";
    if (!entry.is_array() || entry.get_array().size() != 2 || !entry.get_array()[0].is_string() ||
        !entry.get_array()[1].is_number()) {
      return BadPart(path, "it is no token with its score");
    }
    const std::string_view token = entry.get_array()[0].get_string();
    TokenKind kind = byte_fallback && ByteOfToken(token) ? TokenKind::kByte : TokenKind::kNormal;
    kind = static_cast<int64_t>(id) == unknown ? TokenKind::kUnknown : kind;
    ATELIER_TRY(draft.Put(path, static_cast<int64_t>(id), token, kind));
    draft.spec.scores.push_back(entry.get_array()[1].to_number<float>());
  }
  draft.spec.unknown = static_cast<int32_t>(unknown);
  return {};
}

Status ReadWordPiece(const json::object& model, SpecDraft& draft) {
  Fields fields(model, "model");
  draft.spec.kind = TokenizerKind::kWordPiece;
  WordPieceOptions& options = draft.spec.word_piece;
  ATELIER_ASSIGN(unknown, fields.StringOr("unk_token", "[UNK]"));
  ATELIER_ASSIGN(prefix, fields.StringOr("continuing_subword_prefix", "##", 64));
  ATELIER_ASSIGN(longest, fields.IntOr("max_input_chars_per_word", 100, 1, 1'000'000));
  draft.unknown = unknown;
  options.continuing_prefix = prefix;
  options.max_word_chars = static_cast<int32_t>(longest);
  options.clean_text = options.separate_chinese = options.lowercase = options.strip_accents = false;
  return ReadVocabulary(model, draft, false);
}

// Old files leave the type out.
std::string GuessType(const json::object& model) {
  if (model.contains("merges")) {
    return "BPE";
  }
  return model.contains("unk_id") ? "Unigram" : "WordPiece";
}

}  // namespace

Status SpecDraft::Put(const std::string& path, int64_t id, std::string_view token, TokenKind kind) {
  if (id < 0 || static_cast<size_t>(id) >= kMaxTokens) {
    return BadPart(path, "the id " + std::to_string(id) + " is not 0 to " + std::to_string(kMaxTokens - 1));
  }
  const auto index = static_cast<size_t>(id);
  if (index >= given.size()) {
    given.resize(index + 1);
    spec.tokens.resize(index + 1);
    spec.kinds.resize(index + 1, TokenKind::kUnused);
  }
  if (given[index] && spec.tokens[index] != token) {
    return BadPart(path, "the id " + std::to_string(id) + " is given to " + QuotedName(spec.tokens[index]) + " and " +
                             QuotedName(token));
  }
  given[index] = true;
  spec.tokens[index] = token;
  spec.kinds[index] = kind;
  return {};
}

Status ReadModelPart(const json::value& value, SpecDraft& draft) {
  if (!value.is_object()) {
    return BadPart("model", "it is no object");
  }
  const json::object& model = value.get_object();
  Fields fields(model, "model");
  ATELIER_ASSIGN(type, fields.StringOr("type", GuessType(model)));
  if (type == "BPE") {
    return ReadBpe(model, draft);
  }
  if (type == "Unigram") {
    return ReadUnigram(model, draft);
  }
  if (type == "WordPiece") {
    return ReadWordPiece(model, draft);
  }
  return UnknownPart("model.type", "the model " + QuotedName(type));
}

}  // namespace atelier::text
