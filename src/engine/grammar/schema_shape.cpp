#include "engine/grammar/schema_shape.h"

#include <algorithm>

namespace atelier::engine::grammar {

void Add(Literals& literals, Literal literal) {
  const auto at = std::lower_bound(literals.begin(), literals.end(), literal);
  if (at == literals.end() || *at != literal) {
    literals.insert(at, literal);
  }
}

void Add(Literals& literals, const Literals& others) {
  for (const Literal& other : others) {
    Add(literals, other);
  }
}

void ArrayPart::Merge(const std::vector<Literals>& other_prefix, const Literals& other_rest) {
  const size_t size = prefix.size();
  if (size < other_prefix.size()) {
    prefix.resize(other_prefix.size(), rest);
  }
  for (size_t i = 0; i < prefix.size(); ++i) {
    Add(prefix[i], i < other_prefix.size() ? other_prefix[i] : other_rest);
  }
  Add(rest, other_rest);
}

void ObjectPart::Constrain(std::string_view name, const Literals& literals) {
  const auto found =
      std::find_if(properties.begin(), properties.end(), [&](const Property& other) { return other.name == name; });
  if (found != properties.end()) {
    Add(found->literals, literals);
  } else {
    properties.push_back({std::string(name), literals});
  }
}

void ObjectPart::Require(std::string_view name) {
  if (std::find(required.begin(), required.end(), name) == required.end()) {
    required.emplace_back(name);
  }
}

Literals ObjectPart::ValueOf(std::string_view name) const {
  Literals out;
  for (const Property& property : properties) {
    if (property.name == name) {
      Add(out, property.literals);
    }
  }
  for (const Pattern& pattern : patterns) {
    if (pattern.language->Matches(name)) {
      Add(out, pattern.literals);
    }
  }
  for (const Additional& other : additional) {
    const bool covered = std::binary_search(other.names.begin(), other.names.end(), name) ||
                         std::any_of(other.patterns.begin(), other.patterns.end(),
                                     [&](const DfaPtr& dfa) { return dfa->Matches(name); });
    if (!covered) {
      Add(out, other.literals);
    }
  }
  return out;
}

}  // namespace atelier::engine::grammar
