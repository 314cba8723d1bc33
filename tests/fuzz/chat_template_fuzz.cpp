// libFuzzer entry: any bytes as a chat template, rendered on a small conversation.
#include "fuzz/fuzz.h"
#include "text/template/chat_template.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view source(reinterpret_cast<const char*>(data), size);
  auto parsed = atelier::text::ChatTemplate::Parse(source);
  if (parsed.ok()) {
    const boost::json::object call{{"function", boost::json::object{{"name", "f"}, {"arguments", {{"x", 1.5}}}}}};
    const boost::json::object context{
        {"messages",
         boost::json::array{
             boost::json::object{{"role", "user"}, {"content", "你好"}},
             boost::json::object{{"role", "assistant"}, {"content", "A"}, {"tool_calls", boost::json::array{call}}}}},
        {"tools", boost::json::array{call}},
        {"add_generation_prompt", true},
        {"bos_token", "<s>"},
        {"eos_token", "</s>"}};
    const atelier::text::RenderLimits limits{
        .max_output_bytes = 1U << 20U, .max_memory_bytes = 32U << 20U, .max_steps = 100'000, .now_s = 0};
    const auto rendered = (*parsed)->Render(context, limits);
    if (!rendered.ok()) {
      atelier::fuzz::CheckError(rendered.error());
    }
  } else {
    atelier::fuzz::CheckError(parsed.error());
  }
  return 0;
}
