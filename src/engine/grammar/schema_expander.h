// Multiplies a conjunction of schemas out to a disjunction of shapes: references followed, allOf merged, anyOf, oneOf,
// if and the dependent keywords split into cases, negations pushed down to the constraints.
#pragma once

#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <utility>
#include <vector>

#include "base/result.h"
#include "engine/grammar/schema_languages.h"
#include "engine/grammar/schema_references.h"
#include "engine/grammar/schema_shape.h"

namespace atelier::engine::grammar {

// One conjunct of a case: a schema, or a direct constraint.
struct Item {
  Literal literal;
  std::function<Status(Shape&)> constrain;  // used where set
};
using Case = std::vector<Item>;

// Borrows the document's index and the budget. Not thread-safe.
class Expander {
 public:
  Expander(const SchemaReferences& references, Budget& budget)
      : references_(references), budget_(budget), languages_(budget), false_(false) {}

  // All shapes; a value satisfies the literals exactly if it satisfies one of them. None: nothing satisfies them.
  // Errors: "unsupported_schema_keyword" naming the JSON pointer, "schema_too_complex".
  Result<std::vector<Shape>> Expand(const Literals& literals);
  // Whether certainly nothing satisfies the literals; looks a few levels deep.
  Result<bool> IsEmpty(const Literals& literals, int depth = 0);
  // The same of one shape.
  Result<bool> IsEmptyShape(const Shape& shape, int depth);

  Languages& languages() { return languages_; }
  const SchemaReferences& references() const { return references_; }
  Budget& budget() { return budget_; }
  Literal False() const { return {&false_, false}; }
  Error UnsupportedAt(const json::value& schema, std::string_view keyword, const std::string& why) const;

  // Keeps a schema that the compiler wrote itself.
  const json::value& Own(json::value schema) { return owned_.emplace_back(std::move(schema)); }
  // A schema that exactly this object or array satisfies.
  const json::value& ConstantSchema(const json::value& constant);
  // A list of just this constant.
  const json::array& ListOf(const json::value& constant);

 private:
  struct Branch {
    Shape shape;
    std::deque<Item> items;
    std::vector<std::vector<Case>> choices;
    std::set<Literal> applied;
    std::vector<const json::value*> unevaluated;  // schemas with such a keyword
  };

  Status RefuseCycles(const json::value& schema);
  Status Run(Branch branch, int depth, std::vector<Shape>& out);
  Status Settle(Branch& branch);
  Status Apply(const Literal& literal, Branch& branch);
  static void AddCases(std::vector<Case> cases, Branch& branch);
  Status ApplySchema(const json::value& schema, Branch& branch);
  Status ApplyCombinators(const json::value& schema, Branch& branch);
  Status ApplyOneOf(const json::array& schemas, Branch& branch);
  Status ApplyAnyOf(const json::value& schema, const json::array& schemas, Branch& branch);
  // The types of values that may satisfy both.
  Result<uint8_t> Overlap(const json::value& left, const json::value& right);
  Status ApplyIf(const json::object& object, Branch& branch);
  Status ApplyDependent(const json::value& schema, std::string_view keyword, Branch& branch);
  Status ApplyUnevaluated(Branch& branch);
  Result<bool> IsEmptyObject(const ObjectPart& object, int depth);

  const SchemaReferences& references_;
  Budget& budget_;
  Languages languages_;
  const json::value false_;
  std::deque<json::value> owned_;
  std::map<const json::value*, const json::value*> constants_;
  std::map<const json::value*, const json::value*> lists_;
  std::map<std::pair<const json::value*, const json::value*>, uint8_t> overlaps_;
  std::set<const json::value*> acyclic_;
  int nesting_ = 0;
};

// Keywords that constrain a value by itself (schema_constraints.cpp).
Status ApplyConstraints(const json::value& schema, Expander& expander, Shape& shape);
// Enumerations with objects or arrays in them are cases; others are one.
Result<std::vector<Case>> EnumerationCases(const json::array& values, Expander& expander);
// The cases in which the schema does not hold, of values of these types (schema_negation.cpp).
Result<std::vector<Case>> Negation(const json::value& schema, uint8_t types, Expander& expander);

// The schemas that this one applies to the same value, whether they must hold or not.
Result<std::vector<const json::value*>> InPlaceParts(const json::value& schema, const Expander& expander);
// The targets of a schema's references, in the document.
Result<std::vector<const json::value*>> ReferencesOf(const json::value& schema, const Expander& expander);
bool IsReferenceAlone(const json::object& object, const Expander& expander);
// A JSON integer that is no negative, also spelled 2.0.
std::optional<uint64_t> CountOf(const json::value* value);

// What in-place subschemas of `schema` that hold in this case say about properties and items.
struct Evaluated {
  std::vector<std::string> names;
  std::vector<DfaPtr> patterns;
  bool all_properties = false;
  size_t items = 0;
  bool all_items = false;
  bool contains = false;
};
Status CollectEvaluated(const json::value& schema, const std::set<Literal>& applied, Expander& expander, int depth,
                        Evaluated& out);

}  // namespace atelier::engine::grammar
