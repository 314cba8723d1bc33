// One of a few fixed strings that must come next.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>

#include "engine/chat/text_gate.h"

namespace atelier::engine::chat {

enum class Match { kMore, kFound, kFailed };

// White space before it is skipped. None may be the beginning of another.
class Literal {
 public:
  Match Step(char byte, std::initializer_list<std::string_view> wanted) {
    if (text_.empty() && IsSpace(byte)) {
      return Match::kMore;
    }
    text_.push_back(byte);
    for (const std::string_view literal : wanted) {
      if (literal.starts_with(text_)) {
        return literal.size() == text_.size() ? Match::kFound : Match::kMore;
      }
    }
    return Match::kFailed;
  }
  const std::string& text() const { return text_; }  // what was matched so far
  void Reset() { text_.clear(); }

 private:
  std::string text_;
};

}  // namespace atelier::engine::chat
