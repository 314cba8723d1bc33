// libFuzzer entry: any bytes as a chat template, rendered on a small conversation. Not part of the build:
// clang++ -std=c++20 -g -O1 -fsanitize=fuzzer,address,undefined -Isrc tests/fuzz/chat_template_fuzz.cpp
//   $(ls src/text/template/*.cpp | grep -v _test) src/base/{ids,json}.cpp ... -lboost_json -lcrypto
#include <cstddef>
#include <cstdint>
#include <string_view>

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
    (void)(*parsed)->Render(context, limits);
  }
  return 0;
}
