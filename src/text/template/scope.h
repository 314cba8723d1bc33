// The variables of a block and of those around it.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <string_view>
#include <utility>
#include <vector>

#include "text/template/value.h"

namespace atelier::text::jinja {

// Names are borrowed from the template. Scopes are shared because a macro keeps those that it was defined in.
class Scope {
 public:
  explicit Scope(std::shared_ptr<Scope> parent) : parent_(std::move(parent)) {}

  // In this scope or one around it; null when there is none.
  const Value* Find(std::string_view name) const {
    for (const Scope* scope = this; scope != nullptr; scope = scope->parent_.get()) {
      if (const auto at = scope->Index(name)) {
        return &scope->variables_[*at].second;
      }
    }
    return nullptr;
  }

  void Set(std::string_view name, Value value) {
    if (const auto at = Index(name)) {
      variables_[*at].second = std::move(value);
      return;
    }
    variables_.emplace_back(name, std::move(value));
    for (size_t i = index_.size(); variables_.size() > kSmall && i < variables_.size(); ++i) {
      index_.emplace(variables_[i].first, i);
    }
  }

 private:
  static constexpr size_t kSmall = 16;  // variables that are searched one by one

  std::optional<size_t> Index(std::string_view name) const {
    if (variables_.size() > kSmall) {
      const auto found = index_.find(name);
      return found == index_.end() ? std::nullopt : std::optional(found->second);
    }
    for (size_t i = 0; i < variables_.size(); ++i) {
      if (variables_[i].first == name) {
        return i;
      }
    }
    return std::nullopt;
  }

  std::shared_ptr<Scope> parent_;
  std::vector<std::pair<std::string_view, Value>> variables_;
  std::map<std::string_view, size_t> index_;  // of all, once they are many
};
using ScopePtr = std::shared_ptr<Scope>;

}  // namespace atelier::text::jinja
