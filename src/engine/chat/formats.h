// How models write tool calls: one reader for each format.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/call_reader.h"

namespace atelier::engine::chat {

enum class ToolFormat {
  kNone,         // text is text
  kHermes,       // <tool_call>{"name": "f", "arguments": {}}</tool_call>; Hermes, Qwen 2.5 and 3
  kLlama3,       // {"name": "f", "parameters": {}} as the whole answer, or after <|python_tag|>; more after ";"
  kMistral,      // [TOOL_CALLS][{"name": "f", "arguments": {}}, ...]
  kMistralArgs,  // [TOOL_CALLS]f[ARGS]{}[TOOL_CALLS]g[ARGS]{}; also without [ARGS], and with [CALL_ID]x before it
  kDeepSeek,  // R1 and V3: <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>f, a fenced block ...
  kDeepSeekPlain,  // V3.1: <｜tool▁calls▁begin｜><｜tool▁call▁begin｜>f<｜tool▁sep｜>{}<｜tool▁call▁end｜> ...
};

struct ToolFormatRow {
  ToolFormat format;
  std::vector<std::string_view> names;  // the first is the one we print
  std::vector<std::string> marks;       // each begins a stretch of calls; none: plain text
  bool bare_object = false;             // an answer that begins with "{" may be a call
  // Every control token that the parser must see spelled in the text, though it is none that a reader should see.
  std::vector<std::string_view> control_tokens;
};

// All formats. The two of Mistral are read by one reader, and so are the two of DeepSeek: which of the two it is
// matters for ForceToolCall only.
std::span<const ToolFormatRow> ToolFormats();
const ToolFormatRow& RowOf(ToolFormat format);

// By one of its names, e.g. "hermes", "qwen", "none".
std::optional<ToolFormat> FindToolFormat(std::string_view name);

// From what stands in the source of a chat template; kNone when it shows no format that is known here.
ToolFormat GuessToolFormat(std::string_view template_source);

// A reader for what follows a mark of `format` (for a bare object: for the object, its bracket included, and only for
// tools named in `names`, unless that is empty). Not for kNone.
std::unique_ptr<CallReader> MakeCallReader(ToolFormat format, const std::vector<std::string>& names);

}  // namespace atelier::engine::chat
