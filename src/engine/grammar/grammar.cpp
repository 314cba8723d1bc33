#include "engine/grammar/grammar.h"

#include <algorithm>
#include <utility>

namespace atelier::engine::grammar {
namespace {

// Finds by a fixpoint which nodes, objects and arrays have a finite text.
class Productivity {
 public:
  explicit Productivity(const Grammar& grammar)
      : grammar_(grammar),
        nodes_(grammar.nodes.size()),
        objects_(grammar.objects.size()),
        arrays_(grammar.arrays.size()) {}

  void Run() {
    bool changed = true;
    while (changed) {
      changed = false;
      for (size_t i = objects_.size(); i-- > 0;) {
        changed |= !objects_[i] && (objects_[i] = Object(grammar_.objects[i]));
      }
      for (size_t i = arrays_.size(); i-- > 0;) {
        changed |= !arrays_[i] && (arrays_[i] = Array(grammar_.arrays[i]));
      }
      for (size_t i = nodes_.size(); i-- > 0;) {
        changed |= !nodes_[i] && (nodes_[i] = NodeEnds(grammar_.nodes[i]));
      }
    }
  }
  bool Rule(uint32_t rule) const { return nodes_[grammar_.rules[rule]]; }
  bool NodeAt(uint32_t node) const { return node != kNone && nodes_[node]; }
  bool Passable(const Edge& edge) const {
    if (!nodes_[edge.target]) {
      return false;
    }
    switch (edge.kind) {
      case Edge::Kind::kFree:
        return true;
      case Edge::Kind::kTerminal:
        return !grammar_.terminals[edge.id].language->empty();
      case Edge::Kind::kRule:
        return Rule(edge.id);
      case Edge::Kind::kObject:
        return objects_[edge.id];
      case Edge::Kind::kArray:
        return arrays_[edge.id];
    }
    return false;
  }

 private:
  bool NodeEnds(const Node& node) const {
    return node.final ||
           std::any_of(node.edges.begin(), node.edges.end(), [&](const Edge& edge) { return Passable(edge); });
  }
  bool Object(const ObjectRule& object) const {
    uint64_t available = 0;
    uint64_t required = 0;
    for (const auto& property : object.properties) {
      const bool possible = NodeAt(property.value);
      if (property.required && !possible) {
        return false;
      }
      required += property.required ? 1 : 0;
      available += possible ? 1 : 0;
    }
    const bool endless = std::any_of(object.extras.begin(), object.extras.end(), [&](uint32_t node) { return NodeAt(node); });
    return required <= object.max && object.min <= object.max && (endless || available >= object.min);
  }
  bool Array(const ArrayRule& array) const {
    if (array.min > array.max || array.min_contains > array.max_contains) {
      return false;
    }
    // The longest run of possible items, and how many of them may count.
    uint64_t possible = 0;
    uint64_t counting = 0;
    for (const auto& item : array.prefix) {
      if (possible == array.max || (!NodeAt(item.plain) && !NodeAt(item.counted))) {
        return possible >= array.min && counting >= array.min_contains;
      }
      ++possible;
      counting += NodeAt(item.counted) ? 1 : 0;
    }
    const uint64_t room = array.max - possible;
    const bool counted = NodeAt(array.rest.counted);
    const bool any = counted || NodeAt(array.rest.plain);
    return (possible >= array.min || any) &&
           (counting >= array.min_contains || (counted && room >= array.min_contains - counting));
  }

  const Grammar& grammar_;
  std::vector<bool> nodes_, objects_, arrays_;
};

void Prune(Grammar& grammar, const Productivity& productive) {
  for (auto& node : grammar.nodes) {
    std::erase_if(node.edges, [&](const Edge& edge) { return !productive.Passable(edge); });
  }
  for (auto& object : grammar.objects) {
    std::erase_if(object.properties, [&](const auto& property) { return !productive.NodeAt(property.value); });
    std::erase_if(object.extras, [&](uint32_t node) { return !productive.NodeAt(node); });
  }
  const auto prune_item = [&](ArrayRule::Item& item) {
    item.plain = productive.NodeAt(item.plain) ? item.plain : kNone;
    item.counted = productive.NodeAt(item.counted) ? item.counted : kNone;
    return item.plain == kNone && item.counted == kNone;
  };
  for (auto& array : grammar.arrays) {
    for (size_t i = 0; i < array.prefix.size(); ++i) {
      if (prune_item(array.prefix[i])) {
        array.max = std::min<uint64_t>(array.max, i);
      }
    }
    if (prune_item(array.rest)) {
      array.max = std::min<uint64_t>(array.max, array.prefix.size());
    }
  }
}

// Looks for a rule that can come back to itself before it reads a byte: its closure would have no end.
class LeftRecursion {
 public:
  explicit LeftRecursion(const Grammar& grammar)
      : grammar_(grammar), nullable_(grammar.nodes.size()), colours_(grammar.nodes.size(), Colour::kNew) {
    FindNullable();
  }

  bool Exists() {
    for (uint32_t node = 0; node < grammar_.nodes.size(); ++node) {
      if (Visit(node)) {
        return true;
      }
    }
    return false;
  }

 private:
  enum class Colour : uint8_t { kNew, kOpen, kDone };
  struct Visited {
    uint32_t node;
    size_t next;
  };

  bool EmptyEdge(const Edge& edge) const {
    switch (edge.kind) {
      case Edge::Kind::kFree:
        return true;
      case Edge::Kind::kTerminal: {
        const Terminal& terminal = grammar_.terminals[edge.id];
        return Accepts(terminal, StartOf(terminal));
      }
      case Edge::Kind::kRule:
        return nullable_[grammar_.rules[edge.id]];
      default:
        return false;
    }
  }
  void FindNullable() {
    bool changed = true;
    while (changed) {
      changed = false;
      for (size_t i = nullable_.size(); i-- > 0;) {
        const Node& node = grammar_.nodes[i];
        if (!nullable_[i] && (node.final || std::any_of(node.edges.begin(), node.edges.end(), [&](const Edge& edge) {
                                return EmptyEdge(edge) && nullable_[edge.target];
                              }))) {
          nullable_[i] = true;
          changed = true;
        }
      }
    }
  }
  // Where the closure goes on from a node without reading: into rules, and over what may be empty.
  std::vector<uint32_t> Reached(uint32_t node) const {
    std::vector<uint32_t> out;
    for (const Edge& edge : grammar_.nodes[node].edges) {
      if (edge.kind == Edge::Kind::kRule) {
        out.push_back(grammar_.rules[edge.id]);
      }
      if (EmptyEdge(edge)) {
        out.push_back(edge.target);
      }
    }
    return out;
  }
  // Depth-first without recursion. A cycle of free edges alone is harmless (the closure remembers where it was), but
  // then the front end wrote a pointless loop; they do not, so any cycle is refused.
  bool Visit(uint32_t root) {
    if (colours_[root] != Colour::kNew) {
      return false;
    }
    std::vector<Visited> path{{root, 0}};
    colours_[root] = Colour::kOpen;
    while (!path.empty()) {
      const auto reached = Reached(path.back().node);
      if (path.back().next == reached.size()) {
        colours_[path.back().node] = Colour::kDone;
        path.pop_back();
        continue;
      }
      const uint32_t node = reached[path.back().next++];
      if (colours_[node] == Colour::kOpen) {
        return true;
      }
      if (colours_[node] == Colour::kNew) {
        colours_[node] = Colour::kOpen;
        path.push_back({node, 0});
      }
    }
    return false;
  }

  const Grammar& grammar_;
  std::vector<bool> nullable_;
  std::vector<Colour> colours_;
};

}  // namespace

size_t Grammar::MemoryBytes() const {
  size_t bytes = sizeof(Grammar);
  for (const auto& terminal : terminals) {
    bytes += sizeof(Terminal) + sizeof(Dfa) + terminal.language->next.size() * sizeof(int32_t) +
             terminal.language->starts.size() * sizeof(CodePoint) + terminal.language->states();
  }
  for (const auto& node : nodes) {
    bytes += sizeof(Node) + node.edges.size() * sizeof(Edge);
  }
  for (const auto& object : objects) {
    bytes += sizeof(ObjectRule) + object.properties.size() * sizeof(ObjectRule::Property);
  }
  for (const auto& array : arrays) {
    bytes += sizeof(ArrayRule) + array.prefix.size() * sizeof(ArrayRule::Item);
  }
  return bytes + rules.size() * sizeof(uint32_t);
}

Result<GrammarPtr> Finish(Grammar grammar) {
  Productivity productive(grammar);
  productive.Run();
  if (!productive.Rule(grammar.start)) {
    return MakeError(Code::kInvalidArgument, "nothing satisfies the schema or grammar", "unsatisfiable_schema");
  }
  Prune(grammar, productive);
  if (LeftRecursion(grammar).Exists()) {
    return MakeError(Code::kInvalidArgument, "the grammar is left-recursive", "invalid_grammar");
  }
  return std::make_shared<const Grammar>(std::move(grammar));
}

}  // namespace atelier::engine::grammar
