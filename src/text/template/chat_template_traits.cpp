#include <string_view>

#include "text/template/chat_template.h"

namespace atelier::text {
namespace {

namespace json = boost::json;

// Words that no template has of its own.
constexpr const char* kBos = "<bos-7b1f>";
constexpr const char* kSystem = "system-7b1f";
constexpr const char* kUser = "user-7b1f";
constexpr const char* kTool = "tool_7b1f";
constexpr const char* kResult = "result-7b1f";
constexpr const char* kThought = "thought-7b1f";

json::object Message(std::string_view role, json::value content) {
  return {{"role", role}, {"content", std::move(content)}};
}

json::object Context(json::array messages) {
  return {{"messages", std::move(messages)},
          {"add_generation_prompt", true},
          {"bos_token", kBos},
          {"eos_token", "<eos-7b1f>"}};
}

json::array Tools() {
  const json::object parameters{
      {"type", "object"},
      {"properties", json::object{{"x", json::object{{"type", "string"}, {"description", "d"}}}}},
      {"required", json::array{"x"}}};
  const json::object function{{"name", kTool}, {"description", "d"}, {"parameters", parameters}};
  return {json::object{{"type", "function"}, {"function", function}}};
}

// A turn in which the assistant calls the tool and gets its result; ids as the strictest templates want them.
json::array ToolTurn(bool arguments_as_text) {
  json::value arguments = json::object{{"x", "1"}};
  if (arguments_as_text) {
    arguments = "{\"x\": \"1\"}";
  }
  json::object call{{"id", "abcdef123"},
                    {"type", "function"},
                    {"function", json::object{{"name", kTool}, {"arguments", std::move(arguments)}}}};
  json::object assistant = Message("assistant", "");
  assistant["tool_calls"] = json::array{std::move(call)};
  json::object result = Message("tool", kResult);
  result["name"] = kTool;
  result["tool_call_id"] = "abcdef123";
  return {Message("user", kUser), std::move(assistant), std::move(result)};
}

class Inspector {
 public:
  explicit Inspector(const ChatTemplate& chat_template) : template_(chat_template) {}

  ChatTemplateTraits Run() {
    ChatTemplateTraits traits;
    const std::string plain = Render(Context({Message("user", kUser)}));
    traits.writes_bos = plain.starts_with(kBos);
    const json::array parts{json::object{{"type", "text"}, {"text", kUser}}};
    traits.needs_content_parts = !Has(plain, kUser) && Has(Render(Context({Message("user", parts)})), kUser);
    traits.uses_system_role = Has(Render(Context({Message("system", kSystem), Message("user", kUser)})), kSystem);

    json::object with_tools = Context({Message("user", kUser)});
    with_tools["tools"] = Tools();
    traits.uses_tools = Has(Render(with_tools), kTool);
    for (const bool arguments_as_text : {false, true}) {
      const std::string turn = Render(Context(ToolTurn(arguments_as_text)));
      traits.uses_tool_calls |= Has(turn, kTool);
      traits.uses_tool_results |= Has(turn, kResult);
    }
    traits.uses_thinking = Differs("enable_thinking") || Differs("thinking");
    traits.uses_reasoning = UsesReasoning();
    return traits;
  }

 private:
  static bool Has(std::string_view text, std::string_view word) { return text.find(word) != std::string_view::npos; }

  // Empty when the template refuses.
  std::string Render(const json::object& context) const {
    const RenderLimits limits{.max_output_bytes = 1U << 20U, .max_memory_bytes = 16U << 20U, .max_steps = 1'000'000};
    auto text = template_.Render(context, limits);
    return text.ok() ? std::move(*text) : std::string();
  }

  bool Differs(std::string_view key) const {
    json::object context = Context({Message("user", kUser)});
    context[key] = true;
    const std::string with = Render(context);
    context[key] = false;
    return with != Render(context);
  }

  // Some show it only in the turn that is not over yet, where a tool is called.
  bool UsesReasoning() const {
    json::object answer = Message("assistant", "a");
    answer["reasoning_content"] = kThought;
    json::array turn = ToolTurn(false);
    turn[1].get_object()["reasoning_content"] = kThought;
    return Has(Render(Context({Message("user", kUser), answer})), kThought) || Has(Render(Context(turn)), kThought);
  }

  const ChatTemplate& template_;
};

}  // namespace

ChatTemplateTraits InspectChatTemplate(const ChatTemplate& chat_template) { return Inspector(chat_template).Run(); }

}  // namespace atelier::text
