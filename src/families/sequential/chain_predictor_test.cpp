#include "families/sequential/chain_predictor.h"

#include <gtest/gtest.h>

#include <fstream>

#include "families/testing/tiny_data.h"

namespace atelier::families {
namespace {

void WriteModel(const std::filesystem::path& folder, const ModelConfig& config, const Preprocessor& preprocessor) {
  const auto network = BuildNetwork(config, 3).value();
  std::ofstream(folder / kConfigFile) << boost::json::serialize(ToJson(config));
  std::ofstream(folder / kPreprocessorFile) << boost::json::serialize(ToJson(preprocessor));
  std::ofstream weights(folder / kWeightsFile, std::ios::binary);
  ASSERT_TRUE(WriteTensors(StateOf(*network), [&](std::span<const std::byte> part) -> Status {
                weights.write(reinterpret_cast<const char*>(part.data()), static_cast<std::streamsize>(part.size()));
                return {};
              }).ok());
}

const std::vector<float>& ValuesOf(const Result<std::unique_ptr<PreparedInstance>>& prepared) {
  return static_cast<const PreparedValues&>(**prepared).values;
}

std::unique_ptr<Predictor> Open(const std::filesystem::path& folder) {
  auto predictor = Predictor::Open(folder, 1);
  EXPECT_TRUE(predictor.ok()) << (predictor.ok() ? "" : predictor.error().message);
  return std::move(predictor).value();
}

class TablePredictor : public ::testing::Test {
 protected:
  TablePredictor() {
    const ModelConfig config{.family = "mlp",
                             .task = "classification",
                             .input_kind = "table",
                             .input_shape = {3},
                             .outputs = 2,
                             .layers = CompleteLayers(*LayersFromText("4"), {}, {3}, 2)};
    Preprocessor preprocessor;
    preprocessor.input = TableInput{
        {{.name = "width", .category = false, .categories = {}, .shape = {}, .mean = {2}, .std = {4}},
         {.name = "colour", .category = true, .categories = {"red", "3"}, .shape = {}, .mean = {}, .std = {}}}};
    preprocessor.target = {.name = "t", .labels = {"a", "b"}};
    WriteModel(folder_.path(), config, preprocessor);
    predictor_ = Open(folder_.path());
  }
  Error Refusal(const Instance& instance) {
    const auto prepared = predictor_->Prepare(instance);
    EXPECT_FALSE(prepared.ok());
    EXPECT_EQ(prepared.error().code, Code::kInvalidArgument);
    return prepared.ok() ? Error{} : prepared.error();
  }

  testing::TemporaryFolder folder_;
  std::unique_ptr<Predictor> predictor_;
};

TEST_F(TablePredictor, ReadsRecords) {
  const auto prepared = predictor_->Prepare(InstanceRecord{{"width", 6.0}, {"colour", "red"}});
  ASSERT_TRUE(prepared.ok()) << prepared.error().message;
  EXPECT_EQ(ValuesOf(prepared), (std::vector<float>{6, 1, 0}));
  EXPECT_EQ(ValuesOf(predictor_->Prepare(InstanceRecord{{"width", "6.5"}, {"colour", 3.0}})),
            (std::vector<float>{6.5F, 0, 1}));
  EXPECT_EQ(ValuesOf(predictor_->Prepare(InstanceRecord{{"width", 1.0}, {"colour", "unseen"}})),
            (std::vector<float>{1, 0, 0}));
  EXPECT_TRUE(std::isnan(ValuesOf(predictor_->Prepare(InstanceRecord{{"width", ""}, {"colour", ""}}))[0]));
}

TEST_F(TablePredictor, MissingNumberCountsAsTheMean) {
  const auto missing = predictor_->Prepare(InstanceRecord{{"width", ""}, {"colour", "red"}});
  const auto mean = predictor_->Prepare(InstanceRecord{{"width", 2.0}, {"colour", "red"}});
  const std::vector<const PreparedInstance*> batch{missing->get(), mean->get()};
  const auto answers = predictor_->Predict(batch);
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ((*answers)[0].values, (*answers)[1].values);
  EXPECT_NEAR((*answers)[0].values[0] + (*answers)[0].values[1], 1, 1e-6);
}

TEST_F(TablePredictor, NamesWhatIsWrong) {
  EXPECT_EQ(Refusal(InstanceRecord{{"colour", "red"}}).param, "width");
  EXPECT_EQ(Refusal(InstanceRecord{{"width", 1.0}, {"colour", "red"}, {"height", 1.0}}).param, "height");
  EXPECT_EQ(Refusal(InstanceRecord{{"width", "wide"}, {"colour", "red"}}).param, "width");
  EXPECT_EQ(Refusal(InstanceRecord{{"width", 1e300}, {"colour", "red"}}).param, "width");
  EXPECT_EQ(Refusal(InstanceRecord{{"width", NAN}, {"colour", "red"}}).param, "width");
  Refusal(InstanceTensor{{3}, {1, 0, 0}});  // a category cannot be given as a number of a tensor
  Refusal(InstanceImage{"png"});
  Refusal(InstanceText{"hello"});
}

class ImagePredictor : public ::testing::Test {
 protected:
  ImagePredictor() {
    const ModelConfig config{.family = "cnn",
                             .task = "classification",
                             .input_kind = "image",
                             .input_shape = {1, 4, 5},
                             .outputs = 3,
                             .layers = CompleteLayers(*LayersFromText("conv2x3,4"), {}, {1, 4, 5}, 3)};
    Preprocessor preprocessor;
    preprocessor.input = ImageInput{"image", {1, 4, 5}, {0.5}, {0.25}};
    preprocessor.target = {.name = "t", .labels = {"a", "b", "c"}};
    WriteModel(folder_.path(), config, preprocessor);
    predictor_ = Open(folder_.path());
  }
  testing::TemporaryFolder folder_;
  std::unique_ptr<Predictor> predictor_;
};

TEST_F(ImagePredictor, TakesRawPixelsInThreeShapes) {
  std::vector<float> pixels(20);
  for (size_t i = 0; i < pixels.size(); ++i) {
    pixels[i] = static_cast<float>(i * 12);
  }
  for (const std::vector<int64_t>& shape : {std::vector<int64_t>{4, 5}, {1, 4, 5}, {20}}) {
    const auto prepared = predictor_->Prepare(InstanceTensor{shape, pixels});
    ASSERT_TRUE(prepared.ok()) << prepared.error().message;
    EXPECT_EQ(ValuesOf(prepared), pixels);
  }
  const auto wrong = predictor_->Prepare(InstanceTensor{{5, 4}, pixels});
  ASSERT_FALSE(wrong.ok());
  EXPECT_EQ(wrong.error().reason, "invalid_shape");
  EXPECT_NE(wrong.error().message.find("[1, 4, 5]"), std::string::npos);
  EXPECT_FALSE(predictor_->Prepare(InstanceTensor{{4, 5}, {1, 2}}).ok());
  pixels[7] = INFINITY;
  EXPECT_FALSE(predictor_->Prepare(InstanceTensor{{4, 5}, pixels}).ok());
  EXPECT_FALSE(predictor_->Prepare(InstanceImage{"not a picture"}).ok());
  EXPECT_FALSE(predictor_->Prepare(InstanceRecord{{"image", 1.0}}).ok());
}

TEST_F(ImagePredictor, AnInstanceDoesNotDependOnItsBatch) {
  std::vector<PreparedValues> instances;
  for (int i = 0; i < 9; ++i) {
    instances.emplace_back(std::vector<float>(20, static_cast<float>(i * 20)));
  }
  std::vector<const PreparedInstance*> batch;
  for (const auto& instance : instances) {
    batch.push_back(&instance);
  }
  const auto together = *predictor_->Predict(batch);
  for (size_t i = 0; i < instances.size(); ++i) {
    const auto alone = *predictor_->Predict(std::span(batch).subspan(i, 1));
    for (size_t j = 0; j < 3; ++j) {
      EXPECT_NEAR(alone[0].values[j], together[i].values[j], 1e-6);
    }
  }
}

TEST_F(ImagePredictor, RefusesDamagedModels) {
  const auto file = folder_.path() / kConfigFile;
  std::ifstream in(file);
  std::string text((std::istreambuf_iterator<char>(in)), {});
  text.replace(text.find("\"outputs\":3"), 11, "\"outputs\":4");
  std::ofstream(file) << text;
  EXPECT_EQ(Predictor::Open(folder_.path(), 1).error().reason, "invalid_model_file");
  std::filesystem::remove(file);
  EXPECT_EQ(Predictor::Open(folder_.path(), 1).error().code, Code::kNotFound);
}

}  // namespace
}  // namespace atelier::families
