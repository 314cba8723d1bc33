// The cases in which a JSON Schema does not hold: one of its keywords fails.
#include <algorithm>
#include <array>
#include <string>

#include "engine/grammar/schema_expander.h"

namespace atelier::engine::grammar {
namespace {

class Negator {
 public:
  Negator(const json::value& schema, uint8_t types, Expander& expander)
      : schema_(schema), object_(schema.get_object()), types_(types), expander_(expander) {}

  Result<std::vector<Case>> Run() {
    ATELIER_ASSIGN(targets, ReferencesOf(schema_, expander_));
    for (const auto* target : targets) {
      cases_.push_back({Not(*target)});
    }
    if (!IsReferenceAlone(object_, expander_)) {
      ATELIER_TRY(Refuse());
      ATELIER_TRY(Scalars());
      ATELIER_TRY(Arrays());
      ATELIER_TRY(Objects());
      ATELIER_TRY(Combinators());
    }
    if (cases_.empty()) {  // it always holds
      Only(0, [](Shape&) { return Status(); });
    }
    return std::move(cases_);
  }

 private:
  using Constrain = std::function<Status(Shape&)>;

  const json::value* Get(std::string_view keyword) const { return object_.if_contains(keyword); }
  Languages& languages() { return expander_.languages(); }
  static Item Is(const json::value& schema) { return {.literal = {&schema, false}, .constrain = {}}; }
  static Item Not(const json::value& schema) { return {.literal = {&schema, true}, .constrain = {}}; }
  Error Bad(std::string_view keyword) const {
    return expander_.UnsupportedAt(schema_, keyword, "where it must not hold (in not, oneOf, if ...)");
  }
  // A case: a value of these types that is constrained so.
  void Only(uint8_t types, Constrain constrain) {
    if (types != 0 && (types & types_) == 0) {
      return;
    }
    cases_.push_back({Item{.literal = {}, .constrain = [types, constrain = std::move(constrain)](Shape& shape) {
                             shape.types &= types;
                             return constrain(shape);
                           }}});
  }
  Status Number(Result<DfaPtr> language, std::string_view keyword) {
    if (!language.ok()) {
      return std::move(language).error();
    }
    if (*language == nullptr) {
      return Bad(keyword);
    }
    Only(kNumber, [&languages = languages(), one = *language](Shape& shape) -> Status {
      ATELIER_ASSIGN(both, languages.Both(shape.number, one));
      shape.number = both;
      return {};
    });
    return {};
  }
  void Text(const DfaPtr& language) {
    Only(kString, [&languages = languages(), language](Shape& shape) -> Status {
      ATELIER_ASSIGN(both, languages.Both(shape.string.language, language));
      shape.string.language = both;
      return {};
    });
  }

  static bool SaysNothing(const json::value& schema) {
    return (schema.is_object() && schema.get_object().empty()) || (schema.is_bool() && schema.get_bool());
  }
  // What must exist somewhere among unboundedly many keys or items is beyond this automaton.
  Status Refuse() const {
    const auto refuse = [&](std::string_view keyword) {
      const auto* value = Get(keyword);
      return value == nullptr || SaysNothing(*value) ? Status() : Status(Bad(keyword));
    };
    if ((types_ & kObject) != 0) {
      for (const std::string_view keyword : {"patternProperties", "propertyNames", "additionalProperties",
                                             "unevaluatedProperties", "dependencies", "dependentSchemas"}) {
        ATELIER_TRY(refuse(keyword));
      }
    }
    if ((types_ & kArray) != 0) {
      ATELIER_TRY(refuse("unevaluatedItems"));
      const auto* unique = Get("uniqueItems");
      if (unique != nullptr && unique->is_bool() && unique->get_bool()) {
        return Bad("uniqueItems");
      }
    }
    return {};
  }

  Status Scalars() {
    ATELIER_TRY(Type());
    ATELIER_TRY(Enumeration());
    ATELIER_TRY(NumberBounds());
    if (const auto min = Get("minLength"); min != nullptr && CountOf(min).value_or(0) > 0) {
      Only(kString, [least = *CountOf(min)](Shape& shape) {
        shape.string.max = std::min(shape.string.max, least - 1);
        return Status();
      });
    }
    if (const auto max = Get("maxLength"); max != nullptr && CountOf(max)) {
      Only(kString, [most = *CountOf(max)](Shape& shape) {
        shape.string.min = std::max(shape.string.min, most + 1);
        return Status();
      });
    }
    if (const auto* pattern = Get("pattern"); pattern != nullptr && pattern->is_string()) {
      ATELIER_ASSIGN(language, languages().Pattern(pattern->get_string()));
      ATELIER_ASSIGN(others, languages().Without(nullptr, language));
      Text(others);
    }
    // A format may be taken for an annotation by who checks the result: no value fails by it for certain.
    return {};
  }
  Status Type() {
    const auto* type = Get("type");
    if (type == nullptr) {
      return {};
    }
    Shape allowed;
    const json::value& alone = expander_.Own(json::object{{"type", *type}});
    ATELIER_TRY(ApplyConstraints(alone, expander_, allowed));
    Only(static_cast<uint8_t>(kAllTypes & ~allowed.types), [](Shape&) { return Status(); });
    if (allowed.number != nullptr) {  // "integer": fractions fail
      return Number(languages().NoInteger(), "type");
    }
    return {};
  }
  Status Enumeration() {
    std::vector<const json::value*> values;
    if (const auto* list = Get("enum"); list != nullptr && list->is_array()) {
      for (const auto& value : list->get_array()) {
        values.push_back(&value);
      }
      ATELIER_TRY(NoneOf(values));
    }
    if (const auto* constant = Get("const"); constant != nullptr) {
      return NoneOf({constant});
    }
    return {};
  }
  Status NoneOf(const std::vector<const json::value*>& values) {
    uint8_t types = kAllTypes;
    std::vector<std::string> texts;
    std::vector<const json::value*> numbers;
    Case one;
    for (const auto* value : values) {
      if (value->is_string()) {
        texts.emplace_back(value->get_string());
      } else if (value->is_number()) {
        numbers.push_back(value);
      } else if (value->is_null()) {
        types &= static_cast<uint8_t>(~kNull);
      } else if (value->is_bool()) {
        types &= static_cast<uint8_t>(value->get_bool() ? ~kTrue : ~kFalse);
      } else {
        one.push_back(Not(expander_.ConstantSchema(*value)));
      }
    }
    ATELIER_ASSIGN(words, languages().Words(texts));
    ATELIER_ASSIGN(other_texts, languages().Without(nullptr, words));
    ATELIER_ASSIGN(other_numbers, languages().NumbersExcept(numbers));
    one.push_back(
        Item{.literal = {},
             .constrain = [&languages = languages(), types, other_texts, other_numbers](Shape& shape) -> Status {
               shape.types &= types;
               ATELIER_ASSIGN(text, languages.Both(shape.string.language, other_texts));
               ATELIER_ASSIGN(number, languages.Both(shape.number, other_numbers));
               shape.string.language = text;
               shape.number = number;
               return {};
             }});
    cases_.push_back(std::move(one));
    return {};
  }
  Status NumberBounds() {
    struct Bound {
      std::string_view keyword, flag;
      Comparison fails, fails_exclusive;
    };
    const std::array<Bound, 4> bounds{{
        {"minimum", "exclusiveMinimum", {true, false, false}, {true, true, false}},
        {"maximum", "exclusiveMaximum", {false, false, true}, {false, true, true}},
        {"exclusiveMinimum", "", {true, true, false}, {}},
        {"exclusiveMaximum", "", {false, true, true}, {}},
    }};
    for (const Bound& bound : bounds) {
      const auto* value = Get(bound.keyword);
      if (value == nullptr || value->is_bool()) {
        continue;
      }
      const auto* flag = Get(bound.flag);
      const bool exclusive = flag != nullptr && flag->is_bool() && flag->get_bool();
      ATELIER_TRY(Number(languages().Compare(*value, exclusive ? bound.fails_exclusive : bound.fails), bound.keyword));
    }
    if (const auto* step = Get("multipleOf"); step != nullptr) {
      return Number(languages().Multiple(*step, false), "multipleOf");
    }
    return {};
  }

  void ItemCount(uint64_t min, uint64_t max) {
    Only(kArray, [min, max](Shape& shape) {
      shape.array.min = std::max(shape.array.min, min);
      shape.array.max = std::min(shape.array.max, max);
      return Status();
    });
  }
  Status Arrays() {
    if (const auto* min = Get("minItems"); min != nullptr && CountOf(min).value_or(0) > 0) {
      ItemCount(0, *CountOf(min) - 1);
    }
    if (const auto* max = Get("maxItems"); max != nullptr && CountOf(max)) {
      ItemCount(*CountOf(max) + 1, kNoBound);
    }
    ATELIER_TRY(Contains());
    const auto* prefix = Get("prefixItems");
    const auto* rest = Get("items");
    if (prefix == nullptr && rest != nullptr && rest->is_array()) {
      prefix = rest;
      rest = Get("additionalItems");
    }
    if (prefix != nullptr && prefix->is_array()) {
      for (size_t i = 0; i < prefix->get_array().size(); ++i) {
        Only(kArray, [i, item = &prefix->get_array()[i]](Shape& shape) {
          std::vector<Literals> first(i + 1);
          first.back() = {{item, true}};
          shape.array.Merge(first, {});
          shape.array.min = std::max<uint64_t>(shape.array.min, i + 1);
          return Status();
        });
      }
    }
    return rest == nullptr ? Status() : Rest(*rest, prefix);
  }
  // Some item beyond the prefix fails.
  Status Rest(const json::value& rest, const json::value* prefix) {
    const uint64_t size = prefix != nullptr && prefix->is_array() ? prefix->get_array().size() : 0;
    if (rest.is_bool()) {
      if (!rest.get_bool()) {
        ItemCount(size + 1, kNoBound);
      }
      return {};
    }
    if (size > 0 && (types_ & kArray) != 0) {
      return Bad("items");
    }
    Only(kArray, [&rest](Shape& shape) {
      shape.array.contains.push_back({.literals = {{&rest, true}}});
      return Status();
    });
    return {};
  }
  Status Contains() {
    const auto* contains = Get("contains");
    if (contains == nullptr) {
      return {};
    }
    const auto* low = Get("minContains");
    const auto* high = Get("maxContains");
    const uint64_t min = low == nullptr ? 1 : CountOf(low).value_or(1);
    const auto between = [&](uint64_t first, uint64_t last) {
      Only(kArray, [contains, first, last](Shape& shape) {
        shape.array.contains.push_back({.literals = {{contains, false}}, .min = first, .max = last});
        return Status();
      });
    };
    if (min > 0) {
      between(0, min - 1);
    }
    if (high != nullptr && CountOf(high)) {
      between(*CountOf(high) + 1, kNoBound);
    }
    return {};
  }

  void PropertyCount(uint64_t min, uint64_t max) {
    Only(kObject, [min, max](Shape& shape) {
      shape.object.min = std::max(shape.object.min, min);
      shape.object.max = std::min(shape.object.max, max);
      return Status();
    });
  }
  void Absent(std::string_view name, std::string_view present) {
    Only(kObject, [never = expander_.False(), name = std::string(name), present = std::string(present)](Shape& shape) {
      shape.object.Constrain(name, {never});
      if (!present.empty()) {
        shape.object.Require(present);
      }
      return Status();
    });
  }
  Status Objects() {
    if (const auto* min = Get("minProperties"); min != nullptr && CountOf(min).value_or(0) > 0) {
      PropertyCount(0, *CountOf(min) - 1);
    }
    if (const auto* max = Get("maxProperties"); max != nullptr && CountOf(max)) {
      PropertyCount(*CountOf(max) + 1, kNoBound);
    }
    if (const auto* required = Get("required"); required != nullptr && required->is_array()) {
      for (const auto& name : required->get_array()) {
        if (name.is_string()) {
          Absent(name.get_string(), "");
        }
      }
    }
    if (const auto* properties = Get("properties"); properties != nullptr && properties->is_object()) {
      for (const auto& [key, value] : properties->get_object()) {
        Only(kObject, [name = std::string(key), schema = &value](Shape& shape) {
          shape.object.Constrain(name, {{schema, true}});
          shape.object.Require(name);
          return Status();
        });
      }
    }
    if (const auto* dependents = Get("dependentRequired"); dependents != nullptr && dependents->is_object()) {
      for (const auto& [key, names] : dependents->get_object()) {
        if (key.empty() || !names.is_array()) {
          return Bad("dependentRequired");
        }
        for (const auto& name : names.get_array()) {
          Absent(name.is_string() ? std::string_view(name.get_string()) : "", key);
        }
      }
    }
    return {};
  }

  Status Combinators() {
    if (const auto* all = Get("allOf"); all != nullptr && all->is_array()) {
      for (const auto& part : all->get_array()) {
        cases_.push_back({Not(part)});
      }
    }
    if (const auto* any = Get("anyOf"); any != nullptr && any->is_array()) {
      cases_.push_back(NoneOfSchemas(any->get_array()));
    }
    if (const auto* one = Get("oneOf"); one != nullptr && one->is_array()) {
      const auto& parts = one->get_array();
      cases_.push_back(NoneOfSchemas(parts));
      for (size_t i = 0; i < parts.size(); ++i) {
        for (size_t j = i + 1; j < parts.size(); ++j) {
          cases_.push_back({Is(parts[i]), Is(parts[j])});
        }
      }
    }
    if (const auto* inner = Get("not"); inner != nullptr) {
      cases_.push_back({Is(*inner)});
    }
    if (const auto* condition = Get("if"); condition != nullptr) {
      if (const auto* then = Get("then"); then != nullptr) {
        cases_.push_back({Is(*condition), Not(*then)});
      }
      if (const auto* otherwise = Get("else"); otherwise != nullptr) {
        cases_.push_back({Not(*condition), Not(*otherwise)});
      }
    }
    return {};
  }
  static Case NoneOfSchemas(const json::array& schemas) {
    Case one;
    for (const auto& part : schemas) {
      one.push_back(Not(part));
    }
    return one;
  }

  const json::value& schema_;
  const json::object& object_;
  uint8_t types_;
  Expander& expander_;
  std::vector<Case> cases_;
};

}  // namespace

Result<std::vector<Case>> Negation(const json::value& schema, uint8_t types, Expander& expander) {
  return Negator(schema, types, expander).Run();
}

}  // namespace atelier::engine::grammar
