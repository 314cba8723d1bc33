#include "text/template/chat_template.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "text/template/test_support.h"

namespace atelier::text {
namespace {

// 464 conversations rendered by jinja2, by llama.cpp's engine and mostly by @huggingface/jinja too.
TEST(ChatTemplateGoldenTest, EveryPublishedTemplateRendersAsItsReferences) {
  const auto data = testing::SharedData();
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

}  // namespace
}  // namespace atelier::text
