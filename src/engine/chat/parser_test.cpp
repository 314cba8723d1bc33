#include "engine/chat/parser.h"

#include <gmock/gmock.h>

#include <ostream>

#include "base/rng.h"

namespace atelier::engine::chat {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

struct Call {
  std::string name;
  std::string arguments;
  bool operator==(const Call&) const = default;
};

// All that came out, put together again.
struct Outcome {
  std::string content;
  std::vector<Call> calls{};
  std::string reasoning{};
  bool operator==(const Outcome&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Outcome& outcome) {
  out << "content {" << outcome.content << "} reasoning {" << outcome.reasoning << "}";
  for (const Call& call : outcome.calls) {
    out << " call " << call.name << " {" << call.arguments << "}";
  }
  return out;
}

void Add(Outcome& outcome, const std::vector<ChatDelta>& deltas) {
  for (const ChatDelta& delta : deltas) {
    switch (delta.kind) {
      case DeltaKind::kContent:
        EXPECT_FALSE(delta.text.empty());
        outcome.content += delta.text;
        break;
      case DeltaKind::kReasoning:
        EXPECT_FALSE(delta.text.empty());
        outcome.reasoning += delta.text;
        break;
      case DeltaKind::kToolCallStart:
        EXPECT_EQ(delta.index, static_cast<int>(outcome.calls.size()));
        EXPECT_EQ(delta.id, "call_" + std::to_string(delta.index));
        outcome.calls.push_back({delta.name, ""});
        break;
      case DeltaKind::kToolCallArguments:
        ASSERT_EQ(delta.index + 1, static_cast<int>(outcome.calls.size()));
        EXPECT_FALSE(delta.text.empty());
        outcome.calls.back().arguments += delta.text;
        break;
    }
  }
}

Outcome Parse(const ChatParserOptions& options, const std::vector<std::string_view>& pieces) {
  ChatParser parser(options);
  Outcome outcome;
  for (const std::string_view piece : pieces) {
    Add(outcome, parser.Feed(piece));
  }
  Add(outcome, parser.Finish());
  EXPECT_EQ(parser.calls(), static_cast<int>(outcome.calls.size()));
  return outcome;
}

std::vector<std::string_view> RandomPieces(std::string_view text, SeededRng& rng) {
  std::vector<std::string_view> pieces;
  const uint32_t longest = 1 + rng.Below(12);
  while (!text.empty()) {
    pieces.push_back(text.substr(0, 1 + rng.Below(longest)));
    text.remove_prefix(pieces.back().size());
  }
  return pieces;
}

struct Case {
  ToolFormat format;
  std::string text;
  Outcome expected;
};

constexpr ToolFormat kHermes = ToolFormat::kHermes;
constexpr ToolFormat kLlama3 = ToolFormat::kLlama3;
constexpr ToolFormat kMistral = ToolFormat::kMistral;
constexpr ToolFormat kDeepSeek = ToolFormat::kDeepSeek;

std::vector<Case> HermesCases() {
  return {
      {kHermes, "Just text.", {"Just text."}},
      {kHermes, "", {""}},
      {kHermes, "  \n", {"  \n"}},
      {kHermes,
       "<tool_call>\n{\"name\": \"f\", \"arguments\": {\"a\": 1}}\n</tool_call>",
       {"", {{"f", R"({"a": 1})"}}}},
      {kHermes,
       "Let me look.\n<tool_call>\n{\"name\": \"天气\", \"arguments\": {\"城市\": \"北京\"}}\n</tool_call>\n",
       {"Let me look.", {{"天气", R"({"城市": "北京"})"}}}},
      {kHermes,
       "<tool_call>\n{\"name\": \"f\", \"arguments\": {}}\n</tool_call>\n<tool_call>\n"
       "{\"name\": \"g\", \"arguments\": {\"x\": [1, {\"y\": \"}\\\"]\"}]}}\n</tool_call>",
       {"", {{"f", "{}"}, {"g", R"({"x": [1, {"y": "}\"]"}]})"}}}},
      // No closing mark between two calls, text behind.
      {kHermes,
       R"(<tool_call>{"name":"f","arguments":{}}<tool_call>{"name":"g","arguments":{}}</tool_call> done)",
       {" done", {{"f", "{}"}, {"g", "{}"}}}},
      // Members in another order, more of them, none, arguments in a string, parameters, null.
      {kHermes,
       R"(<tool_call>{"arguments": {"a": "b"}, "id": [1, {}], "name": "f"}</tool_call>)",
       {"", {{"f", R"({"a": "b"})"}}}},
      {kHermes, R"(<tool_call>{"n": -1.5e3, "t": true, "name": "f"}</tool_call>)", {"", {{"f", "{}"}}}},
      {kHermes,
       R"(<tool_call>{"name": "f\u0041", "arguments": "{\"a\": \"\\\"\"}"}</tool_call>)",
       {"", {{"fA", R"({"a": "\""})"}}}},
      {kHermes, R"(<tool_call>{"name": "f", "parameters": null}</tool_call>)", {"", {{"f", "{}"}}}},
      {kHermes, R"(<tool_call>{"name": "f", "arguments": ""}</tool_call>)", {"", {{"f", "{}"}}}},
      // Malformed before the arguments begin: content, and calls behind it are still seen.
      {kHermes, "<tool_call>f(1)</tool_call>", {"<tool_call>f(1)</tool_call>"}},
      {kHermes, R"(a <tool_call>{"name": 5}</tool_call>)", {R"(a <tool_call>{"name": 5}</tool_call>)"}},
      {kHermes, R"(a  <tool_call>{"arguments": {}}</tool_call>)", {R"(a  <tool_call>{"arguments": {}}</tool_call>)"}},
      {kHermes, R"(<tool_call>{"name": ""}</tool_call>)", {R"(<tool_call>{"name": ""}</tool_call>)"}},
      {kHermes, R"(<tool_call>{"name": "f", "arguments": [1]})", {R"(<tool_call>{"name": "f", "arguments": [1]})"}},
      {kHermes, R"(<tool_call> <tool_call>{"name": "f", "arguments": {}}</tool_call>)", {"<tool_call>", {{"f", "{}"}}}},
      {kHermes, "a < b <tool b <tool_call", {"a < b <tool b <tool_call"}},
      // Cut off by the length limit: before the arguments begin, and within them.
      {kHermes, R"(x <tool_call>{"name": "f", "argum)", {R"(x <tool_call>{"name": "f", "argum)"}},
      {kHermes, R"(x <tool_call>{"name": "f", "arguments": {"a": [1, ")", {"x", {{"f", R"({"a": [1, ")"}}}},
      // Malformed behind the arguments.
      {kHermes, R"(<tool_call>{"name": "f", "arguments": {"a": 1]} x)", {"]} x", {{"f", R"({"a": 1)"}}}},
      {kHermes,
       R"(<tool_call>{"name": "f", "arguments": {}, "arguments": 2} x)",
       {R"(, "arguments": 2} x)", {{"f", "{}"}}}},
      // Not JSON inside the arguments: handed on as it is.
      {kHermes, R"(<tool_call>{"name": "f", "arguments": {"a": True}}</tool_call>)", {"", {{"f", R"({"a": True})"}}}},
  };
}

std::vector<Case> Llama3Cases() {
  return {
      {kLlama3, R"({"name": "f", "parameters": {"a": 1}})", {"", {{"f", R"({"a": 1})"}}}},
      {kLlama3,
       "\n {\"type\": \"function\", \"name\": \"f\", \"parameters\": {\"a\": 1}}\n",
       {"", {{"f", R"({"a": 1})"}}}},
      {kLlama3,
       R"(<|python_tag|>{"name": "f", "parameters": {}}; {"name": "g", "parameters": {"b": {}}})",
       {"", {{"f", "{}"}, {"g", R"({"b": {}})"}}}},
      {kLlama3,
       "{\"name\": \"f\", \"parameters\": {}}\n{\"name\": \"g\", \"parameters\": {}}",
       {"", {{"f", "{}"}, {"g", "{}"}}}},
      {kLlama3, R"(Text <|python_tag|>{"name": "f", "parameters": {}})", {"Text", {{"f", "{}"}}}},
      {kLlama3, R"(<|python_tag|>search.call(query="x"))", {R"(<|python_tag|>search.call(query="x"))"}},
      // JSON that is an answer, not a call.
      {kLlama3, R"({"answer": 42})", {R"({"answer": 42})"}},
      {kLlama3, R"( {"name": "f"})", {R"( {"name": "f"})"}},
      {kLlama3, R"({"name": "f", "age": 7})", {R"({"name": "f", "age": 7})"}},
      {kLlama3, R"({"name": "stranger", "parameters": {}})", {R"({"name": "stranger", "parameters": {}})"}},
      {kLlama3, R"(It is {"name": "f", "parameters": {}})", {R"(It is {"name": "f", "parameters": {}})"}},
      {kLlama3, "{}", {"{}"}},
      {kLlama3, "{", {"{"}},
      {kLlama3, R"({"name": "f", "parameters": {}} and so on)", {" and so on", {{"f", "{}"}}}},
      {kLlama3, R"({"name": "f", "parameters": {}}; {"a": 1})", {R"(; {"a": 1})", {{"f", "{}"}}}},
  };
}

std::vector<Case> MistralCases() {
  return {
      {kMistral, R"([TOOL_CALLS][{"name": "f", "arguments": {"a": 1}}])", {"", {{"f", R"({"a": 1})"}}}},
      {kMistral,
       R"(Hm. [TOOL_CALLS] [{"name": "f", "arguments": {}}, {"name": "g", "arguments": {}, "id": "abc"}] )",
       {"Hm.", {{"f", "{}"}, {"g", "{}"}}}},
      {kMistral, R"([TOOL_CALLS]{"name": "f", "arguments": {}})", {"", {{"f", "{}"}}}},
      {kMistral,
       R"([TOOL_CALLS]get_weather{"city": "Paris"}[TOOL_CALLS]g[ARGS]{"x": "[TOOL_CALLS]"})",
       {"", {{"get_weather", R"({"city": "Paris"})"}, {"g", R"({"x": "[TOOL_CALLS]"})"}}}},
      {kMistral, R"([TOOL_CALLS]f[CALL_ID]Ab3dE6gh9[ARGS]{"x": 1}ok)", {"ok", {{"f", R"({"x": 1})"}}}},
      {kMistral, "[TOOL_CALLS]f(x)", {"[TOOL_CALLS]f(x)"}},
      {kMistral, "[TOOL_CALLS]f[ARGS]x", {"[TOOL_CALLS]f[ARGS]x"}},
      {kMistral, "[TOOL_CALLS][]", {"[TOOL_CALLS][]"}},
      {kMistral, "[TOOL_CALLS]", {"[TOOL_CALLS]"}},
      {kMistral, "[TOOL [1, 2] [TOOL_CALL", {"[TOOL [1, 2] [TOOL_CALL"}},
      {kMistral, R"([TOOL_CALLS][{"name": "f", "arguments": {}}; x)", {"; x", {{"f", "{}"}}}},
      {kMistral, R"([TOOL_CALLS][{"name": "f", "arguments": {}},])", {",]", {{"f", "{}"}}}},
  };
}

std::vector<Case> DeepSeekCases() {
  const std::string first =
      "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n```json\n{\"a\": \"```\"}\n```<｜tool▁call▁end｜>";
  const std::string second = "<｜tool▁call▁begin｜>g<｜tool▁sep｜>{\"b\": 2}<｜tool▁call▁end｜>";
  const std::string begin = "<｜tool▁calls▁begin｜>";
  const std::string end = "<｜tool▁calls▁end｜>";
  const Call f = {"f", "{\"a\": \"```\"}"};
  const Call g = {"g", "{\"b\": 2}"};
  return {
      {kDeepSeek, begin + first + end, {"", {f}}},
      {kDeepSeek, "好的。\n\n" + begin + first + "\n" + first + end, {"好的。", {f, f}}},
      {kDeepSeek, begin + second + second + end + "After", {"After", {g, g}}},
      {kDeepSeek, begin + "\n" + second + "\n" + first + "\n" + end, {"", {g, f}}},
      {kDeepSeek,
       begin + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>{}<｜tool▁call▁end｜>",
       {"", {{"function", "{}"}}}},
      {kDeepSeek, begin + first, {"", {f}}},
      {kDeepSeek, begin + "nothing" + end, {begin + "nothing" + end}},
      {kDeepSeek,
       begin + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n{}",
       {begin + "<｜tool▁call▁begin｜>function<｜tool▁sep｜>f\n{}"}},
      {kDeepSeek, begin + "<｜tool▁call▁begin｜>g<｜tool▁sep｜>x", {begin + "<｜tool▁call▁begin｜>g<｜tool▁sep｜>x"}},
      {kDeepSeek, begin + second + "and " + begin + second, {"and", {g, g}}},
      {kDeepSeek, "<｜tool▁ca 我 <｜", {"<｜tool▁ca 我 <｜"}},
  };
}

std::vector<Case> AllCases() {
  std::vector<Case> cases = HermesCases();
  for (const auto& more : {Llama3Cases(), MistralCases(), DeepSeekCases()}) {
    cases.insert(cases.end(), more.begin(), more.end());
  }
  return cases;
}

ChatParserOptions OptionsOf(ToolFormat format) { return {.tool_format = format, .tool_names = {"f", "g"}}; }

TEST(ChatParserTest, ReadsEachFormatAndLosesNothing) {
  for (const Case& c : AllCases()) {
    EXPECT_EQ(Parse(OptionsOf(c.format), {c.text}), c.expected) << c.text;
  }
}

TEST(ChatParserTest, EveryCutIntoTwoGivesTheSame) {
  for (const Case& c : AllCases()) {
    const std::string_view text = c.text;
    for (size_t cut = 0; cut <= text.size(); ++cut) {
      EXPECT_EQ(Parse(OptionsOf(c.format), {text.substr(0, cut), text.substr(cut)}), c.expected) << c.text << cut;
    }
  }
}

TEST(ChatParserTest, RandomCutsGiveTheSame) {
  SeededRng rng(1);
  for (const Case& c : AllCases()) {
    for (int round = 0; round < 30; ++round) {
      EXPECT_EQ(Parse(OptionsOf(c.format), RandomPieces(c.text, rng)), c.expected) << c.text;
    }
  }
}

// Texts that are nearly right: bytes deleted, doubled or exchanged, ends cut off, two texts joined.
std::string Damage(std::string text, const std::vector<Case>& cases, SeededRng& rng) {
  for (uint32_t i = 1 + rng.Below(4); i > 0; --i) {
    if (text.empty() || rng.Below(6) == 0) {
      text += cases[rng.Below(static_cast<uint32_t>(cases.size()))].text;
      continue;
    }
    const size_t at = rng.Below(static_cast<uint32_t>(text.size()));
    constexpr std::string_view kBytes = "{}[]\",:<\\ \n";
    switch (rng.Below(4)) {
      case 0:
        text.erase(at, 1);
        break;
      case 1:
        text.insert(at, text.substr(at, rng.Below(20)));
        break;
      case 2:
        text[at] = kBytes[rng.Below(kBytes.size())];
        break;
      default:
        text.resize(at);
    }
  }
  return text;
}

TEST(ChatParserTest, DamagedTextsGiveTheSameHoweverTheyAreCut) {
  SeededRng rng(2);
  const std::vector<Case> cases = AllCases();
  int with_calls = 0;
  for (int round = 0; round < 6000; ++round) {
    const Case& c = cases[static_cast<size_t>(round) % cases.size()];
    const std::string text = Damage(c.text, cases, rng);
    ChatParserOptions options = OptionsOf(c.format);
    if (rng.Below(4) == 0) {
      options.reasoning = ReasoningMarks{"<think>", "</think>"};
      options.reasoning_opened = rng.Below(2) == 0;
    }
    const Outcome whole = Parse(options, {text});
    EXPECT_EQ(Parse(options, RandomPieces(text, rng)), whole) << text;
    with_calls += whole.calls.empty() ? 0 : 1;
    if (whole.calls.empty() && !options.reasoning) {
      EXPECT_EQ(whole.content, text);
    }
  }
  EXPECT_GT(with_calls, 1000);
}

TEST(ChatParserTest, ContentComesAtOnceUnlessItMayBeAMark) {
  ChatParser parser(OptionsOf(kHermes));
  EXPECT_THAT(parser.Feed("Hello"), ElementsAre(ChatDelta{DeltaKind::kContent, "Hello", 0, "", ""}));
  EXPECT_THAT(parser.Feed(" <tool"), IsEmpty());
  EXPECT_THAT(parser.Feed("s>"), ElementsAre(ChatDelta{DeltaKind::kContent, " <tools>", 0, "", ""}));
}

TEST(ChatParserTest, ArgumentsStreamAsTheyCome) {
  ChatParser parser(OptionsOf(kHermes));
  EXPECT_THAT(parser.Feed("<tool_call>\n{\"name\": \"f\", \"arg"), IsEmpty());
  EXPECT_THAT(parser.Feed("uments\": {\"a"), ElementsAre(ChatDelta{DeltaKind::kToolCallStart, "", 0, "call_0", "f"},
                                                         ChatDelta{DeltaKind::kToolCallArguments, "{\"a", 0, "", ""}));
  EXPECT_THAT(parser.Feed("\": \"x"), ElementsAre(ChatDelta{DeltaKind::kToolCallArguments, "\": \"x", 0, "", ""}));
  EXPECT_THAT(parser.Feed("\"}}\n</tool_call>"),
              ElementsAre(ChatDelta{DeltaKind::kToolCallArguments, "\"}", 0, "", ""}));
  EXPECT_THAT(parser.Finish(), IsEmpty());
}

TEST(ChatParserTest, TheServerGivesTheIds) {
  ChatParserOptions options = OptionsOf(kMistral);
  options.make_id = [] { return "abc123XYZ"; };
  ChatParser parser(options);
  const auto deltas = parser.Feed(R"([TOOL_CALLS][{"name": "f", "arguments": {}}])");
  ASSERT_EQ(deltas.size(), 2U);
  EXPECT_EQ(deltas[0].id, "abc123XYZ");
}

TEST(ChatParserTest, WithoutAFormatMarksAreText) {
  for (const Case& c : AllCases()) {
    EXPECT_EQ(Parse({}, {c.text}), (Outcome{c.text}));
  }
  ChatParser parser({});
  EXPECT_THAT(parser.Feed("\n"), ElementsAre(ChatDelta{DeltaKind::kContent, "\n", 0, "", ""}));
}

TEST(ChatParserTest, LongAndDeepTextsStayCheap) {
  std::string nested = R"(<tool_call>{"name": "f", "arguments": )";
  for (int i = 0; i < 100000; ++i) {
    nested += R"({"a":)";
  }
  const Outcome deep = Parse(OptionsOf(kHermes), {nested});
  ASSERT_EQ(deep.calls.size(), 1U);
  EXPECT_EQ(deep.calls[0].arguments.size() + deep.content.size() + std::string_view("<tool_call>{").size() +
                std::string_view(R"("name": "f", "arguments": )").size(),
            nested.size());
  std::string marks;
  for (int i = 0; i < 50000; ++i) {
    marks += R"(<tool_call>{"arguments":{"a":")";
  }
  EXPECT_EQ(Parse(OptionsOf(kHermes), {marks}).content, marks);
  const std::string spaces(300000, ' ');
  EXPECT_EQ(Parse(OptionsOf(kHermes), {spaces, "x", spaces}).content, spaces + "x" + spaces);
}

Outcome Think(const std::string& text, bool opened, ToolFormat format = ToolFormat::kNone) {
  ChatParserOptions options = OptionsOf(format);
  options.reasoning = ReasoningMarks{"<think>", "</think>"};
  options.reasoning_opened = opened;
  const Outcome whole = Parse(options, {text});
  const std::string_view view = text;
  for (size_t cut = 0; cut <= view.size(); ++cut) {
    EXPECT_EQ(Parse(options, {view.substr(0, cut), view.substr(cut)}), whole) << text << cut;
  }
  return whole;
}

TEST(ReasoningTest, StandsAtTheBeginningBetweenItsMarks) {
  EXPECT_EQ(Think("<think>\nOne, two. \n</think>\n\nThree.\n", false), (Outcome{"Three.\n", {}, "One, two."}));
  EXPECT_EQ(Think("\n<think>\n\n</think>\n\nHi", false), (Outcome{"Hi", {}, ""}));
  EXPECT_EQ(Think("No thoughts <think>x</think>", false), (Outcome{"No thoughts <think>x</think>"}));
  EXPECT_EQ(Think(" <thin", false), (Outcome{" <thin"}));
  EXPECT_EQ(Think("<think>a</think>b<think>c</think>", false), (Outcome{"b<think>c</think>", {}, "a"}));
}

TEST(ReasoningTest, MayBeOpenedByTheTemplateAlready) {
  EXPECT_EQ(Think("One < two</thin\n</think>\nThree", true), (Outcome{"Three", {}, "One < two</thin"}));
  EXPECT_EQ(Think("<think>\nagain</think>x", true), (Outcome{"x", {}, "again"}));
  EXPECT_EQ(Think("<thing>", true), (Outcome{"", {}, "<thing>"}));
  EXPECT_EQ(Think("<thi", true), (Outcome{"", {}, "<thi"}));
  EXPECT_EQ(Think("never closed </th \n", true), (Outcome{"", {}, "never closed </th"}));
}

TEST(ReasoningTest, CallsComeBehindIt) {
  EXPECT_EQ(Think("<think>Should I <tool_call>?</think>\n\n<tool_call>{\"name\":\"f\",\"arguments\":{}}</tool_call>",
                  false, kHermes),
            (Outcome{"", {{"f", "{}"}}, "Should I <tool_call>?"}));
  EXPECT_EQ(Think("x</think>\n{\"name\":\"f\",\"parameters\":{}}", true, kLlama3), (Outcome{"", {{"f", "{}"}}, "x"}));
}

TEST(ReasoningTest, MarksAreGuessedFromTemplateAndPrompt) {
  const ReasoningMarks marks{"<think>", "</think>"};
  EXPECT_EQ(GuessReasoningMarks("{{ message.content.split('</think>')[-1] }}"), marks);
  EXPECT_EQ(GuessReasoningMarks("[THINK]"), (ReasoningMarks{"[THINK]", "[/THINK]"}));
  EXPECT_EQ(GuessReasoningMarks("{{ messages }}"), std::nullopt);
  EXPECT_TRUE(PromptOpensReasoning("<|im_start|>assistant\n<think>\n", marks));
  EXPECT_FALSE(PromptOpensReasoning("<|im_start|>assistant\n<think>\n\n</think>\n\n", marks));
}

}  // namespace
}  // namespace atelier::engine::chat
