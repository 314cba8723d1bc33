#include "text/language/tagger.h"

#include <gtest/gtest.h>

namespace atelier::text::language {
namespace {

// A small language: determiners, nouns, verbs; "run" and "walk" are both nouns and verbs.
std::string Corpus() {
  std::string text;
  for (int i = 0; i < 30; ++i) {
    text += "the DT x\ndog NN x\nruns VB x\n\nthe DT\nrun NN\nends VB\n\ndogs NN\nrun VB\n\n";
    text += "the/DT walk/NN ends/VB\ndogs/NN walk/VB\n";
  }
  return text;
}

TEST(TaggerTest, LearnsFromContext) {
  const auto sentences = ParseTagged(Corpus());
  ASSERT_TRUE(sentences.ok()) << sentences.error().message;
  EXPECT_EQ(sentences->size(), 150U);
  int passes = 0;
  const auto tagger = TrainTagger(*sentences, {3, 1, [&](int, double) { return ++passes > 0; }});
  ASSERT_TRUE(tagger.ok());
  EXPECT_EQ(passes, 3);
  EXPECT_EQ(tagger->Tags({"the", "run", "ends"}), (std::vector<std::string>{"DT", "NN", "VB"}));
  EXPECT_EQ(tagger->Tags({"dogs", "run"}), (std::vector<std::string>{"NN", "VB"}));
  EXPECT_TRUE(tagger->Tags({}).empty());
}

TEST(TaggerTest, SurvivesJson) {
  const auto tagger = TrainTagger(*ParseTagged(Corpus()));
  ASSERT_TRUE(tagger.ok());
  const auto again = Tagger::FromJson(tagger->ToJson());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(again->tag_set(), tagger->tag_set());
  EXPECT_EQ(json::serialize(again->ToJson()).size(), json::serialize(tagger->ToJson()).size());
  EXPECT_EQ(again->Tags({"the", "walk", "ends"}), tagger->Tags({"the", "walk", "ends"}));
}

TEST(TaggerTest, RefusesWhatIsNoTagger) {
  const auto parse = [](std::string_view text) { return Tagger::FromJson(ParseJson(text)->get_object()); };
  const std::string head = R"({"format":"atelier-tagger-1","tags":["A"],)";
  EXPECT_TRUE(parse(head + R"("words":{},"weights":{}})").ok());
  EXPECT_FALSE(parse(R"({"format":"x","tags":["A"],"words":{},"weights":{}})").ok());
  EXPECT_FALSE(parse(head + R"("words":{"a":"B"},"weights":{}})").ok());
  EXPECT_FALSE(parse(head + R"("words":{},"weights":{"f":{"B":1}}})").ok());
  EXPECT_FALSE(parse(head + R"("words":{},"weights":{"f":{"A":"1"}}})").ok());
  EXPECT_FALSE(parse(head + R"("words":{},"weights":{"f":1}})").ok());
}

TEST(TaggerTest, BadDataIsNamedByItsLine) {
  const auto missing = ParseTagged("a DT\nb\n");
  ASSERT_FALSE(missing.ok());
  EXPECT_NE(missing.error().message.find("line 2"), std::string::npos);
  EXPECT_FALSE(ParseTagged("a/DT b/\n").ok());
  EXPECT_FALSE(TrainTagger({}).ok());
  EXPECT_EQ(TrainTagger(*ParseTagged(Corpus()), {3, 1, [](int, double) { return false; }}).error().code,
            Code::kCancelled);
}

}  // namespace
}  // namespace atelier::text::language
