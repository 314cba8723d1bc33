#include "text/spec_json.h"

#include <optional>
#include <string>
#include <unordered_map>

#include "base/ids.h"
#include "text/tokenizers/check_spec.h"
#include "text/tokenizers/json_parts.h"

namespace atelier::text {
namespace {

constexpr size_t kMaxFileBytes = 128U << 20U;
constexpr size_t kMaxDepth = 32;

using Index = std::unordered_map<std::string_view, int32_t>;

Result<json::value> ParseFile(std::string_view text, std::string_view name) {
  if (text.empty()) {
    return json::value(json::object());
  }
  auto parsed = ParseJson(text, {.max_bytes = kMaxFileBytes, .max_depth = kMaxDepth});
  if (!parsed.ok()) {
    Error error = std::move(parsed).error();
    error.message = std::string(name) + ": " + error.message;
    return error;
  }
  if (!parsed->is_object()) {
    return InvalidArgument(std::string(name) + ": it is no object", "", "invalid_tokenizer");
  }
  return parsed;
}

const json::value& Member(const json::object& object, std::string_view key) {
  static const json::value null;
  const json::value* value = object.if_contains(key);
  return value == nullptr ? null : *value;
}

// One of added_tokens.
Status ReadAddedToken(const json::value& value, const std::string& path, SpecDraft& draft) {
  if (!value.is_object()) {
    return BadPart(path, "it is no object");
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(id, fields.Int("id", 0, static_cast<int64_t>(kMaxTokens) - 1));
  ATELIER_ASSIGN(content, fields.String("content"));
  ATELIER_ASSIGN(special, fields.BoolOr("special", false));
  ATELIER_ASSIGN(left, fields.BoolOr("lstrip", false));
  ATELIER_ASSIGN(right, fields.BoolOr("rstrip", false));
  ATELIER_ASSIGN(single_word, fields.BoolOr("single_word", false));
  if (single_word) {
    return UnknownPart(path, "an added token that must be a single_word");
  }
  const auto index = static_cast<size_t>(id);
  const bool unknown =
      content == draft.unknown || (index < draft.spec.kinds.size() && draft.spec.kinds[index] == TokenKind::kUnknown);
  const TokenKind added = special ? TokenKind::kControl : TokenKind::kUserDefined;
  ATELIER_TRY(draft.Put(path, id, content, unknown ? TokenKind::kUnknown : added));
  if (left) {
    draft.spec.strips_left.push_back(static_cast<int32_t>(id));
  }
  if (right) {
    draft.spec.strips_right.push_back(static_cast<int32_t>(id));
  }
  return {};
}

Status ReadAddedTokens(const json::object& root, SpecDraft& draft) {
  const json::value& list = Member(root, "added_tokens");
  if (list.is_null()) {
    return {};
  }
  if (!list.is_array() || list.get_array().size() > kMaxTokens) {
    return BadPart("added_tokens", "it is no list, or too long");
  }
  for (size_t i = 0; i < list.get_array().size(); ++i) {
    ATELIER_TRY(ReadAddedToken(list.get_array()[i], "added_tokens[" + std::to_string(i) + "]", draft));
  }
  if (!draft.spec.scores.empty()) {
    draft.spec.scores.resize(draft.spec.tokens.size());  // of added tokens: never used
  }
  return {};
}

Index IndexOf(const TokenizerSpec& spec) {
  Index index;
  index.reserve(spec.tokens.size());
  for (size_t id = 0; id < spec.tokens.size(); ++id) {
    index.emplace(spec.tokens[id], static_cast<int32_t>(id));
  }
  return index;
}

// "bos_token" and its like: a string, or an object with its content; nothing if the vocabulary does not have it.
std::optional<int32_t> FindNamed(const json::object& file, std::string_view key, const Index& index) {
  const json::value* value = file.if_contains(key);
  if (value != nullptr && value->is_object()) {
    value = value->get_object().if_contains("content");
  }
  if (value == nullptr || !value->is_string()) {
    return std::nullopt;
  }
  const auto found = index.find(std::string_view(value->get_string()));
  return found == index.end() ? std::nullopt : std::optional(found->second);
}

struct NameRow {
  std::string_view key;
  std::optional<int32_t> TokenizerSpec::*field;
};
constexpr NameRow kNames[] = {{"bos_token", &TokenizerSpec::bos},     {"eos_token", &TokenizerSpec::eos},
                              {"unk_token", &TokenizerSpec::unknown}, {"sep_token", &TokenizerSpec::separator},
                              {"pad_token", &TokenizerSpec::padding}, {"cls_token", &TokenizerSpec::classification},
                              {"mask_token", &TokenizerSpec::mask}};

// What tokenizer_config.json says, else special_tokens_map.json; the model's own unknown token goes first.
Status ReadNames(const json::object& config, const json::object& map, SpecDraft& draft) {
  const Index index = IndexOf(draft.spec);
  if (!draft.unknown.empty()) {
    const auto found = index.find(draft.unknown);
    if (found == index.end()) {
      return BadPart("model.unk_token", QuotedName(draft.unknown) + " is no token");
    }
    draft.spec.unknown = found->second;
  }
  for (const NameRow& row : kNames) {
    for (const json::object* file : {&config, &map}) {
      if (!(draft.spec.*row.field)) {
        draft.spec.*row.field = FindNamed(*file, row.key, index);
      }
    }
  }
  return {};
}

// Classes of `transformers` whose flags add_bos_token and add_eos_token stand above the post-processor.
bool FlagsRule(std::string_view tokenizer_class) {
  return tokenizer_class.starts_with("Llama") || tokenizer_class.starts_with("CodeLlama") ||
         tokenizer_class.starts_with("Gemma") || tokenizer_class.starts_with("Cohere");
}

// One side of a text: a single token that is (or can be) `token` becomes a flag, all else a list.
void SetSide(const std::vector<int32_t>& ids, std::optional<int32_t>& token, bool& flag, std::vector<int32_t>& list) {
  flag = ids.size() == 1 && token.value_or(ids[0]) == ids[0];
  if (flag) {
    token = ids[0];
  } else {
    list = ids;
  }
}

Status SetAffixes(const Affixes& affixes, const json::object& config, TokenizerSpec& spec) {
  const bool words = spec.kind == TokenizerKind::kWordPiece;
  SetSide(affixes.before, words ? spec.classification : spec.bos, spec.add_bos, spec.before);
  SetSide(affixes.after, words ? spec.separator : spec.eos, spec.add_eos, spec.after);
  Fields fields(config, "tokenizer_config.json");
  if (!affixes.given || FlagsRule(GetString(config, "tokenizer_class"))) {
    ATELIER_ASSIGN(add_bos, fields.BoolOr("add_bos_token", spec.add_bos));
    ATELIER_ASSIGN(add_eos, fields.BoolOr("add_eos_token", spec.add_eos));
    spec.add_bos = add_bos && spec.bos.has_value();
    spec.add_eos = add_eos && spec.eos.has_value();
  }
  return {};
}

Status ReadPipeline(const json::object& root, SpecDraft& draft) {
  TokenizerSpec& spec = draft.spec;
  spec.add_space_prefix = false;
  spec.splits.emplace();
  std::vector<NormalizerStep> late;  // what pre-tokenisers do to the text comes after the normaliser
  ATELIER_TRY(ReadPreTokenizerPart(Member(root, "pre_tokenizer"), "pre_tokenizer", draft));
  late.swap(spec.normalizer);
  ATELIER_TRY(ReadNormalizerPart(Member(root, "normalizer"), "normalizer", draft));
  spec.normalizer.insert(spec.normalizer.end(), late.begin(), late.end());
  ATELIER_TRY(CheckDecoderPart(Member(root, "decoder"), "decoder"));
  if (draft.byte_level && spec.kind != TokenizerKind::kSentencePieceBpe) {
    return UnknownPart("pre_tokenizer", "a ByteLevel of another model than BPE");
  }
  if (draft.byte_level) {
    spec.kind = TokenizerKind::kByteLevelBpe;
  } else if (spec.kind != TokenizerKind::kWordPiece && !draft.marks_spaces) {
    return UnknownPart("pre_tokenizer", "a BPE or Unigram without ByteLevel, Metaspace or U+2581 for spaces");
  }
  return {};
}

}  // namespace

Result<TokenizerSpec> ReadTokenizerJson(const TokenizerFiles& files) {
  ATELIER_ASSIGN(root, ParseFile(files.tokenizer_json, "tokenizer.json"));
  ATELIER_ASSIGN(config, ParseFile(files.tokenizer_config_json, "tokenizer_config.json"));
  ATELIER_ASSIGN(map, ParseFile(files.special_tokens_map_json, "special_tokens_map.json"));
  const json::object& object = root.get_object();
  SpecDraft draft;
  ATELIER_TRY(ReadModelPart(Member(object, "model"), draft));
  ATELIER_TRY(ReadAddedTokens(object, draft));
  ATELIER_TRY(ReadPipeline(object, draft));
  Affixes affixes;
  ATELIER_TRY(ReadPostProcessorPart(Member(object, "post_processor"), "post_processor", affixes));
  ATELIER_TRY(ReadNames(config.get_object(), map.get_object(), draft));
  ATELIER_TRY(SetAffixes(affixes, config.get_object(), draft.spec));
  return std::move(draft.spec);
}

}  // namespace atelier::text
