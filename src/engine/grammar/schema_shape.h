// What a JSON Schema says about one value, with all that applies to it merged: a conjunction of constraints, by type.
#pragma once

#include <cstdint>
#include <functional>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/grammar/dfa.h"

namespace atelier::engine::grammar {

// A schema, or its negation.
struct Literal {
  const json::value* schema = nullptr;  // borrowed from the document, or from the expander
  bool negated = false;
  auto operator<=>(const Literal&) const = default;
};
// A conjunction; sorted, each once. Empty: anything.
using Literals = std::vector<Literal>;
void Add(Literals& literals, Literal literal);
void Add(Literals& literals, const Literals& others);

enum TypeBit : uint8_t { kNull = 1, kFalse = 2, kTrue = 4, kNumber = 8, kString = 16, kArray = 32, kObject = 64 };
inline constexpr uint8_t kAllTypes = 127;
inline constexpr uint64_t kNoBound = std::numeric_limits<uint64_t>::max();

struct StringPart {
  DfaPtr language;  // null: any text
  uint64_t min = 0, max = kNoBound;
};

struct ArrayPart {
  struct Contains {
    Literals literals;
    uint64_t min = 1, max = kNoBound;
  };
  std::vector<Literals> prefix;
  Literals rest;
  uint64_t min = 0, max = kNoBound;
  std::vector<Contains> contains;
  bool unique = false;

  // The conjunction with another prefix and rest.
  void Merge(const std::vector<Literals>& other_prefix, const Literals& other_rest);
};

struct ObjectPart {
  struct Property {
    std::string name;
    Literals literals;
  };
  struct Pattern {
    DfaPtr language;
    Literals literals;
  };
  // For the keys that are neither among the names nor match a pattern.
  struct Additional {
    std::vector<std::string> names;  // sorted
    std::vector<DfaPtr> patterns;
    Literals literals;
  };
  std::vector<Property> properties;  // in order of declaration
  std::vector<std::string> required;
  std::vector<Pattern> patterns;
  std::vector<Additional> additional;
  std::vector<DfaPtr> names;  // each key matches all of them
  uint64_t min = 0, max = kNoBound;

  void Constrain(std::string_view name, const Literals& literals);
  void Require(std::string_view name);
  // What the value of this key must satisfy. (Whether `names` allow the key is not looked at.)
  Literals ValueOf(std::string_view name) const;
};

struct Shape {
  uint8_t types = kAllTypes;
  StringPart string;
  DfaPtr number;  // null: any number
  ArrayPart array;
  ObjectPart object;
};

}  // namespace atelier::engine::grammar
