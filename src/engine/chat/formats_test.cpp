#include "engine/chat/formats.h"

#include <gmock/gmock.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>

#include "base/json.h"
#include "base/testing/shared_data.h"
#include "engine/chat/parser.h"
#include "engine/chat/tool_choice.h"

namespace atelier::engine::chat {
namespace {

TEST(ToolFormatsTest, AreFoundByEachOfTheirNames) {
  for (const ToolFormatRow& row : ToolFormats()) {
    EXPECT_EQ(&RowOf(row.format), &row);
    EXPECT_EQ(MakeCallReader(row.format, {}) == nullptr, row.marks.empty());
    for (const std::string_view name : row.names) {
      EXPECT_EQ(FindToolFormat(name), row.format);
    }
  }
  EXPECT_EQ(FindToolFormat("qwen"), ToolFormat::kHermes);
  EXPECT_EQ(FindToolFormat("martian"), std::nullopt);
}

TEST(ToolFormatsTest, AreGuessedFromWhatATemplateSpells) {
  EXPECT_EQ(GuessToolFormat("... <tool_call> ..."), ToolFormat::kHermes);
  EXPECT_EQ(GuessToolFormat("... <tool_call>\\n<function=f> ..."), ToolFormat::kNone);
  EXPECT_EQ(GuessToolFormat("... [TOOL_CALLS] ["), ToolFormat::kMistral);
  EXPECT_EQ(GuessToolFormat("... [TOOL_CALLS]f[ARGS]"), ToolFormat::kMistralArgs);
  EXPECT_EQ(GuessToolFormat("... <|python_tag|>"), ToolFormat::kLlama3);
  EXPECT_EQ(GuessToolFormat("<｜tool▁calls▁begin｜>"), ToolFormat::kDeepSeekPlain);
  EXPECT_EQ(GuessToolFormat("<｜tool▁calls▁begin｜> ```json"), ToolFormat::kDeepSeek);
  EXPECT_EQ(GuessToolFormat(""), ToolFormat::kNone);
}

TEST(ToolFormatsTest, AreGuessedFromPublishedTemplates) {
  const std::filesystem::path folder = SharedData() / "tokenizers" / "chat_templates";
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no shared data";
  }
  const std::map<std::string, ToolFormat> expected = {
      {"CohereForAI-c4ai-command-r-plus-tool_use", ToolFormat::kNone},
      {"CohereForAI-c4ai-command-r7b-12-2024-tool_use", ToolFormat::kNone},
      {"NousResearch-Hermes-2-Pro-Llama-3-8B-tool_use", ToolFormat::kHermes},
      {"NousResearch-Hermes-3-Llama-3.1-8B-tool_use", ToolFormat::kHermes},
      {"Qwen-Qwen2.5-7B-Instruct", ToolFormat::kHermes},
      {"deepseek-ai-DeepSeek-R1-Distill-Llama-8B", ToolFormat::kDeepSeek},
      {"deepseek-ai-DeepSeek-R1-Distill-Qwen-32B", ToolFormat::kDeepSeek},
      {"fireworks-ai-llama-3-firefunction-v2", ToolFormat::kNone},
      {"google-gemma-2-2b-it", ToolFormat::kNone},
      {"llama-cpp-deepseek-r1", ToolFormat::kDeepSeek},
      {"meetkai-functionary-medium-v3.1", ToolFormat::kNone},
      {"meetkai-functionary-medium-v3.2", ToolFormat::kNone},
      {"meta-llama-Llama-3.1-8B-Instruct", ToolFormat::kLlama3},
      {"meta-llama-Llama-3.2-3B-Instruct", ToolFormat::kLlama3},
      {"meta-llama-Llama-3.3-70B-Instruct", ToolFormat::kLlama3},
      {"microsoft-Phi-3.5-mini-instruct", ToolFormat::kNone},
      {"mistralai-Mistral-Nemo-Instruct-2407", ToolFormat::kMistral},
  };
  for (const auto& [name, format] : expected) {
    std::ifstream file(folder / (name + ".jinja"));
    const std::string source{std::istreambuf_iterator<char>(file), {}};
    EXPECT_FALSE(source.empty()) << name;
    EXPECT_EQ(GuessToolFormat(source), format) << name;
  }
}

std::vector<ToolSpec> Tools() {
  return {{"get_weather", {{"type", "object"}, {"properties", json::object{{"city", {{"type", "string"}}}}}}},
          {"now", {}}};
}

TEST(ForceToolCallTest, WhatIsForcedIsReadAsThatCall) {
  for (const ToolFormatRow& row : ToolFormats()) {
    if (row.format == ToolFormat::kNone) {
      continue;
    }
    const auto calls = ForceToolCall(row.format, Tools(), std::nullopt);
    ASSERT_TRUE(calls.ok());
    ASSERT_EQ(calls->size(), 2U);
    for (const ForcedCall& call : *calls) {
      ChatParser parser({.tool_format = row.format, .tool_names = {"get_weather", "now"}});
      auto deltas = parser.Feed(call.prefix + R"({"city": "Oslo"})" + call.suffix);
      EXPECT_TRUE(parser.Finish().empty());
      ASSERT_EQ(deltas.size(), 2U) << call.prefix;
      EXPECT_EQ(deltas[0].name, call.tool);
      EXPECT_EQ(deltas[1].text, R"({"city": "Oslo"})");
      EXPECT_EQ(call.schema.at("type"), "object");
    }
  }
}

TEST(ForceToolCallTest, ANameLeavesOneAlternative) {
  const auto calls = ForceToolCall(ToolFormat::kHermes, Tools(), "now");
  ASSERT_TRUE(calls.ok());
  ASSERT_EQ(calls->size(), 1U);
  EXPECT_EQ(calls->front().prefix, "<tool_call>\n{\"name\": \"now\", \"arguments\": ");
  EXPECT_EQ(calls->front().suffix, "}\n</tool_call>");
}

TEST(ForceToolCallTest, RefusesWhatCannotBe) {
  const auto param = [](const Result<std::vector<ForcedCall>>& calls) {
    EXPECT_FALSE(calls.ok());
    EXPECT_EQ(calls.error().code, Code::kInvalidArgument);
    return calls.error().param;
  };
  EXPECT_EQ(param(ForceToolCall(ToolFormat::kNone, Tools(), std::nullopt)), "tool_choice");
  EXPECT_EQ(param(ForceToolCall(ToolFormat::kHermes, Tools(), "then")), "tool_choice");
  EXPECT_EQ(param(ForceToolCall(ToolFormat::kHermes, {}, std::nullopt)), "tools");
  EXPECT_EQ(param(ForceToolCall(ToolFormat::kHermes, {{"a\nb", {}}}, std::nullopt)), "tools");
}

}  // namespace
}  // namespace atelier::engine::chat
