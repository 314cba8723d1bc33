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

  // Whether the budget was enough.
  bool Run(Budget& budget) {
    bool changed = true;
    while (changed) {
      if (!budget.Spend(nodes_.size())) {
        return false;
      }
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
    return true;
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
    const bool endless =
        std::any_of(object.extras.begin(), object.extras.end(), [&](uint32_t node) { return NodeAt(node); });
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

// Looks for a rule that can come back to itself before it reads a byte: its closure would have no end. (A loop over
// something empty is harmless, as the closure remembers where it was.)
class LeftRecursion {
 public:
  explicit LeftRecursion(const Grammar& grammar) : grammar_(grammar), nullable_(grammar.nodes.size()) {}

  // nullopt: the budget was not enough.
  std::optional<bool> Exists(Budget& budget) {
    if (!FindNullable(budget)) {
      return std::nullopt;
    }
    FindComponents();
    for (uint32_t node = 0; node < grammar_.nodes.size(); ++node) {
      for (const Edge& edge : grammar_.nodes[node].edges) {
        if (edge.kind == Edge::Kind::kRule && component_[node] == component_[grammar_.rules[edge.id]]) {
          return true;
        }
      }
    }
    return false;
  }

 private:
  bool IsEmptyEdge(const Edge& edge) const {
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
  bool IsNullable(const Node& node) const {
    return node.final || std::any_of(node.edges.begin(), node.edges.end(),
                                     [&](const Edge& edge) { return IsEmptyEdge(edge) && nullable_[edge.target]; });
  }
  bool FindNullable(Budget& budget) {
    bool changed = true;
    while (changed) {
      if (!budget.Spend(nullable_.size())) {
        return false;
      }
      changed = false;
      for (size_t i = nullable_.size(); i-- > 0;) {
        if (!nullable_[i] && IsNullable(grammar_.nodes[i])) {
          nullable_[i] = true;
          changed = true;
        }
      }
    }
    return true;
  }
  // Where the closure goes on from a node without reading: into rules, and over what may be empty.
  std::vector<uint32_t> Reached(uint32_t node) const {
    std::vector<uint32_t> out;
    for (const Edge& edge : grammar_.nodes[node].edges) {
      if (edge.kind == Edge::Kind::kRule) {
        out.push_back(grammar_.rules[edge.id]);
      }
      if (IsEmptyEdge(edge)) {
        out.push_back(edge.target);
      }
    }
    return out;
  }
  // Strongly connected components (Kosaraju and Sharir), without recursion.
  void FindComponents() {
    const auto size = static_cast<uint32_t>(grammar_.nodes.size());
    std::vector<std::vector<uint32_t>> forward(size);
    std::vector<std::vector<uint32_t>> backward(size);
    for (uint32_t node = 0; node < size; ++node) {
      forward[node] = Reached(node);
      for (const uint32_t target : forward[node]) {
        backward[target].push_back(node);
      }
    }
    std::vector<uint32_t> order;
    std::vector<uint32_t> mark(size, kNone);
    for (uint32_t node = 0; node < size; ++node) {
      Search(node, 0, forward, mark, order);
    }
    component_.assign(size, kNone);
    std::vector<uint32_t> unused;
    for (size_t i = order.size(); i-- > 0;) {
      Search(order[i], order[i], backward, component_, unused);
    }
  }
  // Marks what is reachable and not marked yet; adds it to `order` once all below is marked.
  static void Search(uint32_t root, uint32_t number, const std::vector<std::vector<uint32_t>>& edges,
                     std::vector<uint32_t>& mark, std::vector<uint32_t>& order) {
    if (mark[root] != kNone) {
      return;
    }
    std::vector<std::pair<uint32_t, size_t>> path{{root, 0}};
    mark[root] = number;
    while (!path.empty()) {
      auto& [node, next] = path.back();
      if (next == edges[node].size()) {
        order.push_back(node);
        path.pop_back();
        continue;
      }
      const uint32_t target = edges[node][next++];
      if (mark[target] == kNone) {
        mark[target] = number;
        path.emplace_back(target, 0);
      }
    }
  }

  const Grammar& grammar_;
  std::vector<bool> nullable_;
  std::vector<uint32_t> component_;
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

Result<GrammarPtr> Finish(Grammar grammar, Budget& budget) {
  Productivity productive(grammar);
  if (!productive.Run(budget)) {
    return TooComplex("the schema or grammar");
  }
  if (!productive.Rule(grammar.start)) {
    return MakeError(Code::kInvalidArgument, "nothing satisfies the schema or grammar", "unsatisfiable_schema");
  }
  Prune(grammar, productive);
  const auto left_recursive = LeftRecursion(grammar).Exists(budget);
  if (!left_recursive) {
    return TooComplex("the schema or grammar");
  }
  if (*left_recursive) {
    return MakeError(Code::kInvalidArgument, "the grammar is left-recursive", "invalid_grammar");
  }
  return std::make_shared<const Grammar>(std::move(grammar));
}

}  // namespace atelier::engine::grammar
