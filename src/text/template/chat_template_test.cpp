#include "text/template/chat_template.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "text/template/test_support.h"

namespace atelier::text {
namespace {

// 464 conversations rendered by jinja2, by llama.cpp's engine and mostly by @huggingface/jinja too.
TEST(ChatTemplateGoldenTest, EveryPublishedTemplateRendersAsItsReferences) {
  const auto data = SharedData();
  if (data.empty()) {
    GTEST_SKIP() << "there is no folder of shared data";
  }
  auto golden = ParseJson(testing::ReadFile(data / "golden/chat_templates.json"), {.max_bytes = 64U << 20U});
  ASSERT_TRUE(golden.ok()) << golden.error().message;
  const auto& root = golden->get_object();
  std::map<std::string, std::unique_ptr<ChatTemplate>> templates;
  size_t compared = 0;
  for (const auto& row : root.at("cases").get_array()) {
    json::object context = row.get_object();
    const std::string name = GetString(context, "template");
    const std::string label = name + " / " + GetString(context, "case");
    if (!templates.contains(name)) {
      const auto* extra = root.at("extra_templates").get_object().if_contains(name);
      const std::string source = extra != nullptr ? std::string(extra->get_string())
                                                  : testing::ReadFile(data / "tokenizers/chat_templates" / name);
      auto parsed = ChatTemplate::Parse(source);
      ASSERT_TRUE(parsed.ok()) << name << ": " << parsed.error().message;
      templates[name] = std::move(*parsed);
    }
    const json::value expected = context.contains("expected") ? context["expected"] : json::value();
    for (const char* key : {"template", "case", "expected", "expected_error", "agree"}) {
      context.erase(key);
    }
    auto rendered = templates[name]->Render(context);
    if (expected.is_string()) {
      ASSERT_TRUE(rendered.ok()) << label << ": " << rendered.error().message;
      EXPECT_EQ(*rendered, std::string(expected.get_string())) << label;
    } else {
      EXPECT_FALSE(rendered.ok()) << label;
    }
    ++compared;
  }
  EXPECT_EQ(compared, 464U);
}

ChatTemplateTraits TraitsOf(const std::string& source) {
  auto parsed = ChatTemplate::Parse(source);
  EXPECT_TRUE(parsed.ok()) << parsed.error().message;
  return InspectChatTemplate(**parsed);
}

TEST(ChatTemplateTraitsTest, FindsWhatATemplateUses) {
  const auto plain = TraitsOf("{{ bos_token }}{% for m in messages %}{{ m.role }}: {{ m.content }}\n{% endfor %}");
  EXPECT_TRUE(plain.writes_bos && plain.uses_system_role && plain.uses_tool_results);
  EXPECT_FALSE(plain.uses_tools || plain.uses_tool_calls || plain.uses_thinking || plain.uses_reasoning ||
               plain.needs_content_parts);
  const auto no_system = TraitsOf(
      "{% if messages[0].role == 'system' %}{{ raise_exception('no system') }}{% endif %}{{ messages[0].content }}");
  EXPECT_FALSE(no_system.uses_system_role || no_system.writes_bos);
  const auto parts = TraitsOf("{% for m in messages %}{% for p in m.content %}{{ p.text }}{% endfor %}{% endfor %}");
  EXPECT_TRUE(parts.needs_content_parts);
}

TEST(ChatTemplateTraitsTest, KnowsPublishedTemplates) {
  const auto data = SharedData();
  if (data.empty()) {
    GTEST_SKIP() << "there is no folder of shared data";
  }
  auto golden = ParseJson(testing::ReadFile(data / "golden/chat_templates.json"), {.max_bytes = 64U << 20U});
  ASSERT_TRUE(golden.ok());
  const auto qwen3 =
      TraitsOf(GetString(golden->get_object().at("extra_templates").get_object(), "Qwen-Qwen3-0.6B.jinja"));
  EXPECT_TRUE(qwen3.uses_tools && qwen3.uses_tool_calls && qwen3.uses_tool_results && qwen3.uses_system_role);
  EXPECT_TRUE(qwen3.uses_thinking && qwen3.uses_reasoning);
  EXPECT_FALSE(qwen3.writes_bos || qwen3.needs_content_parts);
  const auto folder = data / "tokenizers/chat_templates";
  const auto gemma = TraitsOf(testing::ReadFile(folder / "google-gemma-2-2b-it.jinja"));
  EXPECT_TRUE(gemma.writes_bos);
  EXPECT_FALSE(gemma.uses_system_role || gemma.uses_tools || gemma.uses_thinking);
  const auto llama = TraitsOf(testing::ReadFile(folder / "meta-llama-Llama-3.1-8B-Instruct.jinja"));
  EXPECT_TRUE(llama.writes_bos && llama.uses_tools && llama.uses_tool_calls && llama.uses_tool_results);
}

}  // namespace
}  // namespace atelier::text
