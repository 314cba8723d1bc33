// From the messages of a request, in OpenAI's shape, to what a chat template finds in its context.
#pragma once

#include <string_view>

#include "base/json.h"
#include "base/result.h"

namespace atelier::engine::chat {

// What a template expects where templates differ.
struct TemplateNeeds {
  bool content_parts = false;   // walks over an array of parts; others want a string
  bool null_content = false;    // knows a message of calls alone by content being none
  bool text_arguments = false;  // joins the arguments of calls to strings; others want an object
  bool developer_role = false;  // knows the role "developer"; for others it becomes "system"
  bool operator==(const TemplateNeeds&) const = default;
};

// From what stands in the source of the template.
TemplateNeeds GuessTemplateNeeds(std::string_view template_source);

struct TemplateRequest {
  const json::array& messages;
  const json::array* tools = nullptr;       // null or empty: the context has no tools
  const json::object* variables = nullptr;  // chat_template_kwargs, bos_token ...; may not replace what we set
  bool add_generation_prompt = true;
};

// The context: "messages", "tools" (as they are), "add_generation_prompt", and the variables. In each message, members
// that are null go away; content that is an array of text becomes a string, parts joined by line feeds (or an array of
// {"type": "text", "text"}, or for the role tool a string in any case); missing content becomes "", or null, as the
// template needs it; the arguments of tool_calls become an object; all other members, and messages that repeat a role,
// stay. Errors: kInvalidArgument naming the field ("messages[2].content[0].type" ...): no object, no role, content of
// another type, parts that are no text (this model reads nothing else), calls without a function's name, arguments
// that are no JSON object; and what ParseJson has.
Result<json::object> BuildTemplateContext(const TemplateRequest& request, const TemplateNeeds& needs);

}  // namespace atelier::engine::chat
