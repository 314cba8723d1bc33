// The regular languages that a schema's keywords name, each built once.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/json.h"
#include "engine/grammar/budget.h"
#include "engine/grammar/dfa.h"
#include "engine/grammar/numbers.h"

namespace atelier::engine::grammar {

// Borrows the budget. Not thread-safe. Errors: "schema_too_complex", those of regular expressions.
class Languages {
 public:
  explicit Languages(Budget& budget) : budget_(budget) {}

  Result<DfaPtr> Pattern(std::string_view regex);  // texts of which a part matches
  Result<DfaPtr> Format(std::string_view format);  // null for a format that is only an annotation
  Result<DfaPtr> Words(const std::vector<std::string>& words);
  Result<DfaPtr> Text() {
    return Named("any text", [](Budget&) { return Result<Dfa>(AnyText()); });
  }
  Result<DfaPtr> Number() { return Named("any number", AnyNumber); }
  Result<DfaPtr> Integer(bool with_fraction) {
    return with_fraction ? Named("any integer", AnyInteger) : Named("any whole number", AnyWholeNumber);
  }
  Result<DfaPtr> NoInteger();
  Result<DfaPtr> Compare(const json::value& bound, Comparison comparison);  // null where `bound` is no number
  Result<DfaPtr> Multiple(const json::value& step, bool multiple);          // null where it cannot be enforced
  // The numbers that are none of these.
  Result<DfaPtr> NumbersExcept(const std::vector<const json::value*>& values);
  // The spellings of these numbers.
  Result<DfaPtr> NumbersOf(const std::vector<const json::value*>& values);

  // A null operand stands for everything; for kMinus only as the left one, meaning `any`.
  Result<DfaPtr> Both(const DfaPtr& left, const DfaPtr& right);
  Result<DfaPtr> Without(const DfaPtr& left, const DfaPtr& right);
  Result<DfaPtr> Either(const DfaPtr& left, const DfaPtr& right);
  Result<DfaPtr> Limited(const DfaPtr& language, uint64_t min, uint64_t max);

 private:
  template <class Make>
  Result<DfaPtr> Named(const std::string& name, const Make& make) {
    if (const auto found = by_name_.find(name); found != by_name_.end()) {
      return found->second;
    }
    ATELIER_ASSIGN(dfa, make(budget_));
    return by_name_.emplace(name, std::make_shared<const Dfa>(std::move(dfa))).first->second;
  }
  Result<DfaPtr> Combined(const DfaPtr& left, const DfaPtr& right, SetOperation operation);

  Budget& budget_;
  std::map<std::string, DfaPtr> by_name_;
  struct Operation {
    DfaPtr left, right;
    SetOperation operation;
    auto operator<=>(const Operation&) const = default;
  };
  std::map<Operation, DfaPtr> combined_;
  std::map<std::tuple<DfaPtr, uint64_t, uint64_t>, DfaPtr> limited_;
};

}  // namespace atelier::engine::grammar
