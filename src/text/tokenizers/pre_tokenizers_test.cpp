#include "text/tokenizers/pre_tokenizers.h"

#include <gmock/gmock.h>

#include "text/testing/test_files.h"
#include "text/tokenizers/splitter.h"

namespace atelier::text {
namespace {

std::vector<std::string> Words(const Splitter& splitter, std::string_view text) {
  const auto words = splitter.Split(text);
  return {words.begin(), words.end()};
}

std::vector<std::string> Split(std::vector<SplitStep> steps, std::string_view text) {
  auto splitter = Splitter::Make(steps);
  return splitter.ok() ? Words(*splitter, text) : std::vector<std::string>{"error: " + splitter.error().message};
}

// What huggingface/tokenizers 0.23 makes of the models' own regexes, on 95 texts each.
TEST(PreTokenizersTest, AgreesWithTheReference) {
  const json::value data = testing::TestData("words.json");
  ASSERT_TRUE(data.is_object());
  const auto& texts = data.at("texts").as_array();
  for (const auto& [name, rows] : data.at("words").as_object()) {
    const PreTokenizer* pre = FindPreTokenizer(name);
    ASSERT_NE(pre, nullptr) << name;
    auto splitter = Splitter::Make(pre->steps);
    ASSERT_TRUE(splitter.ok()) << splitter.error().message;
    for (size_t i = 0; i < texts.size(); ++i) {
      std::vector<std::string> expected;
      for (const auto& word : rows.as_array().at(i).as_array()) {
        expected.push_back(testing::TextOf(word));
      }
      const std::string text = testing::TextOf(texts[i]);
      EXPECT_EQ(Words(*splitter, text), expected) << name << ": '" << text << "'";
    }
  }
}

TEST(PreTokenizersTest, KnowsTheNamesOfPublishedFiles) {
  for (const auto* name :
       {"default",      "llama3",           "llama-v3",    "llama-bpe",     "falcon3",  "pixtral",
        "deepseek-llm", "falcon",           "mpt",         "starcoder",     "gpt-2",    "phi-2",
        "refact",       "command-r",        "qwen2",       "stablelm2",     "olmo",     "dbrx",
        "smaug-bpe",    "poro-chat",        "chatglm-bpe", "viking",        "jais",     "tekken",
        "smollm",       "codeshell",        "bloom",       "gpt3-finnish",  "exaone",   "exaone4",
        "chameleon",    "minerva-7b",       "megrez",      "gpt-4o",        "llama4",   "trillion",
        "bailingmoe",   "seed-coder",       "hunyuan",     "hunyuan-dense", "grok-2",   "deepseek-coder",
        "deepseek-v3",  "deepseek-r1-qwen", "roberta-bpe", "jina-v2-es",    "youtu",    "glm4",
        "qwen35",       "exaone-moe",       "jais-2",      "spark2_5",      "minicpm5", "laguna",
        "ufakzeka",     "kimi-k2",          "superbpe",    "tiny_aya",      "afmoe"}) {
    const PreTokenizer* pre = FindPreTokenizer(name);
    ASSERT_NE(pre, nullptr) << name;
    auto splitter = Splitter::Make(pre->steps);
    ASSERT_TRUE(splitter.ok()) << name << ": " << splitter.error().message;
    const std::string text = "It's 12345 WORDs,  and\r\n\n 你好 한국 Привет… (x+y)  \xFF\xFE ok";
    std::string joined;
    for (const auto& word : Words(*splitter, text)) {
      EXPECT_FALSE(word.empty()) << name;
      joined += word;
    }
    EXPECT_EQ(joined, text) << name;
  }
  EXPECT_EQ(FindPreTokenizer("llama"), nullptr);
  EXPECT_EQ(FindPreTokenizer(""), nullptr);
}

TEST(PreTokenizersTest, CountsDigitsFromTheEndAndKeepsChineseApart) {
  using Expected = std::vector<std::string>;
  const auto words = [](std::string_view name, std::string_view text) {
    return Words(*Splitter::Make(FindPreTokenizer(name)->steps), text);
  };
  EXPECT_EQ(words("superbpe", "by the 1234567 way"), (Expected{"by the ", "1", "234", "567", " way"}));
  EXPECT_EQ(words("afmoe", "12345 好的 it's"), (Expected{"12", "345", " ", "好的", " it", "'s"}));
  EXPECT_EQ(words("kimi-k2", "I'm 你好world 1234"), (Expected{"I'm", " ", "你好", "world", " ", "123", "4"}));
  EXPECT_EQ(words("tiny_aya", "x 12345"), (Expected{"x", " ", "12", "345"}));
}

TEST(SplitterTest, KnowsEveryBehaviour) {
  using Behaviour = SplitStep::Behaviour;
  const std::string text = "the-final--countdown";
  using Words = std::vector<std::string>;
  EXPECT_EQ(Split({{"-", Behaviour::kIsolated, false}}, text), (Words{"the", "-", "final", "-", "-", "countdown"}));
  EXPECT_EQ(Split({{"-", Behaviour::kRemoved, false}}, text), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(Split({{"-", Behaviour::kMergedWithPrevious, false}}, text), (Words{"the-", "final-", "-", "countdown"}));
  EXPECT_EQ(Split({{"-", Behaviour::kMergedWithNext, false}}, text), (Words{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(Split({{"-", Behaviour::kContiguous, false}}, text), (Words{"the", "-", "final", "--", "countdown"}));
  EXPECT_EQ(Split({{"[a-z]+", Behaviour::kRemoved, true}}, text), (Words{"the", "final", "countdown"}));
  EXPECT_EQ(Split({{"(?=-)", Behaviour::kIsolated, false}}, text), (Words{"the", "-final", "-", "-countdown"}));
  EXPECT_EQ(Split({}, ""), (Words{}));
  EXPECT_EQ(Split({{".", Behaviour::kIsolated, false}}, "a\xC3\xC3z"), (Words{"a", "\xC3\xC3", "z"}));
}

TEST(SplitterTest, TranslatesWhatRegexesMeanElsewhere) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(Split({{.regex = R"([\s]+)"}}, "a\u0085\u3000b\u180ec"), (Words{"a", "\u0085\u3000", "b\u180ec"}));
  EXPECT_EQ(Split({{.regex = R"([\u0061-\u0062]+)"}}, "abc"), (Words{"ab", "c"}));
  EXPECT_EQ(Split({{.regex = R"(\w+)"}}, "a\u0301-_"), (Words{"a\u0301", "-", "_"}));
  EXPECT_EQ(Split({{.regex = R"([]a]+)"}}, "a]b"), (Words{"a]", "b"}));
  for (const auto* bad : {"(", "[a&&b]", "[a[b]]", R"(\h)", R"([\W])", "a\\", "(?<=a+)b", "\xFF"}) {
    EXPECT_THAT(Split({{.regex = bad}}, "x"), ::testing::ElementsAre(::testing::StartsWith("error: "))) << bad;
  }
}

// A pattern that backtracks without end gives up in bounded time.
TEST(SplitterTest, BoundsBadPatterns) {
  const auto words = Split({{.regex = "(?:a+)+$(?<=b)"}}, std::string(2000, 'a') + "b" + std::string(2000, 'a'));
  EXPECT_EQ(words.size(), 1U);
}

}  // namespace
}  // namespace atelier::text
