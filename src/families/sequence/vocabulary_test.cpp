#include "families/sequence/vocabulary.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "base/json.h"

namespace atelier::families {
namespace {

using Words = std::vector<std::string>;

Words Tokens(Cut cut, std::string_view text, size_t limit = 100) {
  return WordCutter::Make(cut).value()->Tokens(text, limit);
}

TEST(Words, AreCutInBothLanguages) {
  EXPECT_EQ(Tokens(Cut::kAuto, "It's  a good film!"), (Words{"It's", "a", "good", "film", "!"}));
  EXPECT_EQ(Tokens(Cut::kAuto, "房间很大，WiFi 不错"), (Words{"房", "间", "很", "大", "，", "WiFi", "不", "错"}));
  EXPECT_EQ(Tokens(Cut::kWord, "我喜欢电影"), (Words{"我", "喜欢", "电影"}));
  EXPECT_EQ(Tokens(Cut::kCharacter, "a 好"), (Words{"a", "好"}));
  EXPECT_EQ(Tokens(Cut::kAuto, "one two three", 2), (Words{"one", "two"}));
  EXPECT_EQ(Tokens(Cut::kAuto, " \n"), Words{});
  EXPECT_EQ(Tokens(Cut::kAuto, "a\xFF"), (Words{"a", "\xEF\xBF\xBD"}));
}

TEST(Words, HaveShapesAndEnds) {
  EXPECT_EQ(Shape("Madrid-92"), "Xx-9");
  EXPECT_EQ(Shape("EFECOM"), "X");
  EXPECT_EQ(Lowercase("ÁRBOL"), "árbol");
  EXPECT_EQ(Prefix("ñandú", 3), "ñan");
  EXPECT_EQ(Suffix("ñandú", 2), "dú");
  EXPECT_EQ(Suffix("你", 3), "你");
  EXPECT_EQ(SplitSpaces("a b"), (Words{"a", "b"}));
  EXPECT_EQ(SplitSpaces(""), Words{});
}

Vocabulary Learnt(const VocabularyOptions& options, const std::vector<Words>& texts) {
  Vocabulary::Learner learner(options);
  for (const auto& text : texts) {
    learner.Add(text);
  }
  return std::move(learner).Make().value();
}

TEST(VocabularyTest, KnowsFrequentWordsAndNoOthers) {
  const auto vocabulary = Learnt({.min_count = 2}, {{"The", "film"}, {"the", "end"}});
  EXPECT_EQ(vocabulary.size(), 3);  // two special ones and "the"
  EXPECT_EQ(vocabulary.Ids(Words{"THE", "end"}), (std::vector<int32_t>{2, 1}));
  EXPECT_EQ(vocabulary.Ids(Words{}), std::vector<int32_t>{1});
}

TEST(VocabularyTest, RunsOfWordsAreWordsOfTheirOwn) {
  const auto vocabulary = Learnt({.ngrams = 2, .min_count = 2}, {{"not", "good"}, {"not", "good", "at"}});
  // By count, then in byte order: good, not, "not good".
  EXPECT_EQ(vocabulary.Ids(Words{"not", "good"}), (std::vector<int32_t>{3, 2, 4}));
  EXPECT_EQ(vocabulary.Ids(Words{"good", "not"}), (std::vector<int32_t>{2, 3}));
}

TEST(VocabularyTest, TokensToTagHaveFourIdsEach) {
  const auto vocabulary = Learnt({.features = true}, {{"Madrid"}});
  EXPECT_EQ(vocabulary.size(), 5 + 4);
  const auto ids = vocabulary.Ids(Words{"Madrid", "zzz"});
  ASSERT_EQ(ids.size(), 8U);
  EXPECT_TRUE(std::ranges::all_of(std::span(ids).first(4), [](int32_t id) { return id >= 5; }));
  EXPECT_EQ(std::vector<int32_t>(ids.begin() + 4, ids.end()), (std::vector<int32_t>{1, 2, 3, 4}));
}

TEST(VocabularyTest, ReadsItselfBack) {
  const auto vocabulary =
      Learnt({.cut = Cut::kWord, .lowercase = false, .max_length = 3, .ngrams = 2}, {{"喜欢", "B"}});
  const auto again = Vocabulary::FromJson(vocabulary.OptionsJson(), vocabulary.WordsJson());
  ASSERT_TRUE(again.ok()) << again.error().message;
  const Words tokens{"喜欢", "B", "b", "B"};
  EXPECT_EQ(again->Ids(tokens), vocabulary.Ids(tokens));
  EXPECT_EQ(again->Tokens("我喜欢 B 的电影"), (Words{"我", "喜欢", "B"}));
  EXPECT_FALSE(Vocabulary::FromJson(vocabulary.OptionsJson(), {{"words", {"[PAD]", "[UNK]", "a", "a"}}}).ok());
  EXPECT_FALSE(Vocabulary::FromJson(vocabulary.OptionsJson(), {{"words", {"[PAD]"}}}).ok());
}

}  // namespace
}  // namespace atelier::families
