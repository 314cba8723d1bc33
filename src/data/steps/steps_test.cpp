// Each step over a small table. Expected numbers are those of pandas 2 and scikit-learn 1 where a comment names them.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <map>
#include <numeric>
#include <set>

#include "data/testing/processing.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pointwise;
using testing::Processed;

constexpr float kNan = std::numeric_limits<float>::quiet_NaN();

MATCHER(NearOrBothMissing, "") {
  const float got = std::get<0>(arg);
  const float wanted = std::get<1>(arg);
  return (std::isnan(got) && std::isnan(wanted)) || std::abs(got - wanted) <= 1e-6F * (1 + std::abs(wanted));
}

class StepsTest : public ::testing::Test, protected testing::Processing {
 protected:
  Processed Ok(const Manifest& manifest, const std::string& request) {
    Processed out = RunSteps(manifest, request);
    EXPECT_EQ(out.error, "");
    return out;
  }
  // The numbers of the tables that pandas saw.
  Manifest Numbers() { return Csv("x,c\n1.5,red\n2,blue\n,\n4,red\n40,green\n7,red\n2,blue\n-3.25,\n"); }
};

TEST_F(StepsTest, SelectDropAndRename) {
  const Manifest table = Csv("a,b,c\n1,2,x\n3,4,y\n", {.target = "c"});
  EXPECT_THAT(Ok(table, R"([{"step":"select","columns":["c","a"]}])").columns(), ElementsAre("c", "a"));
  const Processed dropped = Ok(table, R"([{"step":"drop","columns":"c"}])");
  EXPECT_THAT(dropped.columns(), ElementsAre("a", "b"));
  EXPECT_EQ(dropped.content().target, "");
  EXPECT_EQ(dropped.content().task, Task::kNone);
  const Processed renamed = Ok(table, R"([{"step":"rename","columns":{"a":"b","b":"a","c":"kind"}}])");
  EXPECT_THAT(renamed.columns(), ElementsAre("b", "a", "kind"));
  EXPECT_THAT(renamed.numbers("b"), ElementsAre(1, 3));
  EXPECT_EQ(renamed.content().target, "kind");
  EXPECT_EQ(renamed.content().task, Task::kClassification);
  const Processed target = Ok(table, R"([{"step":"set_target","column":"b"}])");
  EXPECT_EQ(target.content().target, "b");
  EXPECT_EQ(target.content().task, Task::kRegression);
}

TEST_F(StepsTest, CastsEachTypeToEachOther) {
  const Manifest table = Csv("n,t\n1.5,7\n2,x\n,8.25\n", {.task = "none", .types = {{"t", "text"}}});
  EXPECT_THAT(Ok(table, R"([{"step":"cast","columns":["n"],"to":"text"}])").texts("n"), ElementsAre("1.5", "2", ""));
  const Processed category = Ok(table, R"([{"step":"cast","columns":["n","t"],"to":"category"}])");
  EXPECT_THAT(category.content().Find("t")->categories, ElementsAre("7", "8.25", "x"));
  EXPECT_THAT(category.texts("n"), ElementsAre("1.5", "2", ""));
  EXPECT_THAT(
      Ok(table, R"([{"step":"cast","columns":["n"],"to":"category"},{"step":"cast","columns":["n"],"to":"number"}])")
          .numbers("n"),
      Pointwise(NearOrBothMissing(), std::vector<float>{1.5F, 2.0F, kNan}));
  const Processed failed = RunSteps(table, R"([{"step":"cast","columns":["t"],"to":"number"}])");
  EXPECT_THAT(failed.error, HasSubstr("row 2, column 't': 'x' is no number"));
  EXPECT_THAT(Ok(table, R"([{"step":"cast","columns":["t"],"to":"number","errors":"missing"}])").numbers("t"),
              Pointwise(NearOrBothMissing(), std::vector<float>{7.0F, kNan, 8.25F}));
  EXPECT_THAT(Ok(table, R"([{"step":"cast","columns":["t"],"to":"category","categories":["x"],"errors":"missing"}])")
                  .texts("t"),
              ElementsAre("", "x", ""));
}

TEST_F(StepsTest, FillsMissingValues) {
  const Manifest table = Numbers();
  const auto filled = [&](const std::string& with) {
    return Ok(table, R"([{"step":"fill_missing","columns":["x"],"with":")" + with + R"("}])").numbers("x")[2];
  };
  EXPECT_FLOAT_EQ(filled("mean"), 7.607142857142857F);  // Series.mean
  EXPECT_FLOAT_EQ(filled("median"), 2.0F);              // Series.median
  EXPECT_FLOAT_EQ(filled("mode"), 2.0F);                // Series.mode
  const Processed both = Ok(table, R"([{"step":"fill_missing","columns":["x","c"],"with":"mode"}])");
  EXPECT_THAT(both.texts("c"), ElementsAre("red", "blue", "red", "red", "green", "red", "blue", "red"));
  const Processed constant = Ok(table, R"([{"step":"fill_missing","columns":["c"],"with":"constant","value":"none"}])");
  EXPECT_THAT(constant.content().Find("c")->categories, ElementsAre("blue", "green", "none", "red"));
  EXPECT_THAT(constant.texts("c"), ElementsAre("red", "blue", "none", "red", "green", "red", "blue", "none"));
  EXPECT_EQ(Refused(table, R"([{"step":"fill_missing","columns":["c"],"with":"mean"}])"), "steps[0].columns[0]");
  EXPECT_EQ(Refused(table, R"([{"step":"fill_missing","columns":["x"],"with":"constant","value":"y"}])"),
            "steps[0].value");
}

TEST_F(StepsTest, DropsRowsWithMissingValues) {
  const Manifest table = Numbers();
  EXPECT_EQ(Ok(table, R"([{"step":"drop_missing"}])").rows(), 6);
  EXPECT_EQ(Ok(table, R"([{"step":"drop_missing","columns":["x"]}])").rows(), 7);
  EXPECT_EQ(Ok(table, R"([{"step":"drop_missing","how":"all"}])").rows(), 7);
}

TEST_F(StepsTest, ClipsAndDropsOutliers) {
  const Manifest table = Numbers();
  EXPECT_THAT(Ok(table, R"([{"step":"outliers","columns":["x"]}])").numbers("x"),  // Series.quantile, Series.clip
              Pointwise(NearOrBothMissing(), std::vector<float>{1.5F, 2, kNan, 4, 11.125F, 7, 2, -3.25F}));
  EXPECT_THAT(Ok(table, R"([{"step":"outliers","columns":["x"],"method":"zscore","threshold":2}])").numbers("x"),
              Pointwise(NearOrBothMissing(), std::vector<float>{1.5F, 2, kNan, 4, 34.65981257337438F, 7, 2, -3.25F}));
  EXPECT_THAT(Ok(table, R"([{"step":"outliers","columns":["x"],"action":"drop"}])").numbers("x"),
              Pointwise(NearOrBothMissing(), std::vector<float>{1.5F, 2, kNan, 4, 7, 2, -3.25F}));
  EXPECT_THAT(Ok(table, R"([{"step":"outliers","columns":["x"],"action":"missing"}])").numbers("x"),
              Pointwise(NearOrBothMissing(), std::vector<float>{1.5F, 2, kNan, 4, kNan, 7, 2, -3.25F}));
}

TEST_F(StepsTest, ScalesByTheStatisticsOfTheTrainingRows) {
  // The last quarter of the rows, in order, tests: MinMaxScaler and StandardScaler were fitted on the first six.
  const Manifest table = Csv("x,t\n1.5,1\n2,2\n,3\n4,4\n40,5\n7,6\n2,7\n-3.25,8\n");
  const std::string split = R"({"step":"split","fractions":[0.75,0,0.25],"by":"time","column":"t"},)";
  EXPECT_THAT(Ok(table, "[" + split + R"({"step":"normalize","columns":["x"]}])").numbers("x"),
              Pointwise(NearOrBothMissing(), std::vector<float>{0, 0.012987013906F, kNan, 0.064935065806F, 1,
                                                                0.142857149243F, 0.012987013906F, -0.123376622796F}));
  EXPECT_THAT(Ok(table, "[" + split + R"({"step":"standardize","columns":["x"]}])").numbers("x"),
              Pointwise(NearOrBothMissing(),
                        std::vector<float>{-0.640419662F, -0.6063547730F, kNan, -0.4700952768F, 1.9825758934F,
                                           -0.2657060325F, -0.6063547730F, -0.9640359879F}));
  EXPECT_THAT(
      Ok(table, R"([{"step":"normalize","columns":["x"],"minimum":-1,"maximum":1,"fit_on":"all"}])").numbers("x"),
      Pointwise(NearOrBothMissing(), std::vector<float>{-0.780346870F, -0.7572254539F, kNan, -0.6647399068F, 1,
                                                        -0.5260115863F, -0.7572254539F, -1}));
  // A constant: StandardScaler gives 0, MinMaxScaler the minimum.
  const Manifest constant = Csv("x\n5\n5\n5\n");
  EXPECT_THAT(Ok(constant, R"([{"step":"standardize"}])").numbers("x"), ElementsAre(0, 0, 0));
  EXPECT_THAT(Ok(constant, R"([{"step":"normalize"}])").numbers("x"), ElementsAre(0, 0, 0));
}

TEST_F(StepsTest, EncodesLabels) {
  const Manifest table = Csv("c\nred\nblue\n?\nred\ngreen\n");
  const Processed hot = Ok(table, R"([{"step":"one_hot"}])");  // pandas.get_dummies
  EXPECT_THAT(hot.columns(), ElementsAre("c_blue", "c_green", "c_red"));
  EXPECT_THAT(hot.numbers("c_blue"), ElementsAre(0, 1, 0, 0, 0));
  EXPECT_THAT(hot.numbers("c_green"), ElementsAre(0, 0, 0, 0, 1));
  EXPECT_THAT(hot.numbers("c_red"), ElementsAre(1, 0, 0, 1, 0));
  EXPECT_THAT(Ok(table, R"([{"step":"one_hot","columns":["c"],"categories":["red"],"keep":true}])").columns(),
              ElementsAre("c", "c_red"));
  EXPECT_THAT(Ok(table, R"([{"step":"ordinal","order":["green","red","blue"]}])").numbers("c"),
              Pointwise(NearOrBothMissing(), std::vector<float>{1.0F, 2.0F, kNan, 1.0F, 0.0F}));
  EXPECT_EQ(Refused(table, R"([{"step":"ordinal","order":["green","red"]}])"), "steps[0].order");
  // Labels that only the data tell must be given.
  const Manifest text = Csv("c\nred\nblue\n", {.task = "none", .types = {{"c", "text"}}});
  const std::string cast = R"([{"step":"cast","columns":["c"],"to":"category"},)";
  EXPECT_EQ(Refused(text, cast + R"({"step":"one_hot"}])"), "steps[1].columns[0]");
  EXPECT_THAT(Ok(text, cast + R"({"step":"one_hot","categories":["blue","red"]}])").numbers("c_red"),
              ElementsAre(1, 0));
  EXPECT_THAT(Ok(text, cast + R"({"step":"ordinal"}])").numbers("c"), ElementsAre(1, 0));
}

TEST_F(StepsTest, MapsLabelsAndTexts) {
  const Manifest table = Csv("c,t\ncat,a\ndog,b\ncow,a\n", {.task = "none", .types = {{"t", "text"}}});
  const Processed mapped =
      Ok(table, R"([{"step":"map_labels","column":"c","labels":{"cat":"pet","dog":"pet","cow":null}}])");
  EXPECT_THAT(mapped.texts("c"), ElementsAre("pet", "pet", ""));
  EXPECT_THAT(mapped.content().Find("c")->categories, ElementsAre("pet"));
  EXPECT_EQ(Refused(table, R"([{"step":"map_labels","column":"c","labels":{"bird":"pet"}}])"), "steps[0].labels.bird");
  EXPECT_EQ(Refused(table, R"([{"step":"map_labels","column":"c","labels":{"cat":"pet"},"other":"fail"}])"),
            "steps[0].labels");
  EXPECT_THAT(Ok(table, R"([{"step":"map_labels","column":"t","labels":{"a":"A"}}])").texts("t"),
              ElementsAre("A", "b", "A"));
  EXPECT_THAT(RunSteps(table, R"([{"step":"map_labels","column":"t","labels":{"a":"A"},"other":"fail"}])").error,
              HasSubstr("row 2"));
}

TEST_F(StepsTest, JoinsTexts) {
  const Manifest table = Csv("title,n,body\nHello,1,world\n,2.5,again\n",
                             {.task = "none", .types = {{"title", "text"}, {"body", "text"}}});
  const Processed joined =
      Ok(table, R"([{"step":"join_text","columns":["title","n","body"],"into":"text","separator":" | "}])");
  EXPECT_THAT(joined.columns(), ElementsAre("text"));
  EXPECT_THAT(joined.texts("text"), ElementsAre("Hello | 1 | world", "2.5 | again"));
  EXPECT_EQ(Refused(table, R"([{"step":"join_text","columns":["title"],"into":"n"}])"), "steps[0].into");
}

TEST_F(StepsTest, DropsExactDuplicates) {
  const Manifest table = Csv("a,b\n1,x\n1,y\n1,x\n,x\n,x\n0,x\n-0,x\n");
  EXPECT_EQ(Ok(table, R"([{"step":"deduplicate"}])").rows(), 4);  // DataFrame.drop_duplicates
  const Processed by_a = Ok(table, R"([{"step":"deduplicate","columns":["a"]}])");
  EXPECT_THAT(by_a.numbers("a"), Pointwise(NearOrBothMissing(), std::vector<float>{1.0F, kNan, 0.0F}));
  EXPECT_THAT(by_a.texts("b"), ElementsAre("x", "x", "x"));
}

TEST_F(StepsTest, DropsNearDuplicates) {
  // Jaccard of the 5-character shingles, computed exactly: rows 1 and 2 0.972, rows 1 and 3 0.364, rows 4 and 5 0.88.
  const Manifest table =
      Csv("t\n\"The quick brown fox jumps over the lazy dog while the cat sleeps in the sun.\"\n"
          "\"The  quick brown FOX jumps over the lazy dog while the cat sleeps in the sun!\"\n"
          "\"The quick brown fox jumped over a lazy dog; the cat slept somewhere in the shade.\"\n"
          "\"我非常喜欢这个酒店的房间,服务也很好,下次还会再来住的。\"\n"
          "\"我非常喜欢这个酒店的房间,服务也很好,下次还会再来住。\"\n\"\"\n\"\"\n",
          {.task = "none", .types = {{"t", "text"}}});
  const auto kept = [&](const std::string& threshold) {
    return Ok(table,
              R"([{"step":"near_deduplicate","columns":["t"],"permutations":512,"threshold":)" + threshold + "}]")
        .rows();
  };
  EXPECT_EQ(kept("0.7"), 3 + 2);  // the two empty texts are not alike
  EXPECT_EQ(kept("0.93"), 4 + 2);
  EXPECT_EQ(kept("1"), 5 + 2);
  EXPECT_EQ(kept("0.2"), 2 + 2);
}

TEST_F(StepsTest, FiltersRows) {
  const Manifest table = Csv("age,city,note\n20,Paris,hello\n17,Rome,\n,Paris,bye\n45,Oslo,hello again\n",
                             {.task = "none", .types = {{"note", "text"}}});
  const auto ages = [&](const std::string& where) {
    return RunSteps(table, R"([{"step":"filter","where":")" + where + R"("}])").rows();
  };
  EXPECT_EQ(ages("age >= 18"), 2);
  EXPECT_EQ(ages("not age >= 18"), 2);
  EXPECT_EQ(ages("age is missing or city in ['Oslo']"), 2);
  EXPECT_EQ(ages("contains(note, 'hello') and length(note) > 5"), 1);
  EXPECT_EQ(ages("split == 'train'"), 4);
  const Processed none = RunSteps(table, R"([{"step":"filter","where":"age > 100"}])");
  EXPECT_THAT(none.error, HasSubstr("leave no row"));
  EXPECT_EQ(Refused(table, R"([{"step":"filter","where":"agee > 1"}])"), "steps[0].where");
}

std::string Rows(int count, const std::string& header = "i,g,label") {
  std::string out = header + "\n";
  for (int i = 0; i < count; ++i) {
    out += std::to_string(i) + ",g" + std::to_string(i % 20) + (i % 10 == 0 ? ",rare\n" : ",common\n");
  }
  return out;
}

TEST_F(StepsTest, SamplesAnExactNumberOfRows) {
  const Manifest table = Csv(Rows(1000));
  const Processed half = Ok(table, R"([{"step":"sample","fraction":0.25}])");
  EXPECT_EQ(half.rows(), 250);
  EXPECT_EQ(Ok(table, R"([{"step":"sample","count":7}])").rows(), 7);
  EXPECT_EQ(Ok(table, R"([{"step":"sample","count":5000}])").rows(), 1000);
  const auto numbers = half.numbers("i");
  EXPECT_TRUE(std::ranges::is_sorted(numbers));
  EXPECT_NEAR(std::accumulate(numbers.begin(), numbers.end(), 0.0) / 250, 499.5, 60);  // sqrt(var / 250) is 18
  EXPECT_EQ(Ok(table, R"([{"step":"sample","fraction":0.25}])").numbers("i"), numbers);
  EXPECT_NE(Ok(table, R"([{"step":"sample","fraction":0.25,"seed":9}])").numbers("i"), numbers);
  EXPECT_NE(Ok(table, R"({"seed":9,"steps":[{"step":"sample","fraction":0.25}]})").numbers("i"), numbers);
  EXPECT_EQ(Refused(table, R"([{"step":"sample"}])"), "steps[0].fraction");
}

TEST_F(StepsTest, BalancesTheTrainingRows) {
  const Manifest table = Csv(Rows(1000), {.target = "label"});
  const std::string split = R"([{"step":"split","fractions":[0.8,0,0.2]},)";
  const Processed under = Ok(table, split + R"({"step":"balance"}])");
  EXPECT_EQ(under.content().split_rows[0], 160);
  EXPECT_EQ(under.content().split_rows[2], 200);
  EXPECT_THAT(under.content().Find("label")->statistics.counts, ElementsAre(80 + 180, 80 + 20));
  const Processed over = Ok(table, split + R"({"step":"balance","method":"over"}])");
  EXPECT_EQ(over.content().split_rows[0], 1440);
  EXPECT_THAT(over.content().Find("label")->statistics.counts, ElementsAre(720 + 180, 720 + 20));
  std::map<float, int> copies;  // each rare training row 9 times
  const auto numbers = over.numbers("i");
  const std::string splits = over.splits();
  for (size_t i = 0; i < numbers.size(); ++i) {
    copies[numbers[i]] += splits[i] == 't' ? 1 : 0;
  }
  for (const auto& [number, count] : copies) {
    EXPECT_TRUE(count == 0 || count == (static_cast<int>(number) % 10 == 0 ? 9 : 1)) << number;
  }
}

TEST_F(StepsTest, ShufflesAllRows) {
  const Manifest table = Csv(Rows(20000));
  const Processed out = Ok(table, R"([{"step":"shuffle"}])");
  auto numbers = out.numbers("i");
  ASSERT_EQ(numbers.size(), 20000U);
  EXPECT_EQ(numbers, Ok(table, R"([{"step":"shuffle"}])").numbers("i"));
  EXPECT_NE(numbers, Ok(table, R"([{"step":"shuffle","seed":4}])").numbers("i"));
  int64_t rising = 0;
  for (size_t i = 1; i < numbers.size(); ++i) {
    rising += numbers[i] > numbers[i - 1] ? 1 : 0;
  }
  EXPECT_NEAR(static_cast<double>(rising), 10000, 300);
  const auto groups = out.texts("g");
  for (size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_EQ(groups[i], "g" + std::to_string(static_cast<int>(numbers[i]) % 20));
  }
  std::ranges::sort(numbers);
  for (size_t i = 0; i < numbers.size(); ++i) {
    ASSERT_EQ(numbers[i], static_cast<float>(i));
  }
}

TEST_F(StepsTest, SplitsByEachRule) {
  const Manifest table = Csv(Rows(1000), {.target = "label"});
  const Processed random = Ok(table, R"([{"step":"split","fractions":[0.7,0.2,0.1],"by":"random"}])");
  EXPECT_THAT(random.content().split_rows, ElementsAre(700, 200, 100));
  EXPECT_EQ(random.content().shards[0].blob, table.shards[0].blob);  // a split alone rewrites no row
  const Processed strata = Ok(table, R"([{"step":"split","fractions":[0.7,0.2,0.1]}])");
  std::map<char, int> rare;
  const auto labels = strata.texts("label");
  const std::string parts = strata.splits();
  for (size_t i = 0; i < labels.size(); ++i) {
    rare[parts[i]] += labels[i] == "rare" ? 1 : 0;
  }
  EXPECT_EQ(rare, (std::map<char, int>{{'t', 70}, {'v', 20}, {'e', 10}}));
  const Processed groups = Ok(table, R"([{"step":"split","fractions":[0.6,0.2,0.2],"by":"group","column":"g"}])");
  EXPECT_THAT(groups.content().split_rows, ElementsAre(600, 200, 200));
  std::map<std::string, std::set<char>> of_group;
  const auto names = groups.texts("g");
  const std::string group_parts = groups.splits();
  for (size_t i = 0; i < labels.size(); ++i) {
    of_group[names[i]].insert(group_parts[i]);
  }
  for (const auto& [group, splits] : of_group) {
    EXPECT_EQ(splits.size(), 1U) << group;
  }
  const Manifest dates = Csv("d\n2024-03-01\n2023-12-31\n2024-01-15\n2022-06-30T10:00\n2024-03-02\n",
                             {.task = "none", .types = {{"d", "text"}}});
  EXPECT_EQ(Ok(dates, R"([{"step":"split","fractions":[0.6,0.2,0.2],"by":"time","column":"d"}])").splits(), "vttte");
}

TEST_F(StepsTest, FoldsPartitionTheRowsOutsideTheTestSplit) {
  const Manifest table = Csv(Rows(200), {.target = "label", .split = {0.8, 0, 0.2}});
  std::vector<int> validated(200);
  std::string test;
  for (int fold = 1; fold <= 4; ++fold) {
    const Processed out = Ok(table, R"([{"step":"split","folds":4,"fold":)" + std::to_string(fold) + "}]");
    EXPECT_THAT(out.content().split_rows, ElementsAre(120, 40, 40));
    const std::string splits = out.splits();
    for (size_t i = 0; i < splits.size(); ++i) {
      validated[i] += splits[i] == 'v' ? 1 : 0;
      test += splits[i] == 'e' && fold == 1 ? 'e' : ' ';
    }
  }
  EXPECT_EQ(std::ranges::count(validated, 1), 160);
  EXPECT_EQ(std::ranges::count(validated, 0), 40);
  EXPECT_EQ(std::ranges::count(test, 'e'), 40);
  EXPECT_EQ(Refused(table, R"([{"step":"split","folds":4,"fold":5}])"), "steps[0].fold");
  EXPECT_EQ(Refused(table, R"([{"step":"split","folds":4,"fold":1,"by":"time","column":"i"}])"), "steps[0].by");
  EXPECT_EQ(Refused(table, R"([{"step":"split","fractions":[0.5,0.1,0.1]}])"), "steps[0].fractions");
  EXPECT_EQ(Refused(table, R"([{"step":"split","fractions":[0.5,0.5,0],"by":"stratified","column":"i"}])"),
            "steps[0].column");
}

}  // namespace
}  // namespace atelier::data
