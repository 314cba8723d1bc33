// Separates what a model thinks from what it says.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "engine/chat/text_gate.h"

namespace atelier::engine::chat {

struct ReasoningMarks {
  std::string open;
  std::string close;
  bool operator==(const ReasoningMarks&) const = default;
};

// <think> or [THINK], when the source of a chat template spells them; nothing for models that do not think aloud.
std::optional<ReasoningMarks> GuessReasoningMarks(std::string_view template_source);

// Whether the rendered prompt ends inside the reasoning, so that the model goes on thinking at once.
bool PromptOpensReasoning(std::string_view prompt, const ReasoningMarks& marks);

// Reasoning stands at the beginning of an answer or nowhere: a mark later on is text. White space around reasoning is
// dropped. Without a closing mark all is reasoning. Cuts make no difference. Not thread-safe.
class ReasoningSplitter {
 public:
  // `opened`: PromptOpensReasoning; an opening mark that the model repeats is dropped.
  ReasoningSplitter(ReasoningMarks marks, bool opened);

  // Appends to each what is certain. All reasoning comes before all content.
  void Feed(std::string_view text, std::string& reasoning, std::string& content);
  void Finish(std::string& reasoning, std::string& content);

 private:
  enum class Place { kBegin, kInside, kBehind, kContent };

  void Begin(char byte, std::string& reasoning, std::string& content);
  void Inside(char byte, std::string& reasoning);

  const std::string open_;
  TextGate close_;
  const bool opened_;
  Place place_ = Place::kBegin;
  std::string space_;   // at the beginning
  std::string mark_;    // what may be the opening mark
  bool began_ = false;  // a byte of reasoning that is no white space was read
};

}  // namespace atelier::engine::chat
