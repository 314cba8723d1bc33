#include "engine/grammar/schema_expander.h"

#include <algorithm>
#include <array>
#include <string>

namespace atelier::engine::grammar {
namespace {

constexpr int kMaxChoices = 200;   // one within the other
constexpr int kMaxNesting = 24;    // expansions that are under way at once
constexpr int kMaxLookDepth = 4;   // of IsEmpty
constexpr size_t kMaxSubsets = 5;  // branches of an anyOf whose every subset is looked at

Item Of(const json::value& schema, bool negated = false) { return {.literal = {&schema, negated}, .constrain = {}}; }
Item Of(std::function<Status(Shape&)> constrain) { return {.literal = {}, .constrain = std::move(constrain)}; }

bool IsFalse(const json::value& schema) { return schema.is_bool() && !schema.get_bool(); }

}  // namespace

Error Expander::UnsupportedAt(const json::value& schema, std::string_view keyword, const std::string& why) const {
  return Unsupported("the schema's keyword '" + std::string(keyword) + "' " + why,
                     references_.PointerOf(schema) + "/" + std::string(keyword));
}

Result<std::vector<Shape>> Expander::Expand(const Literals& literals) {
  Branch branch;
  for (const Literal& literal : literals) {
    ATELIER_TRY(RefuseCycles(*literal.schema));
    branch.items.push_back({.literal = literal, .constrain = {}});
  }
  // Expanding looks into other schemas (of names, of overlaps), and they may lead back here.
  if (nesting_ >= kMaxNesting) {
    return TooComplex("the schema's reference to itself");
  }
  ++nesting_;
  std::vector<Shape> shapes;
  Status status = Run(std::move(branch), 0, shapes);
  --nesting_;
  ATELIER_TRY(std::move(status));
  return shapes;
}

// A schema that applies to the value itself what comes back to this schema says nothing that could be enforced.
Status Expander::RefuseCycles(const json::value& schema) {
  struct Visited {
    const json::value* schema;
    std::vector<const json::value*> parts;
  };
  std::vector<Visited> path;
  std::set<const json::value*> open;
  const auto enter = [&](const json::value& at) -> Status {
    if (!at.is_object() || acyclic_.contains(&at)) {
      return {};
    }
    if (!budget_.Spend(4)) {
      return TooComplex("the schema");
    }
    if (!open.insert(&at).second) {
      return Unsupported("a schema that refers to itself for the same value", references_.PointerOf(at));
    }
    ATELIER_ASSIGN(parts, InPlaceParts(at, *this));
    path.push_back({&at, std::move(parts)});
    return {};
  };
  ATELIER_TRY(enter(schema));
  while (!path.empty()) {
    if (path.back().parts.empty()) {
      acyclic_.insert(path.back().schema);
      open.erase(path.back().schema);
      path.pop_back();
      continue;
    }
    const auto* part = path.back().parts.back();
    path.back().parts.pop_back();
    ATELIER_TRY(enter(*part));
  }
  return {};
}

Status Expander::Settle(Branch& branch) {
  while (!branch.items.empty() && branch.shape.types != 0) {
    const Item item = std::move(branch.items.front());
    branch.items.pop_front();
    if (!budget_.Spend(16)) {
      return TooComplex("the schema");
    }
    if (item.constrain) {
      ATELIER_TRY(item.constrain(branch.shape));
    } else if (branch.applied.insert(item.literal).second) {
      ATELIER_TRY(Apply(item.literal, branch));
    }
  }
  return {};
}

Status Expander::Run(Branch branch, int depth, std::vector<Shape>& out) {
  ATELIER_TRY(Settle(branch));
  if (branch.shape.types == 0) {
    return {};
  }
  if (branch.choices.empty()) {
    ATELIER_TRY(ApplyUnevaluated(branch));
    if (out.size() >= budget_.limits().max_alternatives || !budget_.Spend(64)) {
      return TooComplex("the number of cases of the schema");
    }
    // What contradicts itself at first sight is no case.
    ATELIER_ASSIGN(empty, IsEmptyShape(branch.shape, kMaxLookDepth));
    if (!empty) {
      out.push_back(std::move(branch.shape));
    }
    return {};
  }
  if (depth >= kMaxChoices || !budget_.Spend(1000)) {
    return TooComplex("the number of cases of the schema");
  }
  const auto cases = std::move(branch.choices.back());
  branch.choices.pop_back();
  for (const Case& one : cases) {
    Branch next = branch;
    next.items.assign(one.begin(), one.end());
    ATELIER_TRY(Run(std::move(next), depth + 1, out));
  }
  return {};
}

Status Expander::Apply(const Literal& literal, Branch& branch) {
  if (literal.schema->is_bool()) {
    if (literal.schema->get_bool() == literal.negated) {
      branch.shape.types = 0;
    }
    return {};
  }
  if (!literal.schema->is_object()) {
    return Unsupported("something that is no schema", references_.PointerOf(*literal.schema));
  }
  if (!literal.negated) {
    return ApplySchema(*literal.schema, branch);
  }
  ATELIER_ASSIGN(cases, Negation(*literal.schema, branch.shape.types, *this));
  AddCases(std::move(cases), branch);
  return {};
}

void Expander::AddCases(std::vector<Case> cases, Branch& branch) {
  if (cases.size() == 1) {
    branch.items.insert(branch.items.end(), cases[0].begin(), cases[0].end());
  } else {
    branch.choices.push_back(std::move(cases));
  }
}

Status Expander::ApplySchema(const json::value& schema, Branch& branch) {
  const auto& object = schema.get_object();
  ATELIER_ASSIGN(targets, ReferencesOf(schema, *this));
  for (const auto* target : targets) {
    branch.items.push_back(Of(*target));
  }
  if (IsReferenceAlone(object, *this)) {
    return {};
  }
  ATELIER_TRY(ApplyConstraints(schema, *this, branch.shape));
  for (const std::string_view keyword : {"enum", "const"}) {
    if (const auto* value = object.if_contains(keyword); value != nullptr) {
      if (keyword == "enum" && !value->is_array()) {
        return UnsupportedAt(schema, keyword, "is no array and");
      }
      ATELIER_ASSIGN(cases, EnumerationCases(keyword == "enum" ? value->get_array() : ListOf(*value), *this));
      AddCases(std::move(cases), branch);
    }
  }
  ATELIER_TRY(ApplyCombinators(schema, branch));
  for (const std::string_view keyword : {"dependencies", "dependentRequired", "dependentSchemas"}) {
    ATELIER_TRY(ApplyDependent(schema, keyword, branch));
  }
  if (object.contains("unevaluatedProperties") || object.contains("unevaluatedItems")) {
    branch.unevaluated.push_back(&schema);
  }
  return {};
}

Status Expander::ApplyCombinators(const json::value& schema, Branch& branch) {
  const auto& object = schema.get_object();
  for (const std::string_view keyword : {"allOf", "anyOf", "oneOf"}) {
    const auto* list = object.if_contains(keyword);
    if (list == nullptr) {
      continue;
    }
    if (!list->is_array() || list->get_array().empty()) {
      return UnsupportedAt(schema, keyword, "is no list of schemas and");
    }
    if (keyword == "allOf") {
      for (const auto& part : list->get_array()) {
        branch.items.push_back(Of(part));
      }
    } else if (keyword == "anyOf") {
      ATELIER_TRY(ApplyAnyOf(schema, list->get_array(), branch));
    } else {
      ATELIER_TRY(ApplyOneOf(list->get_array(), branch));
    }
  }
  if (const auto* inner = object.if_contains("not"); inner != nullptr) {
    branch.items.push_back(Of(*inner, true));
  }
  return ApplyIf(object, branch);
}

Status Expander::ApplyAnyOf(const json::value& schema, const json::array& schemas, Branch& branch) {
  std::vector<Case> cases;
  if (!references_.has_unevaluated()) {
    for (const auto& part : schemas) {
      cases.push_back({Of(part)});
    }
  } else if (schemas.size() > kMaxSubsets) {
    return UnsupportedAt(schema, "anyOf", "beside unevaluated properties or items");
  } else {
    // Which parts hold decides what counts as evaluated.
    for (size_t set = 1; set < (1U << schemas.size()); ++set) {
      Case one;
      for (size_t i = 0; i < schemas.size(); ++i) {
        if ((set >> i & 1U) != 0) {
          one.push_back(Of(schemas[i]));
        }
      }
      cases.push_back(std::move(one));
    }
  }
  AddCases(std::move(cases), branch);
  return {};
}

// Exactly one holds. Branches that cannot hold together need no word about each other, and where they overlap for some
// types only, their negations are looked at for these types only.
Status Expander::ApplyOneOf(const json::array& schemas, Branch& branch) {
  std::vector<Case> cases;
  for (const auto& part : schemas) {
    uint8_t shared = 0;
    Case alone{Of(part)};
    Case beside{Of(part)};
    for (const auto& other : schemas) {
      if (&other == &part) {
        continue;
      }
      ATELIER_ASSIGN(types, Overlap(part, other));
      shared |= types;
      if (types != 0) {
        beside.push_back(Of(other, true));
      }
    }
    const auto restrict_to = [](uint8_t types) {
      return Of([types](Shape& shape) {
        shape.types &= types;
        return Status();
      });
    };
    alone.insert(alone.begin(), restrict_to(static_cast<uint8_t>(~shared)));
    cases.push_back(std::move(alone));
    if (shared != 0) {
      beside.insert(beside.begin(), restrict_to(shared));
      cases.push_back(std::move(beside));
    }
  }
  AddCases(std::move(cases), branch);
  return {};
}

Result<uint8_t> Expander::Overlap(const json::value& left, const json::value& right) {
  const auto key = std::minmax(&left, &right);
  if (const auto known = overlaps_.find(key); known != overlaps_.end()) {
    return known->second;
  }
  overlaps_[key] = kAllTypes;  // for whoever asks while the answer is being found
  Literals both;
  Add(both, {&left, false});
  Add(both, {&right, false});
  auto shapes = Expand(both);
  uint8_t types = 0;
  if (!shapes.ok()) {
    if (!budget_.Spend()) {
      return std::move(shapes).error();
    }
    types = kAllTypes;  // what cannot be multiplied out is taken for possible
  } else {
    for (Shape& shape : *shapes) {
      const uint8_t all = shape.types;
      for (uint8_t bit = kNull; bit <= kObject; bit = static_cast<uint8_t>(bit << 1U)) {
        shape.types = all & bit;
        if (shape.types != 0) {
          ATELIER_ASSIGN(empty, IsEmptyShape(shape, 0));
          types |= empty ? 0 : bit;
        }
      }
    }
  }
  overlaps_[key] = types;
  return types;
}

Status Expander::ApplyIf(const json::object& object, Branch& branch) {
  const auto* condition = object.if_contains("if");
  const auto* then = object.if_contains("then");
  const auto* otherwise = object.if_contains("else");
  if (condition == nullptr || (then == nullptr && otherwise == nullptr && !references_.has_unevaluated())) {
    return {};
  }
  Case holds{Of(*condition)};
  if (then != nullptr) {
    holds.push_back(Of(*then));
  }
  Case fails{Of(*condition, true)};
  if (otherwise != nullptr) {
    fails.push_back(Of(*otherwise));
  }
  branch.choices.push_back({std::move(holds), std::move(fails)});
  return {};
}

Status Expander::ApplyDependent(const json::value& schema, std::string_view keyword, Branch& branch) {
  const auto* dependents = schema.get_object().if_contains(keyword);
  if (dependents == nullptr) {
    return {};
  }
  if (!dependents->is_object()) {
    return UnsupportedAt(schema, keyword, "is no object and");
  }
  for (const auto& [key, dependent] : dependents->get_object()) {
    const std::string name(key);
    const Literal never = False();
    const Case absent{Of([name, never](Shape& shape) {
      shape.object.Constrain(name, {never});
      return Status();
    })};
    Case present{Of([name](Shape& shape) {
      shape.types &= kObject;
      shape.object.Require(name);
      return Status();
    })};
    if (dependent.is_array() || dependent.is_string()) {
      const json::array names = dependent.is_array() ? dependent.get_array() : json::array{dependent};
      if (names.empty()) {
        continue;
      }
      present.push_back(Of([names](Shape& shape) {
        for (const auto& other : names) {
          if (other.is_string()) {
            shape.object.Require(other.get_string());
          }
        }
        return Status();
      }));
    } else {
      present.push_back(Of(dependent));
    }
    branch.choices.push_back({absent, std::move(present)});
  }
  return {};
}

Status Expander::ApplyUnevaluated(Branch& branch) {
  for (const auto* schema : branch.unevaluated) {
    const auto& object = schema->get_object();
    Evaluated evaluated;
    ATELIER_TRY(CollectEvaluated(*schema, branch.applied, *this, 0, evaluated));
    if (const auto* rest = object.if_contains("unevaluatedProperties"); rest != nullptr && !evaluated.all_properties) {
      std::sort(evaluated.names.begin(), evaluated.names.end());
      branch.shape.object.additional.push_back({evaluated.names, evaluated.patterns, {{rest, false}}});
    }
    if (const auto* rest = object.if_contains("unevaluatedItems"); rest != nullptr && !evaluated.all_items) {
      if (evaluated.contains) {
        return UnsupportedAt(*schema, "unevaluatedItems", "beside 'contains'");
      }
      branch.shape.array.Merge(std::vector<Literals>(evaluated.items), {{rest, false}});
    }
  }
  return {};
}

Result<bool> Expander::IsEmpty(const Literals& literals, int depth) {
  if (std::any_of(literals.begin(), literals.end(),
                  [](const Literal& l) { return !l.negated && IsFalse(*l.schema); })) {
    return true;
  }
  if (literals.empty() || depth > kMaxLookDepth) {
    return false;
  }
  auto shapes = Expand(literals);
  if (!shapes.ok()) {
    // What cannot be multiplied out is taken for possible, unless time is up.
    return budget_.Spend() ? Result<bool>(false) : Result<bool>(std::move(shapes).error());
  }
  for (const Shape& shape : *shapes) {
    ATELIER_ASSIGN(empty, IsEmptyShape(shape, depth));
    if (!empty) {
      return false;
    }
  }
  return true;
}

Result<bool> Expander::IsEmptyShape(const Shape& shape, int depth) {
  if ((shape.types & (kNull | kFalse | kTrue)) != 0) {
    return false;
  }
  if ((shape.types & kNumber) != 0 && (shape.number == nullptr || !shape.number->empty())) {
    return false;
  }
  if ((shape.types & kString) != 0 && shape.string.min <= shape.string.max) {
    if (shape.string.language == nullptr) {
      return false;
    }
    ATELIER_ASSIGN(limited, languages_.Limited(shape.string.language, shape.string.min, shape.string.max));
    if (!limited->empty()) {
      return false;
    }
  }
  if ((shape.types & kArray) != 0 && shape.array.min <= shape.array.max) {
    bool empty = false;
    for (size_t i = 0; i < shape.array.prefix.size() && i < shape.array.min && !empty; ++i) {
      ATELIER_ASSIGN(item, IsEmpty(shape.array.prefix[i], depth + 1));
      empty = item;
    }
    if (!empty && shape.array.min > shape.array.prefix.size()) {
      ATELIER_ASSIGN(item, IsEmpty(shape.array.rest, depth + 1));
      empty = item;
    }
    if (!empty) {
      return false;
    }
  }
  if ((shape.types & kObject) != 0) {
    return IsEmptyObject(shape.object, depth);
  }
  return true;
}

Result<bool> Expander::IsEmptyObject(const ObjectPart& object, int depth) {
  if (object.min > object.max || object.required.size() > object.max) {
    return true;
  }
  for (const auto& name : object.required) {
    for (const auto& language : object.names) {
      if (!language->Matches(name)) {
        return true;
      }
    }
    ATELIER_ASSIGN(empty, IsEmpty(object.ValueOf(name), depth + 1));
    if (empty) {
      return true;
    }
  }
  return false;
}

}  // namespace atelier::engine::grammar
