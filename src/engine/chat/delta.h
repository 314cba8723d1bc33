// What a parser of generated text hands on, piece by piece.
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace atelier::engine::chat {

enum class DeltaKind { kContent, kReasoning, kToolCallStart, kToolCallArguments };

struct ChatDelta {
  DeltaKind kind = DeltaKind::kContent;
  std::string text;  // content, reasoning, or a piece of the arguments' JSON text
  int index = 0;     // of the tool call, from 0
  std::string id;    // kToolCallStart only
  std::string name;  // kToolCallStart only

  bool operator==(const ChatDelta&) const = default;
};

// Deltas in order; neighbours of one kind become one.
class DeltaList {
 public:
  void Text(DeltaKind kind, std::string_view text, int index = 0) {
    if (text.empty()) {
      return;
    }
    if (deltas_.empty() || deltas_.back().kind != kind || deltas_.back().index != index) {
      deltas_.push_back({kind, "", index, "", ""});
    }
    deltas_.back().text += text;
  }
  void Start(int index, std::string id, std::string name) {
    deltas_.push_back({DeltaKind::kToolCallStart, "", index, std::move(id), std::move(name)});
  }
  std::vector<ChatDelta> Take() { return std::exchange(deltas_, {}); }

 private:
  std::vector<ChatDelta> deltas_;
};

}  // namespace atelier::engine::chat
