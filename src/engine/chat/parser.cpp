#include "engine/chat/parser.h"

#include <utility>

namespace atelier::engine::chat {
namespace {

std::function<std::string()> CountedIds() {
  return [next = 0]() mutable { return "call_" + std::to_string(next++); };
}

}  // namespace

ChatParser::ChatParser(ChatParserOptions options)
    : tools_(options.tool_format, std::move(options.tool_names),
             options.make_id ? std::move(options.make_id) : CountedIds()) {
  if (options.reasoning) {
    reasoning_.emplace(std::move(*options.reasoning), options.reasoning_opened);
  }
}

std::vector<ChatDelta> ChatParser::Feed(std::string_view text) {
  DeltaList out;
  if (!reasoning_) {
    tools_.Feed(text, out);
    return out.Take();
  }
  std::string reasoning;
  std::string content;
  reasoning_->Feed(text, reasoning, content);
  out.Text(DeltaKind::kReasoning, reasoning);
  tools_.Feed(content, out);
  return out.Take();
}

std::vector<ChatDelta> ChatParser::Finish() {
  DeltaList out;
  if (reasoning_) {
    std::string reasoning;
    std::string content;
    reasoning_->Finish(reasoning, content);
    out.Text(DeltaKind::kReasoning, reasoning);
    tools_.Feed(content, out);
  }
  tools_.Finish(out);
  return out.Take();
}

}  // namespace atelier::engine::chat
