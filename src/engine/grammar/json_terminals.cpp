#include "engine/grammar/json_terminals.h"

#include <array>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::engine::grammar {
namespace {

constexpr uint32_t kMaxIndent = 64;

Expression HexEscape(uint32_t unit) {
  std::vector<Expression> parts{Expression::Text("\\u")};
  for (int shift = 12; shift >= 0; shift -= 4) {
    const uint32_t digit = unit >> static_cast<uint32_t>(shift) & 0xFU;
    CodeSet set{{digit < 10 ? '0' + digit : 'a' + digit - 10, digit < 10 ? '0' + digit : 'a' + digit - 10}};
    if (digit >= 10) {
      set.push_back({'A' + digit - 10, 'A' + digit - 10});
    }
    parts.push_back(Expression::Set(Normalized(std::move(set))));
  }
  return Expression::Sequence(std::move(parts));
}

// The spellings of one character inside a JSON string.
Expression Spellings(CodePoint code) {
  constexpr std::array<std::pair<char, std::string_view>, 8> kShort{{{'"', "\\\""},
                                                                     {'\\', "\\\\"},
                                                                     {'/', "\\/"},
                                                                     {'\b', "\\b"},
                                                                     {'\f', "\\f"},
                                                                     {'\n', "\\n"},
                                                                     {'\r', "\\r"},
                                                                     {'\t', "\\t"}}};
  std::vector<Expression> spellings;
  if (code >= 0x20 && code != '"' && code != '\\') {
    spellings.push_back(Expression::Set({{code, code}}));
  }
  for (const auto& [character, spelling] : kShort) {
    if (code == static_cast<uint8_t>(character)) {
      spellings.push_back(Expression::Text(spelling));
    }
  }
  if (code >= 0x10000) {
    const uint32_t offset = code - 0x10000;
    spellings.push_back(
        Expression::Sequence({HexEscape(0xD800 + (offset >> 10U)), HexEscape(0xDC00 + (offset & 0x3FFU))}));
  } else if (code < 0x20 || code >= 0x7F) {
    spellings.push_back(HexEscape(code));
  }
  return spellings.size() == 1 ? std::move(spellings[0]) : Expression::Alternatives(std::move(spellings));
}

}  // namespace

Expression JsonTerminals::Whitespace() const {
  if (options_.whitespace == JsonWhitespace::kCompact) {
    return Expression::Sequence({});
  }
  auto indent = Expression::Repeat(Expression::Set({{'\t', '\t'}, {' ', ' '}}), 0, kMaxIndent);
  return Expression::Alternatives({Expression::Sequence({}), Expression::Text(" "),
                                   Expression::Sequence({Expression::Text("\n"), std::move(indent)})});
}

Result<uint32_t> JsonTerminals::AddExpression(const Expression& expression) {
  ATELIER_ASSIGN(dfa, ToDfa(expression, Ending::kExact, budget_));
  return Add({.language = std::make_shared<const Dfa>(std::move(dfa))});
}

Status JsonTerminals::AddTokens() {
  const auto add = [&](uint32_t& id, std::vector<Expression> parts) -> Status {
    ATELIER_ASSIGN(added, AddExpression(Expression::Sequence(std::move(parts))));
    id = added;
    return {};
  };
  ATELIER_TRY(add(grammar_.json.whitespace, {Whitespace()}));
  ATELIER_TRY(add(grammar_.json.open_object, {Expression::Text("{")}));
  ATELIER_TRY(add(grammar_.json.close_object, {Whitespace(), Expression::Text("}")}));
  ATELIER_TRY(add(grammar_.json.open_array, {Expression::Text("[")}));
  ATELIER_TRY(add(grammar_.json.close_array, {Whitespace(), Expression::Text("]")}));
  ATELIER_TRY(add(grammar_.json.comma, {Expression::Text(","), Whitespace()}));
  return add(colon_, {Expression::Text(":")});
}

uint32_t JsonTerminals::Add(const Terminal& terminal) {
  const auto key = std::make_tuple(terminal.language, terminal.json_string, terminal.min_length, terminal.max_length);
  const auto [entry, fresh] = known_.try_emplace(key, static_cast<uint32_t>(grammar_.terminals.size()));
  if (fresh) {
    grammar_.terminals.push_back(terminal);
  }
  return entry->second;
}

Result<uint32_t> JsonTerminals::Key(const std::string& name) {
  if (const auto found = keys_.find(name); found != keys_.end()) {
    return found->second;
  }
  std::vector<Expression> parts{Expression::Text("\"")};
  const auto codes = DecodeUtf8(name);
  for (const CodePoint code : codes.value_or(std::vector<CodePoint>())) {
    parts.push_back(Spellings(code));
  }
  parts.push_back(codes ? Expression::Text("\":") : Expression::Set({}));
  ATELIER_ASSIGN(terminal, AddExpression(Expression::Sequence(std::move(parts))));
  keys_.emplace(name, terminal);
  return terminal;
}

}  // namespace atelier::engine::grammar
