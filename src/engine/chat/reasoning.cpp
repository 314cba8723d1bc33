#include "engine/chat/reasoning.h"

#include <utility>

namespace atelier::engine::chat {

std::optional<ReasoningMarks> GuessReasoningMarks(std::string_view template_source) {
  for (const auto& [open, close] : {std::pair{"<think>", "</think>"}, std::pair{"[THINK]", "[/THINK]"}}) {
    if (template_source.find(open) != std::string_view::npos || template_source.find(close) != std::string_view::npos) {
      return ReasoningMarks{open, close};
    }
  }
  return std::nullopt;
}

bool PromptOpensReasoning(std::string_view prompt, const ReasoningMarks& marks) {
  while (!prompt.empty() && IsSpace(prompt.back())) {
    prompt.remove_suffix(1);
  }
  return prompt.ends_with(marks.open);
}

ReasoningSplitter::ReasoningSplitter(ReasoningMarks marks, bool opened)
    : open_(std::move(marks.open)), close_({std::move(marks.close)}), opened_(opened) {}

void ReasoningSplitter::Begin(char byte, std::string& reasoning, std::string& content) {
  if (mark_.empty() && IsSpace(byte)) {
    space_.push_back(byte);
    return;
  }
  mark_.push_back(byte);
  if (open_.starts_with(mark_)) {
    if (open_.size() == mark_.size()) {
      place_ = Place::kInside;
      mark_.clear();
    }
    return;
  }
  if (!opened_) {
    place_ = Place::kContent;
    content += space_ + mark_;
    return;
  }
  place_ = Place::kInside;
  Feed(std::exchange(mark_, ""), reasoning, content);  // at most one deep: the place is another
}

void ReasoningSplitter::Inside(char byte, std::string& reasoning) {
  if (!began_ && IsSpace(byte)) {
    return;
  }
  began_ = true;
  if (close_.Push(byte, reasoning)) {
    close_.TakeHeld();
    place_ = Place::kBehind;
  }
}

void ReasoningSplitter::Feed(std::string_view text, std::string& reasoning, std::string& content) {
  for (size_t i = 0; i < text.size(); ++i) {
    switch (place_) {
      case Place::kBegin:
        Begin(text[i], reasoning, content);
        break;
      case Place::kInside:
        Inside(text[i], reasoning);
        break;
      case Place::kBehind:
        if (IsSpace(text[i])) {
          break;
        }
        place_ = Place::kContent;
        [[fallthrough]];
      case Place::kContent:
        content += text.substr(i);
        return;
    }
  }
}

void ReasoningSplitter::Finish(std::string& reasoning, std::string& content) {
  if (place_ == Place::kBegin) {
    if (opened_) {
      reasoning += mark_;
    } else {
      content += space_ + mark_;
    }
  }
  std::string held = close_.TakeHeld();
  while (!held.empty() && IsSpace(held.back())) {
    held.pop_back();
  }
  reasoning += held;
  place_ = Place::kContent;
}

}  // namespace atelier::engine::chat
