// A compiled grammar: a recursive transition network (Woods, "Transition network grammars for natural language
// analysis", 1970) whose terminals are regular languages, with two node kinds of its own for JSON objects and arrays,
// whose position (which keys were seen, how many items) is counted on the stack instead of unrolled into states.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/terminal.h"

namespace atelier::engine::grammar {

inline constexpr uint32_t kNone = UINT32_MAX;
inline constexpr uint64_t kUnlimited = UINT64_MAX;

struct Edge {
  enum class Kind : uint8_t { kFree, kTerminal, kRule, kObject, kArray };
  Kind kind = Kind::kFree;
  uint32_t id = 0;      // of the terminal, rule, object or array
  uint32_t target = 0;  // node
};

struct Node {
  std::vector<Edge> edges;
  bool final = false;  // the rule may end here
};

struct ObjectRule {
  struct Property {
    uint32_t key = 0;    // terminal: the quoted name and the colon
    uint32_t value = 0;  // node: whitespace and a value
    bool required = false;
  };
  std::vector<Property> properties;  // in order of declaration
  std::vector<uint32_t> extras;      // nodes: a string of some language, a colon, a value; their languages are disjoint
  uint64_t min = 0;
  uint64_t max = kUnlimited;
  bool any_order = false;  // at most 64 properties then
};

struct ArrayRule {
  struct Item {
    uint32_t plain = kNone;    // node: a value; kNone: impossible
    uint32_t counted = kNone;  // the same for a value that counts for "contains"
  };
  std::vector<Item> prefix;
  Item rest;
  uint64_t min = 0;
  uint64_t max = kUnlimited;
  uint64_t min_contains = 0;
  uint64_t max_contains = kUnlimited;
};

// Terminals that objects and arrays are made of. Whitespace may be empty; it stands before the closing ones and after
// the comma.
struct JsonTokens {
  uint32_t open_object = kNone, close_object = kNone, open_array = kNone, close_array = kNone;
  uint32_t comma = kNone, whitespace = kNone;
};

// Immutable after its builder; thread-safe. Every node leads to an end: no text is a dead end.
struct Grammar {
  std::vector<Terminal> terminals;
  std::vector<Node> nodes;
  std::vector<uint32_t> rules;  // of each rule: its first node
  std::vector<ObjectRule> objects;
  std::vector<ArrayRule> arrays;
  JsonTokens json;
  uint32_t start = 0;  // rule

  size_t MemoryBytes() const;
};
using GrammarPtr = std::shared_ptr<const Grammar>;  // shared by the cache and the matchers of requests

// Removes what leads to no finite text, and refuses what cannot be run. Errors: kInvalidArgument
// "unsatisfiable_schema" (the grammar has no text at all), "invalid_grammar" (left recursion), "schema_too_complex".
Result<GrammarPtr> Finish(Grammar grammar, Budget& budget);

}  // namespace atelier::engine::grammar
