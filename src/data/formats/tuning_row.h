// A row of a file for fine-tuning as the columns that language models learn from.
#pragma once

#include <string>
#include <utility>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace atelier::data {

// Names and texts of columns. Lists of messages and tools are JSON.
using TuningRow = std::vector<std::pair<std::string, std::string>>;

// One of these shapes, with no other members:
//   {"messages": [...], "tools": [...]?, "parallel_tool_calls": bool?}     columns messages and tools (may be empty)
//   {"prompt": text, "completion": text}
//   {"text": text}
// Messages are OpenAI's: role, content (a text, or parts of text, which are joined), name, tool_calls, tool_call_id,
// weight 0 or 1; one answer at least has another weight than 0; the role developer becomes system. Errors:
// kInvalidArgument naming the member.
Result<TuningRow> ReadTuningRow(const json::object& row);

// Columns prompt, chosen and rejected, of one of these shapes:
//   {"input": {"messages": [...]}, "preferred_output": [answer], "non_preferred_output": [answer]}, also with
//     `..._completion` for `..._output`
//   {"prompt": text or messages, "chosen": text or [answer], "rejected": text or [answer]}
Result<TuningRow> ReadPreferenceRow(const json::object& row);

}  // namespace atelier::data
