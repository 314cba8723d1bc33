// Answers that must have a form: schemas, choices, expressions, calls of tools; and thoughts before them.
#include "engine/service/constraint.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "base/json.h"
#include "engine/service/generator.h"
#include "engine/service/grammars.h"
#include "engine/service/testing/service.h"

namespace atelier::engine {
namespace {

using Form = OutputConstraint::Kind;
using testing::AskAndWait;
using testing::HermesTemplate;
using testing::OpenGolden;
using testing::TextRequest;

constexpr const char* kSchema = R"({"type": "object", "properties": {"name": {"type": "string", "maxLength": 8},
  "age": {"type": "integer", "minimum": 0, "maximum": 150}, "tags": {"type": "array", "maxItems": 2, "items":
  {"enum": ["a", "b"]}}}, "required": ["name", "age", "tags"], "additionalProperties": false})";
constexpr const char* kTools = R"([{"type": "function", "function": {"name": "get_weather", "parameters":
  {"type": "object", "properties": {"city": {"type": "string", "maxLength": 6}}, "required": ["city"],
  "additionalProperties": false}}}, {"type": "function", "function": {"name": "get_time", "parameters":
  {"type": "object", "properties": {"zone": {"enum": ["UTC", "CET"]}}, "required": ["zone"],
  "additionalProperties": false}}}])";

class ConstraintTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!testing::HasData()) {
      GTEST_SKIP() << "no shared data: set ATELIER_SHARED_DATA";
    }
  }
  static GenerationRequest Chat(uint64_t seed) {
    GenerationRequest request;
    request.prompt = ChatPrompt{.messages = R"([{"role": "user", "content": "Hi"}])"};
    request.sampling.seed = seed;
    request.max_tokens = 150;
    request.parse_chat = true;
    request.return_token_ids = true;
    return request;
  }
};

TEST_F(ConstraintTest, ASchemaAlwaysHolds) {
  const auto generator = OpenGolden("qwen2-F32");
  int complete = 0;
  for (uint64_t seed = 0; seed < 40; ++seed) {
    auto request = TextRequest("The answer", 0, seed % 2 == 0 ? 1.0F : 2.0F);
    request.sampling.seed = seed;
    request.constraint = {Form::kJsonSchema, kSchema};
    const auto sink = AskAndWait(*generator, std::move(request));
    ASSERT_TRUE(sink->status().ok()) << sink->status().error().message;
    const auto told = sink->answer();
    if (told.finish == FinishReason::kLength) {
      continue;  // an integer may have zeros behind its point without end
    }
    ++complete;
    const auto value = ParseJson(told.content);
    ASSERT_TRUE(value.ok()) << told.content;
    EXPECT_LE(value->at("age").to_number<double>(), 150);
    EXPECT_LE(value->at("tags").as_array().size(), 2);
    EXPECT_EQ(value->as_object().size(), 3);
  }
  EXPECT_GT(complete, 30);
}

TEST_F(ConstraintTest, ChoicesAndExpressionsHold) {
  const auto generator = OpenGolden("llama-F32");
  for (uint64_t seed = 0; seed < 20; ++seed) {
    auto request = TextRequest("Yes or no?", 0, 1);
    request.sampling.seed = seed;
    request.constraint = {Form::kChoice, R"(["yes", "no", "yes, but"])"};
    const auto choice = AskAndWait(*generator, request)->answer();
    EXPECT_TRUE(choice.content == "yes" || choice.content == "no" || choice.content == "yes, but") << choice.content;
    EXPECT_EQ(choice.finish, FinishReason::kStop);
    request.constraint = {Form::kRegex, "[A-F]{2}-[0-9]{3}"};
    const auto code = AskAndWait(*generator, request)->answer();
    ASSERT_EQ(code.content.size(), 6) << code.content;
    request.constraint = {Form::kGrammar, R"(root ::= "<" [ab]{3} ">")"};
    const auto gbnf = AskAndWait(*generator, request)->answer();
    EXPECT_EQ(gbnf.content.size(), 5) << gbnf.content;
    EXPECT_TRUE(gbnf.content.starts_with('<') && gbnf.content.ends_with('>'));
    EXPECT_EQ(code.content[2], '-');
    EXPECT_TRUE(std::isdigit(code.content[5]));
  }
}

TEST_F(ConstraintTest, BadGrammarsAreRefused) {
  const auto generator = OpenGolden("llama-F32");
  auto request = TextRequest("x", 5);
  for (const OutputConstraint& bad :
       {OutputConstraint{Form::kJsonSchema, "{"}, OutputConstraint{Form::kRegex, "("},
        OutputConstraint{Form::kChoice, "[]"}, OutputConstraint{Form::kJsonSchema, R"({"type": "nothing"})"}}) {
    request.constraint = bad;
    const auto sink = AskAndWait(*generator, request);
    ASSERT_FALSE(sink->status().ok()) << bad.source;
    EXPECT_EQ(sink->status().error().code, Code::kInvalidArgument);
  }
}

TEST_F(ConstraintTest, ToolsAreCalledWhenDemanded) {
  const auto generator = OpenGolden("qwen2-F32", testing::SmallOptions(), HermesTemplate(false));
  ASSERT_NE(generator, nullptr);
  EXPECT_TRUE(generator->description().uses_tools);
  std::set<std::string> called, ids;
  for (uint64_t seed = 0; seed < 30; ++seed) {
    auto request = Chat(seed);
    auto& chat = std::get<ChatPrompt>(request.prompt);
    chat.messages = R"([{"role": "user", "content": "?"}])";
    chat.tools = kTools;
    chat.tool_choice = seed % 3 == 0 ? "name:get_time" : "required";
    request.sampling.temperature = 1.5F;
    request.max_tokens = 0;
    const auto sink = AskAndWait(*generator, request);
    ASSERT_TRUE(sink->status().ok()) << sink->status().error().message;
    const auto told = sink->answer();
    if (told.finish == FinishReason::kLength) {
      continue;  // white space without end
    }
    ASSERT_EQ(told.finish, FinishReason::kToolCalls) << told.content;
    ASSERT_EQ(told.calls.size(), 1);
    EXPECT_EQ(told.content, "");
    const auto arguments = ParseJson(told.calls[0].arguments);
    ASSERT_TRUE(arguments.ok()) << told.calls[0].arguments;
    EXPECT_TRUE(arguments->as_object().contains(told.calls[0].name == "get_time" ? "zone" : "city"));
    EXPECT_TRUE(seed % 3 != 0 || told.calls[0].name == "get_time");
    EXPECT_EQ(told.calls[0].id.size(), 9);
    called.insert(told.calls[0].name);
    ids.insert(told.calls[0].id);
  }
  EXPECT_EQ(called.size(), 2);
  EXPECT_GT(ids.size(), 20);
}

TEST_F(ConstraintTest, ToolChoicesAreChecked) {
  const auto generator = OpenGolden("qwen2-F32", testing::SmallOptions(), HermesTemplate(false));
  auto request = Chat(1);
  auto& chat = std::get<ChatPrompt>(request.prompt);
  const auto refused = [&] {
    const auto sink = AskAndWait(*generator, request);
    return sink->status().ok() ? Error() : sink->status().error();
  };
  chat.messages = R"([{"role": "user", "content": "?"}])";
  request.max_tokens = 0;
  chat.tool_choice = "required";
  EXPECT_EQ(refused().param, "tools");
  chat.tools = kTools;
  chat.tool_choice = "name:nothing";
  EXPECT_EQ(refused().param, "tool_choice");
  chat.tool_choice = "perhaps";
  EXPECT_EQ(refused().param, "tool_choice");
  chat.tool_choice = "";
  chat.messages = "[]";
  EXPECT_EQ(refused().param, "messages");
  chat.messages = R"([{"role": "user", "content": [{"type": "image_url"}]}])";
  EXPECT_EQ(refused().param, "messages[0].content[0].type");
  chat.messages = R"([{"role": "user", "content": "x"}])";
  chat.template_kwargs = "[]";
  EXPECT_EQ(refused().param, "chat_template_kwargs");
}

TEST_F(ConstraintTest, ThoughtsComeBeforeTheForm) {
  const auto files = ReadModelFiles(testing::GoldenFolder() / "models" / "qwen2-F32.gguf");
  ASSERT_TRUE(files.ok());
  const auto language = Language::Make(files->tokenizer, HermesTemplate(true));
  ASSERT_TRUE(language.ok()) << language.error().message;
  Grammars grammars(**language, testing::TestClock());
  auto matcher = grammars.Get({Form::kChoice, R"(["no"])"});
  ASSERT_TRUE(matcher.ok()) << matcher.error().message;
  Constraint constraint(**language, *matcher, Thoughts{.opened = true, .close = "</think>"});
  std::vector<uint64_t> buffer;
  const auto allowed = [&](int32_t token) {
    const auto mask = constraint.Mask(buffer);
    return mask.ok() && ((*mask)[static_cast<size_t>(token) / 64] >> (static_cast<size_t>(token) % 64) & 1U) == 1;
  };
  const auto& tokenizer = (*language)->tokenizer();
  for (const int32_t token : tokenizer.Encode("Well, what? </think>\n\nn", {false, false})) {
    EXPECT_TRUE(allowed(token) || tokenizer.Bytes(token).find('\n') != std::string_view::npos);
    EXPECT_FALSE(allowed((*language)->ends().front()));
    if (!allowed(token)) {
      continue;  // white space behind the thoughts, which the grammar does not know
    }
    ASSERT_TRUE(constraint.Accept(token).ok());
  }
  EXPECT_FALSE(constraint.IsDone());
  const auto o = tokenizer.Encode("o", {false, false});
  ASSERT_EQ(o.size(), 1);
  EXPECT_TRUE(allowed(o[0]));
  EXPECT_FALSE(allowed(tokenizer.Encode("x", {false, false})[0]));
  ASSERT_TRUE(constraint.Accept(o[0]).ok());
  EXPECT_TRUE(constraint.IsDone());
}

TEST_F(ConstraintTest, ThoughtsAreToldApart) {
  const auto generator = OpenGolden("qwen2-F32", testing::SmallOptions(), HermesTemplate(true));
  ASSERT_NE(generator, nullptr);
  EXPECT_TRUE(generator->description().uses_reasoning);
  const auto sink = AskAndWait(*generator, Chat(5));
  ASSERT_TRUE(sink->status().ok()) << sink->status().error().message;
  const auto told = sink->answer();
  EXPECT_EQ(told.content, "");  // a random model closes no thoughts
  EXPECT_FALSE(told.reasoning.empty());
  EXPECT_GT(sink->usage().reasoning_tokens, 0);
  EXPECT_LE(sink->usage().reasoning_tokens, sink->usage().completion_tokens);
  EXPECT_EQ(told.token_ids.size(), static_cast<size_t>(sink->usage().completion_tokens));
}

TEST_F(ConstraintTest, AFinalMessageIsContinued) {
  const auto generator = OpenGolden("qwen2-F32", testing::SmallOptions(), HermesTemplate(false));
  ChatPrompt chat{.messages = R"([{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "I am "}])"};
  chat.continue_final_message = true;
  const auto tokens = generator->Tokenize({chat});
  ASSERT_TRUE(tokens.ok()) << tokens.error().message;
  std::string text;
  for (const std::string& piece : tokens->pieces) {
    text += piece;
  }
  EXPECT_EQ(text, "<|im_start|>user\nHi<|im_end|>\n<|im_start|>assistant\nI am ");
}

}  // namespace
}  // namespace atelier::engine
