// Chat templates: the Jinja programs by which a published model says how a conversation becomes its prompt. The
// language is that of jinja2 3.1 (https://jinja.palletsprojects.com/en/3.1.x/templates/) as Hugging Face's tokenizers
// set it up: trim_blocks, lstrip_blocks, loop controls, generation blocks, tojson without escapes of HTML or of
// non-ASCII characters, raise_exception and strftime_now. A template sees its context and nothing else.
//
// Where we differ: methods that change lists and dicts are allowed (jinja2's immutable sandbox refuses them); keys of
// dicts are scalars; integers have 127 bits; there is no include, import, extends, block, autoescape, and no `*args` or
// `**kwargs` in calls; the attributes of Python objects other than methods do not exist.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::text {

// What one rendering may use, and the time that it sees.
struct RenderLimits {
  size_t max_output_bytes = 16U << 20U;   // also of every string in between
  size_t max_memory_bytes = 256U << 20U;  // of all values at once
  uint64_t max_steps = 10'000'000;        // a second or two at most
  int max_depth = 400;                    // of evaluation and of values; at most 400 is used
  // What strftime_now shows, in seconds since 1970, taken as UTC: add the offset of a time zone before. Without it
  // strftime_now is undefined; templates then show a date of their own.
  std::optional<int64_t> now_s{};
};

// Immutable and thread-safe.
class ChatTemplate {
 public:
  // Errors: kInvalidArgument "invalid_template" with the line (syntax, unknown tags, filters and tests, nested too
  // deep, larger than 1 MiB, no UTF-8).
  static Result<std::unique_ptr<ChatTemplate>> Parse(std::string_view source);
  virtual ~ChatTemplate() = default;

  // `context` holds messages, tools, documents, add_generation_prompt, bos_token, eos_token and whatever else the
  // template is to see; a key that is absent is undefined there. Errors: kInvalidArgument, with reason "template_error"
  // (raise_exception, with its message alone, at most 1,000 bytes of it; or what jinja2 would raise, with the line) or
  // "template_limit" (a limit reached).
  virtual Result<std::string> Render(const boost::json::object& context, const RenderLimits& limits = {}) const = 0;
};

// What a template does with a conversation, found by rendering small ones.
struct ChatTemplateTraits {
  bool uses_tools = false;           // definitions of tools reach the prompt
  bool uses_tool_calls = false;      // an assistant's tool calls reach the prompt
  bool uses_tool_results = false;    // messages of role "tool" reach the prompt
  bool uses_system_role = false;     // a system message reaches the prompt
  bool uses_thinking = false;        // enable_thinking, or thinking, changes the prompt
  bool uses_reasoning = false;       // reasoning_content of an assistant reaches the prompt
  bool writes_bos = false;           // the prompt begins with bos_token: do not add it again
  bool needs_content_parts = false;  // content must be a list of parts: text as a string does not reach the prompt
};
ChatTemplateTraits InspectChatTemplate(const ChatTemplate& chat_template);

}  // namespace atelier::text
