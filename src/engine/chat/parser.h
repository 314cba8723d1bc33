// From the text that a model generates to reasoning, content and tool calls, as it streams.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/delta.h"
#include "engine/chat/formats.h"
#include "engine/chat/reasoning.h"
#include "engine/chat/tool_call_parser.h"

namespace atelier::engine::chat {

struct ChatParserOptions {
  ToolFormat tool_format = ToolFormat::kNone;  // kNone, too, when the request has no tools or tool_choice is "none"
  std::vector<std::string> tool_names{};       // of the request; only they are calls where no mark announces a call
  std::optional<ReasoningMarks> reasoning{};   // nothing: no reasoning is looked for
  bool reasoning_opened = false;               // PromptOpensReasoning
  // The id of each call, "call_0", "call_1" ... by default; a server gives random ones (Mistral's templates want nine
  // letters and digits).
  std::function<std::string()> make_id{};
};

// Feed it the text with the control tokens of its format (ToolFormatRow::control_tokens) and of reasoning spelled out.
// The concatenated deltas do not depend on where the text was cut. Nothing of the text is lost but marks, the structure
// of calls, and white space around reasoning and calls; a call that is malformed before its arguments begin comes out
// as content, word for word; where arguments break off, they end and what follows is content. Whole code points come
// out when whole code points go in. Not thread-safe.
class ChatParser {
 public:
  explicit ChatParser(ChatParserOptions options);

  std::vector<ChatDelta> Feed(std::string_view text);
  // The answer is complete.
  std::vector<ChatDelta> Finish();
  // More than 0: the finish reason "stop" becomes "tool_calls".
  int calls() const { return tools_.calls(); }

 private:
  std::optional<ReasoningSplitter> reasoning_;
  ToolCallParser tools_;
};

}  // namespace atelier::engine::chat
