#include "engine/chat/text_gate.h"

#include <utility>

namespace atelier::engine::chat {

bool IsSpace(char byte) { return byte == ' ' || byte == '\n' || byte == '\t' || byte == '\r'; }

std::optional<size_t> TextGate::Push(char byte, std::string& released) {
  held_.push_back(byte);
  const auto found = marks_.Step(byte);
  const size_t undecided = found ? marks_.pattern(*found).size() : marks_.held();
  for (; decided_ < held_.size() - undecided; ++decided_) {
    if (!IsSpace(held_[decided_])) {
      solid_ = decided_ + 1;
    }
  }
  if (solid_ > 0) {
    released.append(held_, 0, solid_);
    held_.erase(0, solid_);
    decided_ -= solid_;
    solid_ = 0;
  }
  return found;
}

std::string TextGate::TakeHeld() {
  marks_.Reset();
  solid_ = 0;
  decided_ = 0;
  return std::exchange(held_, "");
}

}  // namespace atelier::engine::chat
