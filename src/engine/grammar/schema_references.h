// Where a JSON Schema's references lead: base URIs, anchors and JSON pointers (draft 2020-12 core, sections 8 and 9).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/grammar/budget.h"

namespace atelier::engine::grammar {

// Indexes one document, which it borrows. Nothing is ever fetched: a reference that leads out of the document is an
// error.
class SchemaReferences {
 public:
  // Errors: "schema_too_complex" (too deep), "unsupported_schema_keyword".
  static Result<SchemaReferences> Index(const json::value& document, Budget& budget);

  // The schema that `reference`, a member of `holder`, names. Errors: "unsupported_schema_keyword".
  Result<const json::value*> Resolve(const json::object& holder, std::string_view reference) const;
  // JSON pointer of a schema of the document; empty for others.
  std::string PointerOf(const json::value& schema) const;
  // Whether members beside "$ref" are ignored (drafts 3 to 7).
  bool reference_stands_alone() const { return reference_stands_alone_; }
  // Whether 1.0 is an integer (from draft 6 on).
  bool fractions_can_be_integers() const { return fractions_can_be_integers_; }
  // Whether "unevaluatedProperties" or "unevaluatedItems" occurs anywhere.
  bool has_unevaluated() const { return has_unevaluated_; }
  // Whether more than one "$dynamicAnchor" has this name.
  bool IsDynamic(std::string_view anchor) const;

 private:
  struct Place {
    const json::value* parent = nullptr;
    std::string step;  // key or index below the parent
  };

  Status Walk(const json::value& document, Budget& budget);
  void Note(const json::object& object, const json::value& value, std::string& base);

  const json::value* document_ = nullptr;
  std::unordered_map<const json::value*, Place> places_;
  std::unordered_map<const json::object*, std::string> bases_;
  std::unordered_map<std::string, const json::value*> resources_;  // by absolute URI, or URI#anchor
  std::unordered_map<std::string, int> dynamic_anchors_;
  bool reference_stands_alone_ = false;
  bool fractions_can_be_integers_ = true;
  bool has_unevaluated_ = false;
};

}  // namespace atelier::engine::grammar
