// The parts of tokenizer.json, each read into its fields of a spec. Errors: see text/spec_json.h.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "text/tokenizer.h"

namespace atelier::text {

Error BadPart(std::string_view path, const std::string& message);
Error UnknownPart(std::string_view path, const std::string& what);

// The object at `value` and its `type`.
struct TypedPart {
  const json::object* object = nullptr;  // borrowed
  std::string type;
};
// Errors: kInvalidArgument (no object, or one without a type).
Result<TypedPart> ReadPart(const json::value& value, const std::string& path);

// `read` of each member of the array that `part` holds under `key` (a Sequence).
template <class Read>  // Status(const json::value&, const std::string& path)
Status ForEachPart(const TypedPart& part, std::string_view key, const std::string& path, const Read& read) {
  const json::value* list = part.object->if_contains(key);
  if (list == nullptr || !list->is_array() || list->get_array().size() > 64) {
    return BadPart(path + "." + std::string(key), "it is no list of at most 64 parts");
  }
  for (size_t i = 0; i < list->get_array().size(); ++i) {
    ATELIER_TRY(read(list->get_array()[i], path + "." + std::string(key) + "[" + std::to_string(i) + "]"));
  }
  return {};
}

// A pattern of Split and Replace, {"String": s} or {"Regex": r}.
struct PatternPart {
  std::string text;
  bool is_regex = false;
};
Result<PatternPart> ReadPattern(const json::object& object, const std::string& path);

// A spec while it is being read.
struct SpecDraft {
  TokenizerSpec spec;
  std::vector<bool> given;    // by id: whether the token is there
  std::string unknown;        // BPE, WordPiece: how the unknown token is spelled; empty: there is none
  bool byte_level = false;    // a ByteLevel was among the pre-tokenisers
  bool marks_spaces = false;  // a Metaspace, or the replacement of spaces by U+2581, was among the steps
  bool bert_normalizer = false;

  // Sets token `id`. Errors: kInvalidArgument (an id out of range, or given to two tokens).
  Status Put(const std::string& path, int64_t id, std::string_view token, TokenKind kind);
};

// `model`: kind (a BPE is SentencePiece's until a ByteLevel is met), tokens, scores, merges, unknown token.
Status ReadModelPart(const json::value& value, SpecDraft& draft);

// To be read in this order, after the model; the decoder is only checked.
Status ReadPreTokenizerPart(const json::value& value, const std::string& path, SpecDraft& draft);
Status ReadNormalizerPart(const json::value& value, const std::string& path, SpecDraft& draft);
Status CheckDecoderPart(const json::value& value, const std::string& path);

// What `post_processor` puts around a text.
struct Affixes {
  bool given = false;
  std::vector<int32_t> before;
  std::vector<int32_t> after;
};
Status ReadPostProcessorPart(const json::value& value, const std::string& path, Affixes& affixes);

}  // namespace atelier::text
