// The rules of a grammar text, which names them and defines them in any order.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/grammar/expression.h"

namespace atelier::engine::grammar {

// Rules are numbered in the order in which their names turn up.
class RuleTable {
 public:
  uint32_t NumberOf(const std::string& name) {
    const auto [entry, fresh] = numbers_.try_emplace(name, static_cast<uint32_t>(rules_.size()));
    if (fresh) {
      rules_.emplace_back();
      defined_.push_back(false);
    }
    return entry->second;
  }
  std::optional<uint32_t> Find(const std::string& name) const {
    const auto found = numbers_.find(name);
    return found == numbers_.end() ? std::nullopt : std::optional(found->second);
  }
  void Define(uint32_t rule, Expression expression) {
    rules_[rule] = std::move(expression);
    defined_[rule] = true;
  }
  bool IsDefined(uint32_t rule) const { return defined_[rule]; }
  // The first name, in their order, that has no definition; nullptr: all have one.
  const std::string* FirstUndefined() const {
    for (const auto& [name, rule] : numbers_) {
      if (!defined_[rule]) {
        return &name;
      }
    }
    return nullptr;
  }
  Expression& operator[](uint32_t rule) { return rules_[rule]; }
  std::vector<Expression> Take() { return std::exchange(rules_, {}); }

 private:
  std::map<std::string, uint32_t> numbers_;
  std::vector<Expression> rules_;
  std::vector<bool> defined_;
};

}  // namespace atelier::engine::grammar
