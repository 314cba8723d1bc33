// The variables of a block and of those around it.
#pragma once

#include <memory>
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
      for (const auto& [key, value] : scope->variables_) {
        if (key == name) {
          return &value;
        }
      }
    }
    return nullptr;
  }

  void Set(std::string_view name, Value value) {
    for (auto& [key, current] : variables_) {
      if (key == name) {
        current = std::move(value);
        return;
      }
    }
    variables_.emplace_back(name, std::move(value));
  }

 private:
  std::shared_ptr<Scope> parent_;
  std::vector<std::pair<std::string_view, Value>> variables_;
};
using ScopePtr = std::shared_ptr<Scope>;

}  // namespace atelier::text::jinja
