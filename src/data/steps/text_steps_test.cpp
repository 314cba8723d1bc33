// The steps over texts.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "data/testing/processing.h"
#include "text/language/word_net.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using testing::Processed;

class TextStepsTest : public ::testing::Test, protected testing::Processing {
 protected:
  Manifest Texts(const std::string& csv) { return Csv(csv, {.task = "none", .types = {{"t", "text"}}}); }
  std::vector<std::string> After(const Manifest& table, const std::string& steps) {
    const Processed out = RunSteps(table, steps);
    EXPECT_EQ(out.error, "");
    return out.error.empty() ? out.texts("t") : std::vector<std::string>();
  }
};

TEST_F(TextStepsTest, CleansTexts) {
  const Manifest table = Texts("t,n\n\"<p>ＡＢ   漢語</p> a@b.org\",1\n,2\n");
  EXPECT_THAT(After(table, R"([{"step":"strip_html"},{"step":"normalize_text","half_width":true,"script":"simplified"},
                               {"step":"clean_whitespace"},{"step":"lower"},{"step":"redact"}])"),
              ElementsAre("ab 汉语\n[EMAIL]", ""));
  EXPECT_THAT(After(table, R"([{"step":"redact","columns":["t"],"kinds":["ip"]}])").front(),
              ::testing::HasSubstr("a@b.org"));
  EXPECT_EQ(Refused(table, R"([{"step":"redact","kinds":["x"]}])"), "steps[0].kinds");
  EXPECT_EQ(Refused(table, R"([{"step":"lower","columns":["n"]}])"), "steps[0].columns[0]");
}

TEST_F(TextStepsTest, KeepsRowsByLanguageAndLength) {
  const Manifest table = Texts("t\nThis is a good house\n这是一个很好的房子\nDas ist ein gutes Haus\n");
  EXPECT_THAT(After(table, R"([{"step":"filter_language","languages":["en","zh"]}])"),
              ElementsAre("This is a good house", "这是一个很好的房子"));
  EXPECT_THAT(After(table, R"([{"step":"filter_length","maximum":10}])"), ElementsAre("这是一个很好的房子"));
  EXPECT_THAT(
      After(table, R"([{"step":"filter_length","minimum":5,"unit":"words"},{"step":"filter_length","minimum":21}])"),
      ElementsAre("Das ist ein gutes Haus"));
  EXPECT_EQ(Refused(table, R"([{"step":"filter_language","languages":["xx"]}])"), "steps[0].languages");
  EXPECT_EQ(Refused(table, R"([{"step":"filter_length","minimum":2,"maximum":1}])"), "steps[0].maximum");
}

TEST_F(TextStepsTest, WorksOnWords) {
  const Manifest table = Texts("t\nThe dogs weren't running.\n");
  EXPECT_THAT(After(table, R"([{"step":"tokenize"}])"), ElementsAre("The dogs were n't running ."));
  EXPECT_THAT(After(table, R"([{"step":"remove_stop_words"},{"step":"stem"}])"), ElementsAre("dog n't run ."));
  EXPECT_THAT(After(table, R"([{"step":"remove_stop_words","words":["THE"]}])"),
              ElementsAre("dogs were n't running ."));
  EXPECT_EQ(Refused(table, R"([{"step":"stem","algorithm":"x"}])"), "steps[0].algorithm");
  EXPECT_EQ(Refused(table, R"([{"step":"tokenize","language":"?"}])"), "steps[0].language");
  EXPECT_EQ(Refused(table, R"([{"step":"remove_stop_words","language":"de"}])"), "steps[0].language");
  if (std::filesystem::exists(text::language::kWordNetFolder)) {
    EXPECT_THAT(After(table, R"([{"step":"lemmatize","part":"v"}])"), ElementsAre("the dog be n't run ."));
  }
}

TEST_F(TextStepsTest, AugmentsTheTrainingSplitAlone) {
  const Manifest table = Texts("t\none two three four five six\na b c d e f\n一 二\n");
  const std::string augment = R"({"step":"augment_text","synonyms":0,"swaps":0.5,"deletion":0.2,"copies":2,"seed":3})";
  const auto texts = After(table, "[" + augment + "]");
  ASSERT_EQ(texts.size(), 9U);
  EXPECT_EQ(texts[0], "one two three four five six");
  EXPECT_EQ(texts[3], "a b c d e f");
  EXPECT_NE(texts[1], texts[0]);
  EXPECT_EQ(texts, After(table, "[" + augment + "]"));
  const Processed split = RunSteps(table, R"([{"step":"split","fractions":[0.4,0.3,0.3]},)" + augment + "]");
  EXPECT_EQ(split.error, "");
  EXPECT_EQ(split.rows(), 5);
  EXPECT_EQ(Refused(table, R"([{"step":"augment_text","language":"zh"}])"), "steps[0].synonyms");
}

}  // namespace
}  // namespace atelier::data
