#include "engine/chat/template_context.h"

#include <gmock/gmock.h>

namespace atelier::engine::chat {
namespace {

json::value Parse(std::string_view text) {
  auto value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? *value : json::value();
}

// The messages of the context; on an error, its param.
json::value Messages(std::string_view messages, const TemplateNeeds& needs = {}) {
  const json::value parsed = Parse(messages);
  const auto context = BuildTemplateContext({.messages = parsed.as_array()}, needs);
  return context.ok() ? context->at("messages") : json::value(context.error().param);
}

TEST(TemplateContextTest, FlattensPartsToText) {
  const auto* parts =
      R"([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "input_text", "text": "b"}]},
    {"role": "user", "content": "c", "name": "x"}, {"role": "assistant", "content": [{"type": "refusal", "refusal": "no"}]}])";
  EXPECT_EQ(Messages(parts),
            Parse(R"([{"role": "user", "content": "a\nb"}, {"role": "user", "content": "c", "name": "x"},
    {"role": "assistant", "content": "no"}])"));
  EXPECT_EQ(Messages(parts, {.content_parts = true}),
            Parse(R"([{"role": "user", "content": [{"type": "text", "text": "a"}, {"type": "text", "text": "b"}]},
    {"role": "user", "content": "c", "name": "x"},
    {"role": "assistant", "content": [{"type": "text", "text": "no"}]}])"));
}

TEST(TemplateContextTest, ArgumentsBecomeObjectsAndEmptyContentWhatTheTemplateKnows) {
  const auto* calls = R"([{"role": "assistant", "content": null, "refusal": null, "tool_calls": [{"id": "1",
    "type": "function", "function": {"name": "f", "arguments": "{\"a\": [1]}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": [{"type": "text", "text": "2"}]}])";
  EXPECT_EQ(Messages(calls, {.content_parts = true}), Parse(R"([{"role": "assistant", "content": "",
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": {"a": [1]}}}]},
    {"role": "tool", "tool_call_id": "1", "content": "2"}])"));
  EXPECT_EQ(Messages(calls, {.null_content = true, .text_arguments = true}),
            Parse(R"([{"role": "assistant", "content": null,
    "tool_calls": [{"id": "1", "type": "function", "function": {"name": "f", "arguments": "{\"a\": [1]}"}}]},
    {"role": "tool", "tool_call_id": "1", "content": "2"}])"));
  const auto* bare = R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": ""}}]}])";
  EXPECT_EQ(
      Messages(bare),
      Parse(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": {}}}], "content": ""}])"));
  EXPECT_EQ(
      Messages(bare, {.text_arguments = true}),
      Parse(
          R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": "{}"}}], "content": ""}])"));
}

TEST(TemplateContextTest, MembersThatAreNullGoAwayAndDevelopersBecomeTheSystem) {
  EXPECT_EQ(Messages(R"([{"role": "developer", "content": "x", "name": null}, {"role": "assistant", "content": "y",
    "tool_calls": []}, {"role": "assistant", "content": "z", "tool_calls": null, "reasoning_content": "r"}])"),
            Parse(R"([{"role": "system", "content": "x"}, {"role": "assistant", "content": "y"},
    {"role": "assistant", "content": "z", "reasoning_content": "r"}])"));
  EXPECT_EQ(Messages(R"([{"role": "developer", "content": "x"}])", {.developer_role = true}),
            Parse(R"([{"role": "developer", "content": "x"}])"));
}

TEST(TemplateContextTest, ErrorsNameTheField) {
  EXPECT_EQ(Messages("[1]"), "messages[0]");
  EXPECT_EQ(Messages(R"([{"content": "x"}])"), "messages[0].role");
  EXPECT_EQ(Messages(R"([{"role": "user", "content": "x"}, {"role": "user", "content": 1}])"), "messages[1].content");
  EXPECT_EQ(Messages(R"([{"role": "user", "content": ["x"]}])"), "messages[0].content[0]");
  EXPECT_EQ(Messages(R"([{"role": "user", "content": [{"type": "image_url"}]}])"), "messages[0].content[0].type");
  EXPECT_EQ(Messages(R"([{"role": "user", "content": [{"type": "text"}]}])"), "messages[0].content[0].text");
  EXPECT_EQ(Messages(R"([{"role": "assistant", "tool_calls": {}}])"), "messages[0].tool_calls");
  EXPECT_EQ(Messages(R"([{"role": "assistant", "tool_calls": [{}]}])"), "messages[0].tool_calls[0].function");
  EXPECT_EQ(Messages(R"([{"role": "assistant", "tool_calls": [{"function": {}}]}])"),
            "messages[0].tool_calls[0].function.name");
  for (const auto* arguments : {R"("[1]")", R"("{")", "3"}) {
    EXPECT_EQ(Messages(R"([{"role": "assistant", "tool_calls": [{"function": {"name": "f", "arguments": )" +
                       std::string(arguments) + "}}]}]"),
              "messages[0].tool_calls[0].function.arguments");
  }
}

TEST(TemplateContextTest, HasToolsAndVariablesBesideTheMessages) {
  const json::array messages;
  const json::array tools = {json::object{{"type", "function"}}};
  const json::object variables = {{"enable_thinking", false}, {"messages", "mine"}, {"tools", "mine"}};
  const auto context = BuildTemplateContext(
      {.messages = messages, .tools = &tools, .variables = &variables, .add_generation_prompt = false}, {});
  ASSERT_TRUE(context.ok());
  EXPECT_EQ(json::value(*context), Parse(R"({"enable_thinking": false, "messages": [], "tools": [{"type": "function"}],
    "add_generation_prompt": false})"));
  const auto without = BuildTemplateContext({.messages = messages, .variables = &variables}, {});
  EXPECT_FALSE(without->contains("tools"));
}

TEST(TemplateNeedsTest, AreGuessedFromTheSource) {
  EXPECT_EQ(GuessTemplateNeeds("{{ message.content }}{{ call.arguments | tojson }}"), TemplateNeeds{});
  EXPECT_TRUE(GuessTemplateNeeds("{% for part in message['content'] %}").content_parts);
  EXPECT_FALSE(GuessTemplateNeeds("{% if '</think>' in message.content %}").content_parts);
  EXPECT_TRUE(GuessTemplateNeeds("{% if message['content'] is none %}").null_content);
  EXPECT_TRUE(GuessTemplateNeeds("{{ tool['function']['arguments'] + '\\n' }}").text_arguments);
  EXPECT_TRUE(GuessTemplateNeeds("{% if role == 'developer' %}").developer_role);
}

}  // namespace
}  // namespace atelier::engine::chat
