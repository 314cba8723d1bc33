#include <algorithm>
#include <array>

#include "base/ids.h"
#include "text/tokenizers/check_spec.h"
#include "text/tokenizers/json_parts.h"

namespace atelier::text {
namespace {

constexpr size_t kMaxAffixes = 64;

Status AddId(const json::value& value, const std::string& path, std::vector<int32_t>& ids) {
  const auto* id = value.if_int64();
  if (id == nullptr || *id < 0 || *id >= static_cast<int64_t>(kMaxTokens) || ids.size() >= kMaxAffixes) {
    return BadPart(path, "it is no id of a token, or there are more than " + std::to_string(kMaxAffixes));
  }
  ids.push_back(static_cast<int32_t>(*id));
  return {};
}

// The ids of a SpecialToken of a template.
Status AddSpecialToken(const json::object& processor, const json::value& item, const std::string& path,
                       std::vector<int32_t>& ids) {
  if (!item.is_object()) {
    return BadPart(path, "it is no SpecialToken");
  }
  Fields fields(item.get_object(), path);
  ATELIER_ASSIGN(name, fields.String("id"));
  const json::value* tokens = processor.if_contains("special_tokens");
  const json::value* token =
      tokens != nullptr && tokens->is_object() ? tokens->get_object().if_contains(name) : nullptr;
  const json::value* list = token != nullptr && token->is_object() ? token->get_object().if_contains("ids") : nullptr;
  if (list == nullptr || !list->is_array()) {
    return BadPart(path, "the special token " + QuotedName(name) + " has no ids");
  }
  for (const auto& id : list->get_array()) {
    ATELIER_TRY(AddId(id, path, ids));
  }
  return {};
}

Status ReadTemplate(const TypedPart& part, const std::string& path, Affixes& affixes) {
  bool behind = false;
  TypedPart list = part;
  ATELIER_TRY(ForEachPart(list, "single", path, [&](const json::value& item, const std::string& place) -> Status {
    const json::object* object = item.if_object();
    if (object == nullptr || object->size() != 1) {
      return BadPart(place, "it is neither a SpecialToken nor a Sequence");
    }
    if (object->contains("Sequence") && !behind) {
      behind = true;
      return {};
    }
    if (const json::value* special = object->if_contains("SpecialToken")) {
      return AddSpecialToken(*part.object, *special, place, behind ? affixes.after : affixes.before);
    }
    return BadPart(place, "it is neither a SpecialToken nor the one Sequence");
  }));
  return behind ? Status() : BadPart(path + ".single", "it has no Sequence");
}

// BertProcessing and RobertaProcessing: "cls" and "sep", each [token, id].
Status ReadClsSep(const json::object& processor, const std::string& path, Affixes& affixes) {
  for (const auto& [key, ids] : {std::pair{"cls", &affixes.before}, std::pair{"sep", &affixes.after}}) {
    const json::value* pair = processor.if_contains(key);
    if (pair == nullptr || !pair->is_array() || pair->get_array().size() != 2) {
      return BadPart(path + "." + key, "it is no token with its id");
    }
    ATELIER_TRY(AddId(pair->get_array()[1], path + "." + key, *ids));
  }
  return {};
}

}  // namespace

Error BadPart(std::string_view path, const std::string& message) {
  return InvalidArgument("tokenizer.json, " + std::string(path) + ": " + message, std::string(path),
                         "invalid_tokenizer");
}

Error UnknownPart(std::string_view path, const std::string& what) {
  return MakeError(Code::kUnimplemented, "tokenizer.json, " + std::string(path) + ": " + what + " is not supported",
                   "unknown_tokenizer_component", std::string(path));
}

Result<TypedPart> ReadPart(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return BadPart(path, "it is no object");
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(type, fields.String("type"));
  return TypedPart{&value.get_object(), type};
}

Status ReadPostProcessorPart(const json::value& value, const std::string& path, Affixes& affixes) {
  if (value.is_null()) {
    return {};
  }
  ATELIER_ASSIGN(part, ReadPart(value, path));
  if (part.type == "Sequence") {
    return ForEachPart(part, "processors", path, [&](const json::value& member, const std::string& place) {
      return ReadPostProcessorPart(member, place, affixes);
    });
  }
  if (part.type == "ByteLevel") {
    return {};  // only changes offsets
  }
  if (affixes.given) {
    return UnknownPart(path, "a second post-processor that adds tokens");
  }
  affixes.given = true;
  if (part.type == "TemplateProcessing") {
    return ReadTemplate(part, path, affixes);
  }
  if (part.type == "BertProcessing" || part.type == "RobertaProcessing") {
    return ReadClsSep(*part.object, path, affixes);
  }
  return UnknownPart(path, "the post-processor " + QuotedName(part.type));
}

Status CheckDecoderPart(const json::value& value, const std::string& path) {
  if (value.is_null()) {
    return {};
  }
  ATELIER_ASSIGN(part, ReadPart(value, path));
  if (part.type == "Sequence") {
    return ForEachPart(part, "decoders", path, [](const json::value& member, const std::string& place) {
      return CheckDecoderPart(member, place);
    });
  }
  constexpr std::array<std::string_view, 7> kKnown{"ByteLevel",    "Metaspace", "WordPiece", "Replace",
                                                   "ByteFallback", "Fuse",      "Strip"};
  if (std::ranges::find(kKnown, part.type) == kKnown.end()) {
    return UnknownPart(path, "the decoder " + QuotedName(part.type));
  }
  return {};
}

}  // namespace atelier::text
