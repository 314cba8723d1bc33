#include "engine/service/joined_grammar.h"

#include <utility>

namespace atelier::engine::grammar {
namespace {

// Where another grammar's parts lie in the joined one.
struct Offsets {
  uint32_t terminals, nodes, rules, objects, arrays;
};

void Move(uint32_t& index, uint32_t offset) {
  if (index != kNone) {
    index += offset;
  }
}

void MoveEdge(Edge& edge, const Offsets& by) {
  edge.target += by.nodes;
  switch (edge.kind) {
    case Edge::Kind::kFree:
      break;
    case Edge::Kind::kTerminal:
      edge.id += by.terminals;
      break;
    case Edge::Kind::kRule:
      edge.id += by.rules;
      break;
    case Edge::Kind::kObject:
      edge.id += by.objects;
      break;
    case Edge::Kind::kArray:
      edge.id += by.arrays;
      break;
  }
}

void AppendNodes(const Grammar& from, const Offsets& by, Grammar& to) {
  to.terminals.insert(to.terminals.end(), from.terminals.begin(), from.terminals.end());
  for (Node node : from.nodes) {
    for (Edge& edge : node.edges) {
      MoveEdge(edge, by);
    }
    to.nodes.push_back(std::move(node));
  }
  for (const uint32_t node : from.rules) {
    to.rules.push_back(node + by.nodes);
  }
}

void AppendContainers(const Grammar& from, const Offsets& by, Grammar& to) {
  for (ObjectRule object : from.objects) {
    for (auto& property : object.properties) {
      Move(property.key, by.terminals);
      Move(property.value, by.nodes);
    }
    for (uint32_t& node : object.extras) {
      Move(node, by.nodes);
    }
    to.objects.push_back(std::move(object));
  }
  const auto move_item = [&](ArrayRule::Item& item) {
    Move(item.plain, by.nodes);
    Move(item.counted, by.nodes);
  };
  for (ArrayRule array : from.arrays) {
    for (auto& item : array.prefix) {
      move_item(item);
    }
    move_item(array.rest);
    to.arrays.push_back(std::move(array));
  }
}

// Appends `from`; returns its start rule's number in `to`.
uint32_t Append(const Grammar& from, Grammar& to) {
  const auto count = [](const auto& list) { return static_cast<uint32_t>(list.size()); };
  const Offsets by{count(to.terminals), count(to.nodes), count(to.rules), count(to.objects), count(to.arrays)};
  AppendNodes(from, by, to);
  AppendContainers(from, by, to);
  if (to.json.open_object == kNone) {
    to.json = from.json;
    for (uint32_t* token : {&to.json.open_object, &to.json.close_object, &to.json.open_array, &to.json.close_array,
                            &to.json.comma, &to.json.whitespace}) {
      Move(*token, by.terminals);
    }
  }
  return from.start + by.rules;
}

uint32_t NewNode(Grammar& grammar) {
  grammar.nodes.emplace_back();
  return static_cast<uint32_t>(grammar.nodes.size() - 1);
}

// Adds an edge from `node` over the literal; returns where it leads.
Result<uint32_t> AddLiteral(const std::string& text, uint32_t node, Grammar& grammar, Budget& budget) {
  if (text.empty()) {
    return node;
  }
  ATELIER_ASSIGN(dfa, FromWords({text}, budget));
  if (dfa.empty()) {
    return InvalidArgument("a literal of a grammar is no UTF-8", "", "invalid_grammar");
  }
  grammar.terminals.push_back({.language = std::make_shared<const Dfa>(std::move(dfa))});
  const uint32_t next = NewNode(grammar);
  grammar.nodes[node].edges.push_back(
      {Edge::Kind::kTerminal, static_cast<uint32_t>(grammar.terminals.size() - 1), next});
  return next;
}

}  // namespace

Result<GrammarPtr> GrammarOfAlternatives(const std::vector<FramedGrammar>& alternatives, Budget& budget) {
  Grammar grammar;
  const uint32_t start = NewNode(grammar);
  grammar.rules.push_back(start);
  for (const FramedGrammar& alternative : alternatives) {
    const uint32_t rule = Append(*alternative.inner, grammar);
    ATELIER_ASSIGN(before, AddLiteral(alternative.prefix, start, grammar, budget));
    const uint32_t after = NewNode(grammar);
    grammar.nodes[before].edges.push_back({Edge::Kind::kRule, rule, after});
    ATELIER_ASSIGN(end, AddLiteral(alternative.suffix, after, grammar, budget));
    grammar.nodes[end].final = true;
  }
  return Finish(std::move(grammar), budget);
}

}  // namespace atelier::engine::grammar
