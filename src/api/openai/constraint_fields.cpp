#include "api/openai/constraint_fields.h"

#include <array>
#include <string>
#include <utility>

namespace atelier::api::openai {
namespace {

using Kind = engine::OutputConstraint::Kind;

constexpr size_t kMaxSourceBytes = 1U << 20U;
constexpr size_t kMaxNameBytes = 64;

struct Source {
  std::string_view name;  // of the field, without "guided_"
  Kind kind;
};
constexpr std::array<Source, 4> kSources{{
    {"json", Kind::kJsonSchema},
    {"regex", Kind::kRegex},
    {"choice", Kind::kChoice},
    {"grammar", Kind::kGrammar},
}};

Error Wrong(const std::string& path, const std::string& what) {
  return InvalidArgument("'" + path + "' must be " + what, path);
}

// A schema is an object, or its text; true and false are schemas, too.
Result<std::string> SchemaText(const json::value& value, const std::string& path) {
  if (value.is_object() || value.is_bool()) {
    return json::serialize(value);
  }
  if (!value.is_string()) {
    return Wrong(path, "a JSON Schema");
  }
  const auto parsed = ParseJson(value.get_string(), {.max_bytes = kMaxSourceBytes});
  if (!parsed.ok() || !(parsed->is_object() || parsed->is_bool())) {
    return Wrong(path, "a JSON Schema");
  }
  return std::string(value.get_string());
}

Result<std::string> ChoicesText(const json::value& value, const std::string& path) {
  const auto* choices = value.if_array();
  bool good = choices != nullptr && !choices->empty();
  for (size_t i = 0; good && i < choices->size(); ++i) {
    good = (*choices)[i].is_string();
  }
  if (!good) {
    return Wrong(path, "a list of strings, at least one");
  }
  return json::serialize(value);
}

Result<engine::OutputConstraint> ReadSource(Kind kind, const json::value& value, const std::string& path) {
  engine::OutputConstraint constraint;
  constraint.kind = kind;
  if (kind == Kind::kJsonSchema) {
    ATELIER_ASSIGN(schema, SchemaText(value, path));
    constraint.source = std::move(schema);
  } else if (kind == Kind::kChoice) {
    ATELIER_ASSIGN(choices, ChoicesText(value, path));
    constraint.source = std::move(choices);
  } else {
    if (!value.is_string()) {
      return Wrong(path, "a string");
    }
    constraint.source = value.get_string();
  }
  if (constraint.source.size() > kMaxSourceBytes) {
    return Wrong(path, "at most " + std::to_string(kMaxSourceBytes) + " bytes");
  }
  return constraint;
}

// Takes the constraint, if there is none yet.
Status Take(engine::OutputConstraint constraint, const std::string& path, engine::OutputConstraint& out) {
  if (constraint.kind == Kind::kNone) {
    return {};
  }
  if (out.kind != Kind::kNone) {
    return InvalidArgument("an answer can have one of response_format, guided_* and structured_outputs only", path);
  }
  out = std::move(constraint);
  return {};
}

Status TakeSources(const json::object& object, const std::string& prefix, engine::OutputConstraint& out) {
  const bool nested = prefix.ends_with('.');
  for (const auto& source : kSources) {
    const std::string path = prefix + std::string(source.name);
    const auto* value = object.if_contains(nested ? source.name : std::string_view(path));
    if (value != nullptr && !value->is_null()) {
      ATELIER_ASSIGN(constraint, ReadSource(source.kind, *value, path));
      ATELIER_TRY(Take(std::move(constraint), path, out));
    }
  }
  return {};
}

}  // namespace

Result<engine::OutputConstraint> ReadFormat(const json::object& format, const std::string& path, bool flat) {
  Fields fields(format, path);
  ATELIER_ASSIGN(type, fields.String("type", kMaxNameBytes));
  engine::OutputConstraint constraint;
  if (type == "json_object") {
    constraint.kind = Kind::kJsonObject;
  } else if (type == "json_schema") {
    ATELIER_ASSIGN(nested, fields.ObjectOr("json_schema"));
    if (!flat && nested == nullptr) {
      return InvalidArgument("'" + path + ".json_schema' is missing: an object", path + ".json_schema",
                             "missing_required_parameter");
    }
    const json::object& description = flat ? format : *nested;
    const std::string at = flat ? path : path + ".json_schema";
    Fields inner(description, at);
    ATELIER_ASSIGN(name, inner.String("name", kMaxNameBytes));
    ATELIER_TRY(inner.BoolOr("strict", false));
    const auto* schema = description.if_contains("schema");
    if (schema == nullptr || schema->is_null()) {
      constraint.kind = Kind::kJsonObject;
    } else {
      return ReadSource(Kind::kJsonSchema, *schema, at + ".schema");
    }
  } else if (type != "text") {
    return InvalidArgument("'" + path + ".type' must be text, json_object or json_schema", path + ".type");
  }
  return constraint;
}

Result<engine::OutputConstraint> ReadConstraint(const json::object& body) {
  Fields fields(body);
  engine::OutputConstraint out;
  ATELIER_ASSIGN(format, fields.ObjectOr("response_format"));
  if (format != nullptr) {
    ATELIER_ASSIGN(constraint, ReadFormat(*format, "response_format", false));
    ATELIER_TRY(Take(std::move(constraint), "response_format", out));
  }
  ATELIER_TRY(TakeSources(body, "guided_", out));
  ATELIER_ASSIGN(any_object, fields.BoolOr("guided_json_object", false));
  if (any_object) {
    ATELIER_TRY(Take({Kind::kJsonObject, ""}, "guided_json_object", out));
  }
  ATELIER_ASSIGN(outputs, fields.ObjectOr("structured_outputs"));
  if (outputs != nullptr) {
    ATELIER_TRY(TakeSources(*outputs, "structured_outputs.", out));
    Fields inner(*outputs, "structured_outputs");
    ATELIER_ASSIGN(object, inner.BoolOr("json_object", false));
    if (object) {
      ATELIER_TRY(Take({Kind::kJsonObject, ""}, "structured_outputs.json_object", out));
    }
  }
  return out;
}

}  // namespace atelier::api::openai
