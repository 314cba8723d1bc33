// The parts of a schema that apply to the same value, and which properties and items its in-place subschemas evaluate.
#include <string>

#include "engine/grammar/schema_expander.h"

namespace atelier::engine::grammar {
namespace {

constexpr int kMaxDepth = 64;

void CollectProperties(const json::object& object, Evaluated& out) {
  if (const auto* properties = object.if_contains("properties"); properties != nullptr && properties->is_object()) {
    for (const auto& [name, value] : properties->get_object()) {
      out.names.emplace_back(name);
    }
  }
  out.all_properties = out.all_properties || object.contains("additionalProperties");
}

Status CollectPatterns(const json::object& object, Expander& expander, Evaluated& out) {
  if (const auto* patterns = object.if_contains("patternProperties"); patterns != nullptr && patterns->is_object()) {
    for (const auto& [regex, value] : patterns->get_object()) {
      ATELIER_ASSIGN(language, expander.languages().Pattern(regex));
      out.patterns.push_back(std::move(language));
    }
  }
  return {};
}

void CollectItems(const json::object& object, Evaluated& out) {
  const auto* prefix = object.if_contains("prefixItems");
  const auto* rest = object.if_contains("items");
  if (prefix == nullptr && rest != nullptr && rest->is_array()) {
    prefix = rest;
    rest = object.if_contains("additionalItems");
  }
  if (prefix != nullptr && prefix->is_array()) {
    out.items = std::max(out.items, prefix->get_array().size());
  }
  out.all_items = out.all_items || rest != nullptr;
  out.contains = out.contains || object.contains("contains");
}

}  // namespace

Result<std::vector<const json::value*>> ReferencesOf(const json::value& schema, const Expander& expander) {
  const auto& object = schema.get_object();
  std::vector<const json::value*> out;
  for (const std::string_view keyword : {"$ref", "$dynamicRef", "$recursiveRef"}) {
    const auto* reference = object.if_contains(keyword);
    if (reference == nullptr) {
      continue;
    }
    if (!reference->is_string()) {
      return expander.UnsupportedAt(schema, keyword, "is no text and");
    }
    const std::string_view text = reference->get_string();
    const bool moving = keyword == "$dynamicRef" && text.find('#') != std::string_view::npos &&
                        expander.references().IsDynamic(text.substr(text.find('#') + 1));
    if (moving || (keyword == "$recursiveRef" && object.contains("$recursiveAnchor"))) {
      return expander.UnsupportedAt(schema, keyword, "with a target that moves");
    }
    auto target = expander.references().Resolve(object, text);
    if (!target.ok()) {
      Error error = std::move(target).error();
      error.param = expander.references().PointerOf(schema) + "/" + std::string(keyword);
      return error;
    }
    out.push_back(*target);
  }
  return out;
}

Result<std::vector<const json::value*>> InPlaceParts(const json::value& schema, const Expander& expander) {
  const auto& object = schema.get_object();
  ATELIER_ASSIGN(below, ReferencesOf(schema, expander));
  for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
    if (const auto* list = object.if_contains(keyword); list != nullptr && list->is_array()) {
      for (const auto& part : list->get_array()) {
        below.push_back(&part);
      }
    }
  }
  for (const std::string_view keyword : {"if", "then", "else", "not"}) {
    if (const auto* part = object.if_contains(keyword); part != nullptr) {
      below.push_back(part);
    }
  }
  for (const std::string_view keyword : {"dependentSchemas", "dependencies"}) {
    if (const auto* parts = object.if_contains(keyword); parts != nullptr && parts->is_object()) {
      for (const auto& [key, part] : parts->get_object()) {
        below.push_back(&part);
      }
    }
  }
  return below;
}

bool IsReferenceAlone(const json::object& object, const Expander& expander) {
  return expander.references().reference_stands_alone() && object.contains("$ref");
}

Status CollectEvaluated(const json::value& schema, const std::set<Literal>& applied, Expander& expander, int depth,
                        Evaluated& out) {
  if (!schema.is_object()) {
    return {};
  }
  if (depth > kMaxDepth) {
    return TooDeep("the schema");
  }
  const auto& object = schema.get_object();
  CollectProperties(object, out);
  ATELIER_TRY(CollectPatterns(object, expander, out));
  CollectItems(object, out);
  if (depth > 0) {
    out.all_properties = out.all_properties || object.contains("unevaluatedProperties");
    out.all_items = out.all_items || object.contains("unevaluatedItems");
  }
  ATELIER_ASSIGN(below, InPlaceParts(schema, expander));
  for (const auto* part : below) {
    if (applied.contains(Literal{part, false})) {
      ATELIER_TRY(CollectEvaluated(*part, applied, expander, depth + 1, out));
    }
  }
  return {};
}

}  // namespace atelier::engine::grammar
