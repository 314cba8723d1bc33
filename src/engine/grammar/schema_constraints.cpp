// Keywords of JSON Schema that constrain a value of one type by itself.
#include <algorithm>
#include <array>
#include <cmath>
#include <string>

#include "engine/grammar/schema_expander.h"

namespace atelier::engine::grammar {
namespace {

constexpr size_t kMaxPrefix = 2000;

// One schema's keywords going into one shape.
class Constraints {
 public:
  Constraints(const json::value& schema, Expander& expander, Shape& shape)
      : schema_(schema), object_(schema.get_object()), expander_(expander), shape_(shape) {}

  Status Apply() {
    ATELIER_TRY(Type());
    ATELIER_TRY(Numbers());
    ATELIER_TRY(Strings());
    ATELIER_TRY(Arrays());
    return Objects();
  }

 private:
  const json::value* Get(std::string_view keyword) const { return object_.if_contains(keyword); }
  Error Bad(std::string_view keyword, const std::string& why) const {
    return expander_.UnsupportedAt(schema_, keyword, why);
  }
  Languages& languages() { return expander_.languages(); }

  Status Type() {
    const auto* type = Get("type");
    if (type == nullptr) {
      return {};
    }
    const json::array list = type->is_array() ? type->get_array() : json::array{*type};
    uint8_t types = 0;
    bool integer = false;
    bool number = false;
    for (const auto& name : list) {
      if (!name.is_string()) {
        return Bad("type", "is no name of a type and");
      }
      const std::string_view text = name.get_string();
      const uint8_t bits = BitsOf(text);
      if (bits == 0) {
        return Bad("type", "has an unknown type and");
      }
      integer = integer || text == "integer";
      number = number || text == "number";
      types |= bits;
    }
    shape_.types &= types;
    if (integer && !number) {
      ATELIER_ASSIGN(integers, languages().Integer(expander_.references().fractions_can_be_integers()));
      return Number(integers);
    }
    return {};
  }
  static uint8_t BitsOf(std::string_view type) {
    constexpr std::array<std::pair<std::string_view, uint8_t>, 7> kTypes{{{"null", kNull},
                                                                          {"boolean", kFalse | kTrue},
                                                                          {"number", kNumber},
                                                                          {"integer", kNumber},
                                                                          {"string", kString},
                                                                          {"array", kArray},
                                                                          {"object", kObject}}};
    for (const auto& [name, bits] : kTypes) {
      if (name == type) {
        return bits;
      }
    }
    return 0;
  }

  Status Number(const DfaPtr& language) {
    ATELIER_ASSIGN(both, languages().Both(shape_.number, language));
    shape_.number = std::move(both);
    return {};
  }
  Status Bound(std::string_view keyword, const json::value& bound, Comparison comparison) {
    ATELIER_ASSIGN(language, languages().Compare(bound, comparison));
    if (language == nullptr) {
      return Bad(keyword, "is no number and");
    }
    return Number(language);
  }
  Status Numbers() {
    // In draft 4 exclusiveMinimum is a flag beside minimum.
    const auto flag = [&](std::string_view keyword) {
      const auto* value = Get(keyword);
      return value != nullptr && value->is_bool() && value->get_bool();
    };
    if (const auto* minimum = Get("minimum"); minimum != nullptr) {
      ATELIER_TRY(Bound("minimum", *minimum, {false, !flag("exclusiveMinimum"), true}));
    }
    if (const auto* maximum = Get("maximum"); maximum != nullptr) {
      ATELIER_TRY(Bound("maximum", *maximum, {true, !flag("exclusiveMaximum"), false}));
    }
    if (const auto* minimum = Get("exclusiveMinimum"); minimum != nullptr && !minimum->is_bool()) {
      ATELIER_TRY(Bound("exclusiveMinimum", *minimum, {false, false, true}));
    }
    if (const auto* maximum = Get("exclusiveMaximum"); maximum != nullptr && !maximum->is_bool()) {
      ATELIER_TRY(Bound("exclusiveMaximum", *maximum, {true, false, false}));
    }
    if (const auto* step = Get("multipleOf"); step != nullptr) {
      ATELIER_ASSIGN(multiples, languages().Multiple(*step, true));
      if (multiples == nullptr) {
        return Bad("multipleOf", "is not positive, or has too many digits, and");
      }
      return Number(multiples);
    }
    return {};
  }

  Status Text(const DfaPtr& language) {
    ATELIER_ASSIGN(both, languages().Both(shape_.string.language, language));
    shape_.string.language = std::move(both);
    return {};
  }
  // `value` becomes the count that `keyword` holds, if it is there.
  Status Count(std::string_view keyword, std::optional<uint64_t>& value) const {
    if (const auto* found = Get(keyword); found != nullptr) {
      value = CountOf(found);
      if (!value) {
        return Bad(keyword, "is no count and");
      }
    }
    return {};
  }
  Status Limits(std::string_view least, std::string_view most, uint64_t& min, uint64_t& max) const {
    std::optional<uint64_t> low;
    std::optional<uint64_t> high;
    ATELIER_TRY(Count(least, low));
    ATELIER_TRY(Count(most, high));
    min = std::max(min, low.value_or(0));
    max = std::min(max, high.value_or(kNoBound));
    return {};
  }
  Status Strings() {
    ATELIER_TRY(Limits("minLength", "maxLength", shape_.string.min, shape_.string.max));
    if (const auto* pattern = Get("pattern"); pattern != nullptr) {
      if (!pattern->is_string()) {
        return Bad("pattern", "is no text and");
      }
      ATELIER_ASSIGN(language, Pattern("pattern", pattern->get_string()));
      ATELIER_TRY(Text(language));
    }
    if (const auto* format = Get("format"); format != nullptr && format->is_string()) {
      ATELIER_ASSIGN(language, languages().Format(format->get_string()));
      return Text(language);
    }
    return {};
  }
  Result<DfaPtr> Pattern(std::string_view keyword, std::string_view regex) {
    auto language = languages().Pattern(regex);
    if (!language.ok() && language.error().reason != "schema_too_complex") {
      return Bad(keyword, "(" + language.error().message + ")");
    }
    return language;
  }

  Status Arrays() {
    ATELIER_TRY(Limits("minItems", "maxItems", shape_.array.min, shape_.array.max));
    const auto* unique = Get("uniqueItems");
    shape_.array.unique = shape_.array.unique || (unique != nullptr && unique->is_bool() && unique->get_bool());
    ATELIER_TRY(Contains());
    const auto* prefix = Get("prefixItems");
    const auto* rest = Get("items");
    if (prefix == nullptr && rest != nullptr && rest->is_array()) {  // before draft 2020-12
      prefix = rest;
      rest = Get("additionalItems");
    }
    if (prefix == nullptr && rest == nullptr) {
      return {};
    }
    std::vector<Literals> first;
    if (prefix != nullptr) {
      if (!prefix->is_array() || prefix->get_array().size() > kMaxPrefix) {
        return Bad("prefixItems", "is no list, or too long, and");
      }
      for (const auto& item : prefix->get_array()) {
        first.push_back({{&item, false}});
      }
    }
    shape_.array.Merge(first, rest == nullptr ? Literals() : Literals{{rest, false}});
    return {};
  }
  Status Contains() {
    const auto* contains = Get("contains");
    if (contains == nullptr) {
      return {};
    }
    ArrayPart::Contains part{.literals = {{contains, false}}};
    std::optional<uint64_t> min;
    std::optional<uint64_t> max;
    ATELIER_TRY(Count("minContains", min));
    ATELIER_TRY(Count("maxContains", max));
    part.min = min.value_or(1);
    part.max = max.value_or(kNoBound);
    if (part.min > 0 || part.max != kNoBound) {
      shape_.array.contains.push_back(std::move(part));
    }
    return {};
  }

  Status Objects() {
    ATELIER_TRY(Limits("minProperties", "maxProperties", shape_.object.min, shape_.object.max));
    ATELIER_TRY(Properties());
    if (const auto* required = Get("required"); required != nullptr && required->is_array()) {
      for (const auto& name : required->get_array()) {
        if (!name.is_string()) {
          return Bad("required", "holds something that is no name and");
        }
        shape_.object.Require(name.get_string());
      }
    }
    if (const auto* names = Get("propertyNames"); names != nullptr) {
      return Names(*names);
    }
    return {};
  }
  Status Properties() {
    ObjectPart::Additional covered;
    if (const auto* properties = Get("properties"); properties != nullptr) {
      if (!properties->is_object() || properties->get_object().size() > expander_.budget().limits().max_properties) {
        return Bad("properties", "is no object, or too large, and");
      }
      for (const auto& [name, value] : properties->get_object()) {
        shape_.object.Constrain(name, {{&value, false}});
        covered.names.emplace_back(name);
      }
      if (!expander_.budget().Spend(shape_.object.properties.size() * covered.names.size() / 8)) {
        return TooComplex("an object with so many properties");
      }
    }
    if (const auto* patterns = Get("patternProperties"); patterns != nullptr) {
      if (!patterns->is_object()) {
        return Bad("patternProperties", "is no object and");
      }
      for (const auto& [regex, value] : patterns->get_object()) {
        ATELIER_ASSIGN(language, Pattern("patternProperties", regex));
        shape_.object.patterns.push_back({language, {{&value, false}}});
        covered.patterns.push_back(language);
      }
    }
    if (const auto* rest = Get("additionalProperties"); rest != nullptr) {
      if (rest->is_bool() && rest->get_bool()) {
        return {};
      }
      std::sort(covered.names.begin(), covered.names.end());
      covered.literals = {{rest, false}};
      shape_.object.additional.push_back(std::move(covered));
    }
    return {};
  }
  // The texts that the schema of the names allows.
  Status Names(const json::value& schema) {
    ATELIER_ASSIGN(shapes, expander_.Expand({{&schema, false}}));
    DfaPtr language;
    ATELIER_ASSIGN(nothing, languages().Words({}));
    language = nothing;
    for (const Shape& shape : shapes) {
      if ((shape.types & kString) == 0) {
        continue;
      }
      ATELIER_ASSIGN(any, languages().Text());
      ATELIER_ASSIGN(texts, languages().Limited(shape.string.language == nullptr ? any : shape.string.language,
                                                shape.string.min, shape.string.max));
      ATELIER_ASSIGN(either, languages().Either(language, texts));
      language = std::move(either);
    }
    shape_.object.names.push_back(std::move(language));
    return {};
  }

  const json::value& schema_;
  const json::object& object_;
  Expander& expander_;
  Shape& shape_;
};

}  // namespace

Status ApplyConstraints(const json::value& schema, Expander& expander, Shape& shape) {
  return Constraints(schema, expander, shape).Apply();
}

std::optional<uint64_t> CountOf(const json::value* value) {
  if (const auto* number = value->if_int64(); number != nullptr && *number >= 0) {
    return static_cast<uint64_t>(*number);
  }
  if (const auto* number = value->if_uint64(); number != nullptr) {
    return *number;
  }
  if (const auto* number = value->if_double();
      number != nullptr && *number >= 0 && *number < 1e15 && std::floor(*number) == *number) {
    return static_cast<uint64_t>(*number);
  }
  return std::nullopt;
}

Result<std::vector<Case>> EnumerationCases(const json::array& values, Expander& expander) {
  uint8_t types = 0;
  std::vector<std::string> texts;
  std::vector<const json::value*> numbers;
  std::vector<Case> cases(1);
  for (const auto& value : values) {
    if (value.is_string()) {
      types |= kString;
      texts.emplace_back(value.get_string());
    } else if (value.is_number()) {
      types |= kNumber;
      numbers.push_back(&value);
    } else if (value.is_null()) {
      types |= kNull;
    } else if (value.is_bool()) {
      types |= value.get_bool() ? kTrue : kFalse;
    } else {
      cases.push_back({Item{.literal = {&expander.ConstantSchema(value), false}, .constrain = {}}});
    }
  }
  ATELIER_ASSIGN(text_language, expander.languages().Words(texts));
  ATELIER_ASSIGN(number_language, expander.languages().NumbersOf(numbers));
  Languages& languages = expander.languages();
  const auto scalars = [types, text_language, number_language, &languages](Shape& shape) -> Status {
    shape.types &= types;
    ATELIER_ASSIGN(text, languages.Both(shape.string.language, text_language));
    ATELIER_ASSIGN(number, languages.Both(shape.number, number_language));
    shape.string.language = text;
    shape.number = number;
    return {};
  };
  cases[0].push_back(Item{.literal = {}, .constrain = scalars});
  if (types == 0 && cases.size() > 1) {
    cases.erase(cases.begin());
  }
  return cases;
}

const json::array& Expander::ListOf(const json::value& constant) {
  const auto [entry, fresh] = lists_.try_emplace(&constant, nullptr);
  if (fresh) {
    json::array list;
    list.push_back(constant);
    entry->second = &Own(std::move(list));
  }
  return entry->second->get_array();
}

const json::value& Expander::ConstantSchema(const json::value& constant) {
  if (const auto found = constants_.find(&constant); found != constants_.end()) {
    return *found->second;
  }
  json::object schema;
  if (constant.is_object()) {
    json::object properties;
    json::array required;
    for (const auto& [key, value] : constant.get_object()) {
      properties[key] = json::object{{"const", value}};
      required.emplace_back(key);
    }
    schema = {{"type", "object"}, {"maxProperties", required.size()}};
    schema["properties"] = std::move(properties);
    schema["required"] = std::move(required);
  } else if (constant.is_array()) {
    json::array items;
    for (const auto& value : constant.get_array()) {
      items.push_back(json::object{{"const", value}});
    }
    schema = {{"type", "array"}, {"minItems", items.size()}, {"maxItems", items.size()}};
    schema["prefixItems"] = std::move(items);
  } else {
    schema["const"] = constant;
  }
  const json::value& owned = Own(std::move(schema));
  constants_.emplace(&constant, &owned);
  return owned;
}

}  // namespace atelier::engine::grammar
