#include "data/steps/expression.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>

namespace atelier::data::steps {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ExpressionTest : public ::testing::Test {
 protected:
  ExpressionTest() {
    const auto add = [&](const std::string& name, ColumnType type) {
      SchemaColumn column;
      column.name = name;
      column.type = type;
      schema_.columns.push_back(column);
    };
    add("x", ColumnType::kNumber);
    add("label", ColumnType::kCategory);
    add("text", ColumnType::kText);
    add("two words", ColumnType::kNumber);
    schema_.columns[1].categories = {"1", "b"};
    batch_.columns.resize(4);
    batch_.columns[0].numbers = {0.1F, -2, std::nanf("")};
    batch_.columns[1].codes = {0, 1, -1};
    for (const char* text : {"Hello", "读书", ""}) {
      batch_.columns[2].AddText(text);
    }
    batch_.columns[3].numbers = {1, 2, 3};
    batch_.splits = {0, 1, 2};
  }

  // The rows that pass, as "012".
  std::string Passing(const std::string& text) {
    const auto expression = Expression::Parse(text, schema_);
    if (!expression.ok()) {
      return expression.error().message;
    }
    std::string out;
    for (size_t row = 0; row < batch_.rows(); ++row) {
      out += expression->Test(batch_, row) ? std::to_string(row) : "";
    }
    return out;
  }

  Schema schema_;
  Batch batch_;
};

TEST_F(ExpressionTest, ComparesNumbersAsTheColumnHoldsThem) {
  EXPECT_EQ(Passing("x == 0.1"), "0");
  EXPECT_EQ(Passing("x != 0.1"), "1");  // a missing value compares false
  EXPECT_EQ(Passing("x >= -2"), "01");
  EXPECT_EQ(Passing("x < -1.5e0"), "1");
  EXPECT_EQ(Passing("0 < x"), "0");
  EXPECT_EQ(Passing("x in [0.1, -2]"), "01");
  EXPECT_EQ(Passing("x not in [0.1]"), "12");
  EXPECT_EQ(Passing("`two words` > 1"), "12");
}

TEST_F(ExpressionTest, ComparesLabelsAndTexts) {
  EXPECT_EQ(Passing("label == 1"), "0");
  EXPECT_EQ(Passing("label in ['b', 1]"), "01");
  EXPECT_EQ(Passing("text = 'Hello'"), "0");
  EXPECT_EQ(Passing("lower(text) == \"hello\""), "0");
  EXPECT_EQ(Passing("length(text) == 2"), "1");
  EXPECT_EQ(Passing("length(text) < 3"), "12");
  EXPECT_EQ(Passing("contains(text, '书')"), "1");
  EXPECT_EQ(Passing("starts_with(text, 'He') or ends_with(text, '书')"), "01");
  EXPECT_EQ(Passing("split in ['validation', 'test']"), "12");
  EXPECT_EQ(Passing("text == 'He\\'llo'"), "");
}

TEST_F(ExpressionTest, CombinesByTheUsualRank) {
  EXPECT_EQ(Passing("x is missing"), "2");
  EXPECT_EQ(Passing("label is not missing and not text is missing"), "01");
  EXPECT_EQ(Passing("x > 0 or x < 0 and label == 'b'"), "01");
  EXPECT_EQ(Passing("(x > 0 or x < 0) and label == 'b'"), "1");
  EXPECT_EQ(Passing("not not x > 0"), "0");
  EXPECT_EQ(Passing("not x > 0 and not x < 0"), "2");
}

TEST_F(ExpressionTest, RefusesWhatItCannotMeanAndSaysWhere) {
  EXPECT_THAT(Passing("y > 1"), HasSubstr("at character 2: there is no column 'y'"));
  EXPECT_THAT(Passing("x > 'a'"), HasSubstr("cannot be compared"));
  EXPECT_THAT(Passing("label > 1"), HasSubstr("cannot be compared"));
  EXPECT_THAT(Passing("x >"), HasSubstr("is expected"));
  EXPECT_THAT(Passing("x"), HasSubstr("a comparison"));
  EXPECT_THAT(Passing("(x > 1"), HasSubstr("')' is expected"));
  EXPECT_THAT(Passing("x > 1 x"), HasSubstr("'and', 'or' or the end"));
  EXPECT_THAT(Passing("text == 'a"), HasSubstr("never closed"));
  EXPECT_THAT(Passing("x in []"), HasSubstr("is expected"));
  EXPECT_THAT(Passing("x > 1e99"), HasSubstr("no number that fits"));
  EXPECT_THAT(Passing("length(x) > 1"), HasSubstr("a text is expected"));
  EXPECT_THAT(Passing(""), HasSubstr("is expected"));
  EXPECT_THAT(Passing(std::string(100, '(') + "x > 1" + std::string(100, ')')), HasSubstr("too deeply"));
  EXPECT_THAT(Passing(std::string(20000, ' ')), HasSubstr("16 KiB"));
}

TEST_F(ExpressionTest, TellsWhichColumnsItReads) {
  const auto expression = Expression::Parse("length(text) > 1 and x > 0 and x < 9", schema_);
  ASSERT_TRUE(expression.ok());
  EXPECT_THAT(expression->columns(), ElementsAre(0, 2));
  EXPECT_FALSE(expression->reads_split());
}

}  // namespace
}  // namespace atelier::data::steps
