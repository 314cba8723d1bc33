// The terminals of JSON's grammar (RFC 8259): punctuation with whitespace, keys, strings, numbers.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <tuple>

#include "base/result.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/expression.h"
#include "engine/grammar/grammar.h"
#include "engine/grammar/json_schema.h"

namespace atelier::engine::grammar {

// Adds terminals to a grammar, each once. Borrows the grammar and the budget.
class JsonTerminals {
 public:
  JsonTerminals(Grammar& grammar, const JsonOptions& options, Budget& budget)
      : grammar_(grammar), options_(options), budget_(budget) {}

  // Fills grammar.json. Errors of all: "schema_too_complex".
  Status AddTokens();
  uint32_t Add(const Terminal& terminal);
  // The quoted name and a colon; characters that may be escaped are accepted both ways.
  Result<uint32_t> Key(const std::string& name);
  uint32_t colon() const { return colon_; }

 private:
  Result<uint32_t> AddExpression(const Expression& expression);
  Expression Whitespace() const;

  Grammar& grammar_;
  JsonOptions options_;
  Budget& budget_;
  uint32_t colon_ = kNone;
  std::map<std::tuple<DfaPtr, bool, uint32_t, uint32_t>, uint32_t> known_;
  std::map<std::string, uint32_t> keys_;
};

}  // namespace atelier::engine::grammar
