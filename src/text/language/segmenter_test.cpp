#include "text/language/segmenter.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "text/language/stop_words.h"
#include "text/language/toolbox.h"

namespace atelier::text::language {
namespace {

std::vector<std::string> SentencesOf(const std::string& language, const std::string& text) {
  const auto segmenter = Segmenter::Create(language);
  std::vector<std::string> sentences;
  for (const auto& span : (*segmenter)->Sentences(text)) {
    sentences.emplace_back(span.In(text));
  }
  return sentences;
}

std::vector<std::string> WordsOf(const std::string& language, const std::string& text) {
  const auto segmenter = Segmenter::Create(language);
  auto words = (*segmenter)->Words(text);
  return words.ok() ? *words : std::vector<std::string>{words.error().message};
}

using Texts = std::vector<std::string>;

TEST(SegmenterTest, EnglishKnowsItsAbbreviations) {
  EXPECT_EQ(SentencesOf("en", "Dr. Smith met Mr. Lee at 5 p.m. on Jan. 3. They left. \"Why?\" asked J. Bach."),
            (Texts{"Dr. Smith met Mr. Lee at 5 p.m. on Jan. 3.", "They left.", "\"Why?\"", "asked J. Bach."}));
  EXPECT_EQ(SentencesOf("en", "He lives in the U.S. The house is big."),
            (Texts{"He lives in the U.S.", "The house is big."}));
  EXPECT_EQ(SentencesOf("en", "He works for the U.S. Army."), (Texts{"He works for the U.S. Army."}));
  EXPECT_EQ(SentencesOf("en", ""), Texts{});
  EXPECT_EQ(SentencesOf("en", " \n\t "), Texts{});
  EXPECT_EQ(SentencesOf("en", "Wait!!! Really?"), (Texts{"Wait!!!", "Really?"}));
}

TEST(SegmenterTest, PunktTakesLinearTime) {
  for (const char* unit : {". ", "!", "a.", ". . ", "\".", "--", ".\n", "a!a! "}) {
    std::string text;
    while (text.size() < 300'000) {
      text += unit;
    }
    PunktSentences(text, EnglishPunkt());  // with quadratic time this test would not end
    TrainPunkt(text);
  }
}

TEST(SegmenterTest, ChineseSentences) {
  EXPECT_EQ(SentencesOf("zh", "今天天气很好。我们去公园吧！你去吗？"),
            (Texts{"今天天气很好。", "我们去公园吧！", "你去吗？"}));
  EXPECT_EQ(SentencesOf("zh", "他说：“你好。”然后走了。真的？！"), (Texts{"他说：“你好。”", "然后走了。", "真的？！"}));
  EXPECT_EQ(SentencesOf("zh", "“太好了！”，她说。价格是3.5元。"), (Texts{"“太好了！”，她说。", "价格是3.5元。"}));
  EXPECT_EQ(SentencesOf("zh", "\"好。\"\"不好。\"等等……再说。"), (Texts{"\"好。\"", "\"不好。\"", "等等……", "再说。"}));
  EXPECT_EQ(SentencesOf("zh", "第一行\n第二行"), (Texts{"第一行", "第二行"}));
}

TEST(SegmenterTest, ChineseWordsByDictionary) {
  EXPECT_EQ(WordsOf("zh", "我非常喜欢这个电影。"), (Texts{"我", "非常", "喜欢", "这个", "电影", "。"}));
  EXPECT_EQ(WordsOf("zh", "用Python写 程序"), (Texts{"用", "Python", "写", "程序"}));
}

TEST(SegmenterTest, OtherLanguagesByIcu) {
  EXPECT_EQ(SentencesOf("de", "Er kam. Sie ging."), (Texts{"Er kam.", "Sie ging."}));
  EXPECT_EQ(WordsOf("de", "Er kam, sie ging."), (Texts{"Er", "kam", ",", "sie", "ging", "."}));
  EXPECT_EQ(Segmenter::Create("../de").error().param, "language");
  EXPECT_EQ(Segmenter::Create("").error().param, "language");
}

TEST(SegmenterTest, IllFormedTextIsNoTrouble) {
  EXPECT_EQ(WordsOf("en", "a\xFF b"), (Texts{"a\uFFFD", "b"}));
  SentencesOf("zh", "\xE4\xBD。\xFF");
  SentencesOf("en", "\xE4. \xFF\xFE. A.\xC3");
}

TEST(StopWordsTest, ListsOfTwoLanguages) {
  const auto english = StopWords::Of("en");
  ASSERT_TRUE(english.ok());
  EXPECT_EQ(english->words().size(), 198U);
  EXPECT_TRUE(english->Contains("The"));
  EXPECT_FALSE(english->Contains("house"));
  const auto chinese = StopWords::Of("zh");
  ASSERT_TRUE(chinese.ok());
  EXPECT_EQ(chinese->Without({"我", "非常", "喜欢", "这个", "电影"}), (Texts{"喜欢", "电影"}));
  EXPECT_FALSE(StopWords::Of("de").ok());
}

TEST(ToolboxTest, KeepsWhatItMade) {
  Toolbox tools("/nonexistent");
  const auto first = tools.SegmenterOf("en");
  ASSERT_TRUE(first.ok());
  EXPECT_EQ(*first, *tools.SegmenterOf("en"));
  EXPECT_FALSE(tools.SegmenterOf("!").ok());
  EXPECT_EQ(tools.Net().error().reason, "wordnet_not_found");
}

}  // namespace
}  // namespace atelier::text::language
