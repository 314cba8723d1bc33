#include "families/preprocess/samples.h"

#include <gtest/gtest.h>

#include "families/testing/tiny_data.h"

namespace atelier::families {
namespace {

using testing::Categories;
using testing::Images;
using testing::Numbers;

ModelConfig Config(const std::string& task, const std::vector<int64_t>& shape, int64_t outputs) {
  return {.family = "mlp",
          .task = task,
          .input_kind = shape.size() == 3 ? "image" : "table",
          .input_shape = shape,
          .outputs = outputs,
          .layers = CompleteLayers({}, {}, shape, outputs)};
}

std::vector<float> Gathered(const Samples& samples, const Preprocessor& preprocessor, std::vector<int64_t> rows) {
  const auto tensor = GatherInputs(samples, MakeAffine(preprocessor), rows);
  return {tensor.data_ptr<float>(), tensor.data_ptr<float>() + tensor.numel()};
}

TEST(Samples, TableIsStandardisedOneHotAndMissingIsTheMean) {
  testing::TinyStore store;
  const auto manifest = store.Add(
      {Numbers("n", {1, 3, NAN, 5}), Categories("c", {"p", "q"}, {0, 1, -1, 1}), Numbers("target", {10, 20, 30, NAN})},
      data::Task::kRegression, {0, 0, 0, 0}, 3);
  const auto reader = store.Read(manifest);
  auto preprocessor = *MakePreprocessor(manifest, Config("regression", {3}, 1));
  const auto samples = *LoadSamples(*reader, reader->Rows(data::Split::kTrain), preprocessor);
  EXPECT_EQ(samples.rows(), 3);
  EXPECT_EQ(samples.dropped, 1);  // no target
  ASSERT_TRUE(FitStatistics(samples, preprocessor).ok());
  const auto& field = std::get<TableInput>(preprocessor.input).fields[0];
  EXPECT_DOUBLE_EQ(field.mean[0], 2);  // of 1 and 3
  EXPECT_DOUBLE_EQ(field.std[0], 1);
  EXPECT_EQ(Gathered(samples, preprocessor, {0, 1, 2}), (std::vector<float>{-1, 1, 0, 1, 0, 1, 0, 0, 0}));
  EXPECT_DOUBLE_EQ(preprocessor.target.mean, 20);
  const auto targets = GatherTargets(samples, preprocessor.target, std::vector<int64_t>{1, 2});
  EXPECT_FLOAT_EQ(targets[0][0].item<float>(), 0);
  EXPECT_FLOAT_EQ(targets[1][0].item<float>(), static_cast<float>(10 / std::sqrt(200.0 / 3)));
}

TEST(Samples, PicturesAreScaledByTheirChannel) {
  testing::TinyStore store;
  const auto manifest =
      store.Add({Images("i", {1, 1, 2}, {0, 255, 0, 255, 51, 102}), Categories("t", {"a", "b"}, {0, 1, 1})},
                data::Task::kClassification, {0, 0, 2});
  const auto reader = store.Read(manifest);
  auto preprocessor = *MakePreprocessor(manifest, Config("classification", {1, 1, 2}, 2));
  const auto train = *LoadSamples(*reader, reader->Rows(data::Split::kTrain), preprocessor);
  ASSERT_TRUE(FitStatistics(train, preprocessor).ok());
  EXPECT_DOUBLE_EQ(std::get<ImageInput>(preprocessor.input).mean[0], 0.5);
  EXPECT_DOUBLE_EQ(std::get<ImageInput>(preprocessor.input).std[0], 0.5);
  const auto test = *LoadSamples(*reader, reader->Rows(data::Split::kTest), preprocessor);
  const auto values = Gathered(test, preprocessor, {0});
  EXPECT_NEAR(values[0], (0.2 - 0.5) / 0.5, 1e-6);
  EXPECT_NEAR(values[1], (0.4 - 0.5) / 0.5, 1e-6);
}

TEST(Samples, AnotherDataSetIsMatchedByText) {
  testing::TinyStore store;
  const auto first = store.Add({Categories("c", {"p", "q"}, {0, 1}), Categories("t", {"a", "b"}, {0, 1})},
                               data::Task::kClassification, {0, 0});
  const auto preprocessor = *MakePreprocessor(first, Config("classification", {2}, 2));
  const auto second = store.Add({Categories("c", {"new", "q"}, {0, 1}), Categories("t", {"b"}, {0, 0})},
                                data::Task::kClassification, {2, 2});
  const auto reader = store.Read(second);
  const auto samples = LoadSamples(*reader, reader->Rows(data::Split::kTest), preprocessor);
  ASSERT_TRUE(samples.ok()) << samples.error().message;
  EXPECT_EQ(samples->targets[0].item<int64_t>(), 1);
  EXPECT_EQ(Gathered(*samples, preprocessor, {0, 1}), (std::vector<float>{0, 0, 0, 1}));

  const auto third =
      store.Add({Categories("c", {"p"}, {0}), Categories("t", {"z"}, {0})}, data::Task::kClassification, {2});
  const auto unknown = store.Read(third);
  const auto refused = LoadSamples(*unknown, unknown->Rows(data::Split::kTest), preprocessor);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("'z'"), std::string::npos);
  const auto fourth =
      store.Add({Categories("d", {"p"}, {0}), Categories("t", {"a"}, {0})}, data::Task::kClassification, {2});
  const auto other = store.Read(fourth);
  EXPECT_NE(LoadSamples(*other, other->Rows(data::Split::kTest), preprocessor).error().message.find("'c'"),
            std::string::npos);
}

TEST(Samples, RefusesTargetsWithNothingToLearn) {
  testing::TinyStore store;
  const auto manifest =
      store.Add({Numbers("n", {1, 2, 3}), Numbers("t", {4, 4, 5})}, data::Task::kRegression, {0, 0, 2});
  const auto reader = store.Read(manifest);
  auto preprocessor = *MakePreprocessor(manifest, Config("regression", {1}, 1));
  const auto samples = *LoadSamples(*reader, reader->Rows(data::Split::kTrain), preprocessor);
  EXPECT_EQ(FitStatistics(samples, preprocessor).error().reason, "dataset_unsuitable");
}

TEST(Preprocessor, JsonRoundTripAndRefusals) {
  Preprocessor preprocessor;
  preprocessor.input =
      TableInput{{{.name = "n", .category = false, .categories = {}, .shape = {2}, .mean = {1, 2}, .std = {3, 4}},
                  {.name = "c", .category = true, .categories = {"p", "q"}, .shape = {}, .mean = {}, .std = {}}}};
  preprocessor.target = {.name = "t", .labels = {"a", "b"}};
  const auto config = Config("classification", {4}, 2);
  const auto json = ToJson(preprocessor);
  const auto read = PreprocessorFromJson(json, config);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ToJson(*read), json);
  EXPECT_FALSE(PreprocessorFromJson(json, Config("classification", {5}, 2)).ok());
  EXPECT_FALSE(PreprocessorFromJson(json, Config("classification", {4}, 3)).ok());
  EXPECT_FALSE(PreprocessorFromJson(json, Config("regression", {4}, 1)).ok());
  auto zero = json;
  zero["fields"].as_array()[0].as_object()["std"] = boost::json::array{0, 1};
  EXPECT_EQ(PreprocessorFromJson(zero, config).error().reason, "invalid_model_file");
}

}  // namespace
}  // namespace atelier::families
