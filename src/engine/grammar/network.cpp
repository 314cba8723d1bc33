#include "engine/grammar/network.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/grammar/regex.h"

namespace atelier::engine::grammar {
namespace {

constexpr size_t kMaxInlined = 400;           // expressions of one rule with all that is put in place
constexpr size_t kMaxInlinedInAll = 100'000;  // of all rules; what is more stays a rule

class NetworkBuilder {
 public:
  NetworkBuilder(std::vector<Expression> rules, Budget& budget) : rules_(std::move(rules)), budget_(budget) {}

  Result<GrammarPtr> Build(uint32_t start) {
    FindRegular();
    for (size_t rule = 0; rule < rules_.size(); ++rule) {
      grammar_.rules.push_back(AddNode());
    }
    end_ = AddNode();
    grammar_.nodes[end_].final = true;
    for (size_t rule = 0; rule < rules_.size(); ++rule) {
      ATELIER_TRY(Connect(Inlined(rules_[rule]), grammar_.rules[rule], end_));
    }
    grammar_.start = start;
    return Finish(std::move(grammar_), budget_);
  }

 private:
  uint32_t AddNode() {
    grammar_.nodes.emplace_back();
    return static_cast<uint32_t>(grammar_.nodes.size()) - 1;
  }
  void AddEdge(uint32_t from, Edge::Kind kind, uint32_t id, uint32_t to) {
    grammar_.nodes[from].edges.push_back({kind, id, to});
  }

  // The size of an expression with its rules put in place; more than kMaxInlined where one of them has no known size.
  size_t SizeOf(const Expression& expression) const {
    if (expression.kind == Expression::Kind::kRule) {
      return sizes_[expression.rule];
    }
    size_t size = 1;
    for (const auto& child : expression.children) {
      size = std::min(size + SizeOf(child), kMaxInlined + 1);
    }
    return size;
  }
  // A rule is put in place where it is used if it is small and reaches no recursion: sizes become known from the rules
  // without rules upwards, and those of a cycle never do.
  void FindRegular() {
    sizes_.assign(rules_.size(), kMaxInlined + 1);
    bool changed = true;
    while (changed && budget_.Spend(rules_.size())) {
      changed = false;
      for (size_t rule = 0; rule < rules_.size(); ++rule) {
        const size_t size = SizeOf(rules_[rule]);
        if (sizes_[rule] > kMaxInlined && size <= kMaxInlined) {
          sizes_[rule] = size;
          changed = true;
        }
      }
    }
  }
  Expression Inlined(const Expression& expression) {
    if (expression.kind == Expression::Kind::kRule) {
      const bool small = sizes_[expression.rule] <= kMaxInlined && inlined_ < kMaxInlinedInAll;
      return small ? Inlined(rules_[expression.rule]) : expression;
    }
    ++inlined_;
    Expression out = expression;
    for (auto& child : out.children) {
      child = Inlined(child);
    }
    return out;
  }
  static bool HasRules(const Expression& expression) {
    return expression.kind == Expression::Kind::kRule ||
           std::any_of(expression.children.begin(), expression.children.end(), HasRules);
  }

  Status Connect(const Expression& expression, uint32_t from, uint32_t to) {
    if (!budget_.Spend(16) || grammar_.nodes.size() > budget_.limits().max_cells / 64) {
      return TooComplex("the grammar");
    }
    if (!HasRules(expression)) {
      ATELIER_ASSIGN(dfa, ToDfa(expression, Ending::kExact, budget_));
      AddEdge(from, Edge::Kind::kTerminal, static_cast<uint32_t>(grammar_.terminals.size()), to);
      grammar_.terminals.push_back({.language = std::make_shared<const Dfa>(std::move(dfa))});
      return {};
    }
    switch (expression.kind) {
      case Expression::Kind::kRule:
        AddEdge(from, Edge::Kind::kRule, expression.rule, to);
        return {};
      case Expression::Kind::kAlternatives:
        for (const auto& child : expression.children) {
          ATELIER_TRY(Connect(child, from, to));
        }
        return {};
      case Expression::Kind::kSequence:
        return ConnectSequence(expression.children, from, to);
      case Expression::Kind::kRepeat:
        return ConnectRepeat(expression, from, to);
      default:
        return Internal("an expression with rules that can have none");
    }
  }
  // Neighbours without rules go together into one automaton.
  Status ConnectSequence(const std::vector<Expression>& parts, uint32_t from, uint32_t to) {
    for (size_t i = 0; i < parts.size();) {
      size_t end = i + 1;
      while (!HasRules(parts[i]) && end < parts.size() && !HasRules(parts[end])) {
        ++end;
      }
      const uint32_t next = end == parts.size() ? to : AddNode();
      const auto begin = parts.begin() + static_cast<ptrdiff_t>(i);
      ATELIER_TRY(
          Connect(end == i + 1 ? parts[i] : Expression::Sequence({begin, parts.begin() + static_cast<ptrdiff_t>(end)}),
                  from, next));
      from = next;
      i = end;
    }
    return {};
  }
  Status ConnectRepeat(const Expression& expression, uint32_t from, uint32_t to) {
    const Expression& child = expression.children.front();
    for (uint32_t i = 0; i < expression.min; ++i) {
      const uint32_t next = AddNode();
      ATELIER_TRY(Connect(child, from, next));
      from = next;
    }
    if (!expression.max) {
      const uint32_t loop = AddNode();
      AddEdge(from, Edge::Kind::kFree, 0, loop);
      AddEdge(loop, Edge::Kind::kFree, 0, to);
      return Connect(child, loop, loop);
    }
    for (uint32_t i = expression.min; i < *expression.max; ++i) {
      AddEdge(from, Edge::Kind::kFree, 0, to);
      const uint32_t next = AddNode();
      ATELIER_TRY(Connect(child, from, next));
      from = next;
    }
    AddEdge(from, Edge::Kind::kFree, 0, to);
    return {};
  }

  std::vector<Expression> rules_;
  Budget& budget_;
  Grammar grammar_;
  std::vector<size_t> sizes_;
  size_t inlined_ = 0;
  uint32_t end_ = 0;
};

Result<GrammarPtr> OfTerminal(Dfa dfa, Budget& budget) {
  Grammar grammar;
  grammar.terminals.push_back({.language = std::make_shared<const Dfa>(std::move(dfa))});
  grammar.nodes.resize(2);
  grammar.nodes[0].edges.push_back({Edge::Kind::kTerminal, 0, 1});
  grammar.nodes[1].final = true;
  grammar.rules.push_back(0);
  return Finish(std::move(grammar), budget);
}

}  // namespace

Result<GrammarPtr> BuildNetwork(std::vector<Expression> rules, uint32_t start, Budget& budget) {
  return NetworkBuilder(std::move(rules), budget).Build(start);
}

Result<GrammarPtr> CompileRegexGrammar(std::string_view pattern, Budget& budget) {
  ATELIER_ASSIGN(dfa, CompileRegex(pattern, RegexMatch::kWhole, budget));
  return OfTerminal(std::move(dfa), budget);
}

Result<GrammarPtr> CompileChoices(const std::vector<std::string>& choices, Budget& budget) {
  if (choices.empty()) {
    return MakeError(Code::kInvalidArgument, "a choice among nothing", "invalid_grammar", "choice");
  }
  ATELIER_ASSIGN(dfa, FromWords(choices, budget));
  return OfTerminal(std::move(dfa), budget);
}

}  // namespace atelier::engine::grammar
