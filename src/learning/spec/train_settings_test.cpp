#include "learning/spec/train_settings.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "families/spec/chain.h"

namespace atelier::learning {
namespace {

using data::ColumnType;

data::Column MakeColumn(const std::string& name, ColumnType type) {
  data::Column column;
  column.name = name;
  column.type = type;
  column.statistics.maximum = 1;
  return column;
}

data::Manifest Flowers() {
  data::Manifest manifest;
  auto target = MakeColumn("species", ColumnType::kCategory);
  target.categories = {"a", "b", "c"};
  target.statistics.counts = {3, 3, 4};
  auto colour = MakeColumn("colour", ColumnType::kCategory);
  colour.categories = {"red", "blue"};
  manifest.columns = {MakeColumn("width", ColumnType::kNumber), colour, target};
  manifest.target = "species";
  manifest.task = data::Task::kClassification;
  manifest.split_rows[0] = 10;
  return manifest;
}

data::Manifest Digits() {
  auto manifest = Flowers();
  auto image = MakeColumn("image", ColumnType::kImage);
  image.shape = {1, 28, 28};
  manifest.columns = {image, manifest.columns[2]};
  return manifest;
}

data::Manifest Prices() {
  auto manifest = Flowers();
  manifest.columns[2] = MakeColumn("price", ColumnType::kNumber);
  manifest.target = "price";
  manifest.task = data::Task::kRegression;
  return manifest;
}

json::object Object(std::string_view text) { return ParseJson(text)->as_object(); }

Error Refusal(const std::string& family, std::string_view settings, const data::Manifest& manifest) {
  auto result = MakeTrainSettings(family, Object(settings), manifest);
  EXPECT_FALSE(result.ok()) << settings;
  return result.ok() ? Error{} : result.error();
}

TEST(TrainSettings, FillsInEveryDefaultAndReadsItselfBack) {
  const auto canonical = MakeTrainSettings("cnn", {}, Digits());
  ASSERT_TRUE(canonical.ok()) << canonical.error().message;
  EXPECT_EQ(canonical->at("epochs").as_int64(), 5);
  EXPECT_EQ(canonical->at("layers").as_array().size(), 5U);
  const auto again = MakeTrainSettings("cnn", Object(json::serialize(*canonical)), Digits());
  ASSERT_TRUE(again.ok()) << again.error().message;
  EXPECT_EQ(*again, *canonical);
}

TEST(TrainSettings, TextValuesMeanWhatTheySay) {
  const auto text = CompleteSettings(
      "mlp", Object(R"({"epochs":"7","learning_rate":"1e-2","batch_norm":"true","layers":"64,64","input_size":"28x32",
                        "seed":"42","schedule":"constant"})"));
  ASSERT_TRUE(text.ok()) << text.error().message;
  const auto settings = TrainSettingsOf(*text);
  EXPECT_EQ(settings.epochs, 7);
  EXPECT_DOUBLE_EQ(settings.learning_rate, 0.01);
  EXPECT_EQ(settings.seed, 42U);
  EXPECT_EQ(settings.schedule, "constant");
  EXPECT_TRUE(GetBool(*text, "batch_norm"));
  EXPECT_EQ(json::serialize(text->at("layers")), "[64,64]");
  EXPECT_EQ(json::serialize(text->at("input_size")), "[28,32]");
  const auto list = CompleteSettings("mlp", Object(R"({"layers":"[64,64]"})"));
  ASSERT_TRUE(list.ok()) << list.error().message;
  EXPECT_EQ(list->at("layers"), text->at("layers"));
}

TEST(TrainSettings, UnknownKeyNamesTheNearest) {
  const auto error = Refusal("mlp", R"({"learning_rte":0.1})", Flowers());
  EXPECT_EQ(error.reason, "unknown_parameter");
  EXPECT_EQ(error.param, "settings.learning_rte");
  EXPECT_NE(error.message.find("'learning_rate'"), std::string::npos) << error.message;
}

TEST(TrainSettings, RefusesValuesOutOfRange) {
  const char* bad[][2] = {{R"({"epochs":0})", "settings.epochs"},
                          {R"({"epochs":100001})", "settings.epochs"},
                          {R"({"epochs":"many"})", "settings.epochs"},
                          {R"({"epochs":1.5})", "settings.epochs"},
                          {R"({"batch_size":0})", "settings.batch_size"},
                          {R"({"batch_size":65537})", "settings.batch_size"},
                          {R"({"learning_rate":0})", "settings.learning_rate"},
                          {R"({"learning_rate":-1})", "settings.learning_rate"},
                          {R"({"learning_rate":11})", "settings.learning_rate"},
                          {R"({"dropout":1})", "settings.dropout"},
                          {R"({"optimizer":"lion"})", "settings.optimizer"},
                          {R"({"validation":0.95})", "settings.validation"},
                          {R"({"seed":-1})", "settings.seed"},
                          {R"({"precision":"fp64"})", "settings.precision"},
                          {R"({"layers":"0"})", "settings.layers[0].units"},
                          {R"({"layers":[{"type":"dense","units":-1}]})", "settings.layers[0].units"}};
  for (const auto& [settings, param] : bad) {
    const auto error = Refusal("mlp", settings, Flowers());
    EXPECT_EQ(error.code, Code::kInvalidArgument) << settings;
    EXPECT_EQ(error.param, param) << error.message;
  }
}

TEST(MakeTrainSettings, InputShapesComeFromTheDataSet) {
  const auto settings = CompleteSettings("mlp", {}).value();
  const auto config = [&](const data::Manifest& manifest) {
    return families::MakeModelConfig({.family = "mlp", .settings = settings, .manifest = manifest}).value();
  };
  EXPECT_EQ(config(Flowers()).input_shape, std::vector<int64_t>{3});  // 1 + 2 one-hot
  EXPECT_EQ(config(Flowers()).outputs, 3);
  EXPECT_EQ(config(Digits()).input_shape, (std::vector<int64_t>{1, 28, 28}));
  EXPECT_EQ(config(Prices()).outputs, 1);
}

TEST(MakeTrainSettings, ABaseIsForFamiliesThatGoOnFromOne) {
  const json::object base;
  EXPECT_EQ(MakeTrainSettings("mlp", {}, Flowers(), &base).error().reason, "model_not_supported");
}

TEST(MakeTrainSettings, RefusesDataThatDoesNotFit) {
  const auto refused = [](data::Manifest manifest, const std::function<void(data::Manifest&)>& change) {
    change(manifest);
    const auto error = Refusal("mlp", "{}", manifest);
    return error.reason == "dataset_unsuitable" ? error.message : "";
  };
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.target = ""; }), "");
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.columns[2].categories = {"a"}; }), "");
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.columns[2].statistics.counts = {10, 0, 0}; }), "");
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.columns[2].statistics.missing = 10; }), "");
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.split_rows[0] = 0, m.split_rows[2] = 10; }), "");
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.columns[0].type = ColumnType::kText; }).find("'width'"),
            std::string::npos);
  EXPECT_NE(refused(Flowers(), [](auto& m) { m.columns.erase(m.columns.begin(), m.columns.begin() + 2); }), "");
  EXPECT_NE(refused(Prices(), [](auto& m) { m.columns[2].statistics.maximum = 0; }), "");
  EXPECT_EQ(Refusal("cnn", "{}", Flowers()).reason, "dataset_unsuitable");
  EXPECT_EQ(Refusal("none", "{}", Flowers()).reason, "unknown_family");
  EXPECT_EQ(Refusal("mlp", R"({"loss":"cross_entropy"})", Prices()).param, "settings.loss");
  EXPECT_EQ(Refusal("mlp", R"({"layers":"conv8x3"})", Digits()).code, Code::kInvalidArgument);
  EXPECT_EQ(Refusal("cnn", R"({"layers":"conv8x30"})", Digits()).param, "layers[0]");
}

}  // namespace
}  // namespace atelier::learning
