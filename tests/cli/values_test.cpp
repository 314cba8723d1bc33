#include "atelier/cli/values.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "atelier/cli/follow.h"
#include "atelier/cli/inputs.h"
#include "base/json.h"

namespace atelier::cli {
namespace {

json::value Setting(std::string_view text) {
  auto setting = ParseSetting(text);
  EXPECT_TRUE(setting.ok()) << text;
  return setting.ok() ? setting->second : json::value();
}

TEST(ParseSetting, TakesJsonWhereItIsJson) {
  EXPECT_EQ(Setting("epochs=5"), json::value(5));
  EXPECT_EQ(Setting("learning_rate=1e-3"), json::value(0.001));
  EXPECT_EQ(Setting("batch_norm=true"), json::value(true));
  EXPECT_EQ(Setting("optimizer=adam"), json::value("adam"));
  EXPECT_EQ(Setting("input_size=[28,28]"), json::value({28, 28}));
  EXPECT_EQ(Setting("x="), json::value(""));
  EXPECT_EQ(Setting("x=a=b"), json::value("a=b"));
}

TEST(ParseSetting, LayersOfOneNumberStayText) {
  EXPECT_EQ(Setting("layers=128"), json::value("128"));
  EXPECT_EQ(Setting("layers=128,64"), json::value("128,64"));
  EXPECT_EQ(Setting("layers=[128,64]"), json::value({128, 64}));
  EXPECT_EQ(Setting("layers=\"128\""), json::value("128"));
}

TEST(ParseSettings, RefusesWrongAndRepeated) {
  EXPECT_FALSE(ParseSettings({"epochs"}).ok());
  EXPECT_FALSE(ParseSettings({"=1"}).ok());
  EXPECT_FALSE(ParseSettings({"layers=[1,"}).ok());
  EXPECT_FALSE(ParseSettings({"epochs=1", "epochs=2"}).ok());
  EXPECT_EQ(ParseSettings({"epochs=1", "seed=2"})->size(), 2U);
}

TEST(ParseFractions, MustAddUpToOne) {
  EXPECT_EQ(*ParseFractions("0.8,0.1,0.1"), (json::array{0.8, 0.1, 0.1}));
  EXPECT_EQ(*ParseFractions("0.8,0.2"), (json::array{0.8, 0.2, 0.0}));
  for (const char* text : {"", "0.8", "0.5,0.6", "1,1,-1", "0.2,0.2,0.2,0.4", "a,b", "nan,0,1", "0.8,0.2,"}) {
    EXPECT_FALSE(ParseFractions(text).ok()) << text;
  }
}

TEST(ParseTraffic, MustAddUpToHundred) {
  const auto traffic = ParseTraffic("3=90,4=10");
  ASSERT_TRUE(traffic.ok());
  EXPECT_EQ(json::serialize(*traffic), R"([{"version":3,"weight":90},{"version":4,"weight":10}])");
  for (const char* text : {"", "3", "3=90", "3=90,4=20", "0=100", "3=-1,4=101", "3=9x,4=10"}) {
    EXPECT_FALSE(ParseTraffic(text).ok()) << text;
  }
}

TEST(ParseReference, TakesTheLastAt) {
  EXPECT_EQ(ParseReference("iris", "latest").reference, "latest");
  EXPECT_EQ(ParseReference("iris@3", "latest").name, "iris");
  EXPECT_EQ(ParseReference("iris@3", "latest").reference, "3");
}

TEST(ParseDuration, NeedsAUnit) {
  EXPECT_EQ(*ParseDuration("90s"), 90);
  EXPECT_EQ(*ParseDuration("2h"), 7200);
  EXPECT_EQ(*ParseDuration("30d"), 2592000);
  for (const char* text : {"", "5", "d", "0d", "-1d", "1.5h", "99999999d"}) {
    EXPECT_FALSE(ParseDuration(text).ok()) << text;
  }
}

std::string Read(const std::string& argument) {
  const auto input = ParseInput(argument);
  if (!input.ok()) {
    return "error " + input.error().reason;
  }
  std::string text = input->file.empty() ? "" : "file";
  for (const auto& value : input->values) {
    text += (text.empty() ? "" : " ") + json::serialize(value);
  }
  return text;
}

TEST(ParseInput, KnowsTheForms) {
  EXPECT_EQ(Read("5.5,3,-1e0"), "[5.5E0,3E0,-1E0]");
  EXPECT_EQ(Read("7"), "[7E0]");
  EXPECT_EQ(Read("sepal length=5.1,kind=a b"), R"({"sepal length":5.1E0,"kind":"a b"})");
  EXPECT_EQ(Read("a=\"x,y\",b=1"), R"({"a":"x,y","b":1E0})");
  EXPECT_EQ(Read("a=,b=1"), R"({"a":null,"b":1E0})");
  EXPECT_EQ(Read("\u82b1=\u7ea2"), "{\"\u82b1\":\"\u7ea2\"}");
  EXPECT_EQ(Read("[[1,2],[3,4]]"), "[[1,2],[3,4]]");
  EXPECT_EQ(Read(" [1]"), "[1]");
  EXPECT_EQ(Read("good day, all"), "\"good day, all\"");
  EXPECT_EQ(Read("1,two"), "\"1,two\"");
  EXPECT_EQ(Read("nan,1"), "\"nan,1\"");
}

TEST(ParseInput, RefusesWhatCannotBeMeant) {
  EXPECT_EQ(Read("[1,"), "error usage");
  EXPECT_EQ(Read("no-such-picture.PNG"), "error usage");
  EXPECT_EQ(Read("@no-such-file.json"), "error usage");
  EXPECT_FALSE(ParseRecord("a=1,a=2").ok());
  EXPECT_FALSE(ParseRecord("a=\"x").ok());
  EXPECT_FALSE(ParseRecord("a=\"x\"y,b=1").ok());
}

TEST(ParseInput, ReadsFiles) {
  const auto folder = std::filesystem::temp_directory_path() / "atelier_cli_inputs";
  std::filesystem::create_directories(folder);
  const auto with = [&](const std::string& text) {
    std::ofstream(folder / "in.json") << text;
    return Read("@" + (folder / "in.json").string());
  };
  EXPECT_EQ(with(R"([{"a":1},{"a":2}])"), R"({"a":1} {"a":2})");
  EXPECT_EQ(with(R"({"inputs":[[1],[2]]})"), "[1] [2]");
  EXPECT_EQ(with("[[1],[2]]"), "[[1],[2]]");
  EXPECT_EQ(with(R"({"a":1})"), R"({"a":1})");
  EXPECT_EQ(with("{"), "error usage");
  EXPECT_EQ(Read((folder / "in.json").string()), "file");
  std::filesystem::remove_all(folder);
}

TEST(DescribeEvent, TellsEpochsFromSteps) {
  const auto lines = [](std::string_view data) {
    return DescribeEvent(json::object{{"type", "progress"}, {"data", json::parse(json::string_view(data))}});
  };
  const auto step = lines(R"({"stage":"train","epoch":2,"epochs":5,"step":50,"steps":100,"loss":0.25,
      "metric":0.9,"metric_name":"accuracy","samples_per_s":1234.6,"eta_s":61})");
  EXPECT_EQ(step.live,
            "epoch 2/5 [==========>         ] step 50/100  loss 0.25  accuracy 0.9  1235 samples/s  ETA 1:01");
  EXPECT_TRUE(step.kept.empty());
  const auto epoch = lines(R"({"stage":"epoch","epoch":1,"epochs":5,"loss":0.5,"metric":0.8,"metric_name":"accuracy",
      "validation_loss":0.6,"validation_metric":0.75,"samples_per_s":10,"learning_rate":0.001,"eta_s":5})");
  EXPECT_EQ(epoch.kept,
            "epoch 1/5  loss 0.5  accuracy 0.8  validation loss 0.6  validation accuracy 0.75  learning rate 0.001  "
            "10 samples/s  ETA 0:05");
  EXPECT_EQ(lines(R"({"stage":"import","done_bytes":512,"total_bytes":1024,"rows":7})").live,
            "import [============>           ] 512 B / 1.0 KiB  7 rows");
  EXPECT_TRUE(DescribeEvent(json::object{{"type", "progress"}, {"data", 1}}).live.empty());
}

}  // namespace
}  // namespace atelier::cli
