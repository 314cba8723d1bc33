#include "families/spec/layers.h"

#include <gtest/gtest.h>

#include "families/spec/families.h"
#include "families/spec/model_config.h"

namespace atelier::families {
namespace {

std::vector<Layer> Parse(std::string_view text) {
  auto layers = LayersFromText(text);
  EXPECT_TRUE(layers.ok()) << (layers.ok() ? "" : layers.error().message);
  return layers.ok() ? *layers : std::vector<Layer>{};
}

Result<Plan> PlanOf(std::string_view text, const std::vector<int64_t>& shape, int64_t outputs,
                    const HiddenDefaults& defaults = {}) {
  return MakePlan(CompleteLayers(Parse(text), defaults, shape, outputs), shape);
}

TEST(Layers, TextAndJsonAgree) {
  const auto layers = Parse("conv32x3s2p1, bn, relu, avgpool3s2,dropout0.25,flatten,dense64,128");
  const auto json = boost::json::parse(R"([{"type":"conv","filters":32,"kernel":3,"stride":2,"padding":1},
    {"type":"batch_norm"},"relu",{"type":"pool","mode":"average","size":3,"stride":2},{"type":"dropout","rate":0.25},
    "flatten",64,{"type":"dense","units":128}])");
  const auto read = LayersFromJson(json);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(*read, layers);
  const auto again = LayersFromJson(ToJson(layers));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(*again, layers);
}

// Parameters by hand: dense in * out + out, convolution in * out * k * k + out.
TEST(Plan, TheSeedsShapes) {
  EXPECT_EQ(PlanOf("64,64", {784}, 10)->parameters, 50240 + 4160 + 650);
  EXPECT_EQ(PlanOf("128,128", {1, 28, 28}, 10)->parameters, 100480 + 16512 + 1290);
  EXPECT_EQ(PlanOf("conv32x3,pool2,conv64x3,pool2,dense64", {1, 28, 28}, 10)->parameters, 320 + 18496 + 102464 + 650);
  EXPECT_EQ(PlanOf("64,64", {100}, 10)->parameters, 6464 + 4160 + 650);
  EXPECT_EQ(PlanOf("512", {1000}, 10)->parameters, 512512 + 5130);
}

TEST(Plan, AddsActivationsNormalisationAndDropoutOnlyWhereUnsaid) {
  const HiddenDefaults defaults{.activation = Activation::kTanh, .dropout = 0.5, .batch_norm = true};
  EXPECT_EQ(CompleteLayers(Parse("8"), defaults, {4}, 2), Parse("8,bn,tanh,dropout0.5,2"));
  EXPECT_EQ(CompleteLayers(Parse("8,bn"), {}, {4}, 2), Parse("8,bn,relu,2"));
  EXPECT_EQ(CompleteLayers(Parse("8,gelu"), {}, {4}, 2), Parse("8,gelu,2"));
  EXPECT_EQ(CompleteLayers(Parse("conv4x3,pool2,8"), {}, {1, 9, 9}, 2), Parse("conv4x3,relu,pool2,flatten,8,relu,2"));
  EXPECT_EQ(CompleteLayers({}, {}, {1, 2, 2}, 2), Parse("flatten,2"));
}

TEST(Plan, RefusesWhatDoesNotFit) {
  const auto vanished = PlanOf("conv8x3,pool2,conv8x3,pool2,conv8x3", {1, 8, 8}, 2);
  ASSERT_FALSE(vanished.ok());
  EXPECT_EQ(vanished.error().code, Code::kInvalidArgument);
  EXPECT_EQ(vanished.error().param, "layers[5]") << vanished.error().message;
  EXPECT_FALSE(PlanOf("conv8x3", {16}, 2).ok());
  EXPECT_FALSE(PlanOf("flatten,conv8x3", {1, 8, 8}, 2).ok());
  EXPECT_FALSE(PlanOf("65536,65536,65536", {16}, 2).ok()) << "more than 2^31 parameters";
}

TEST(Layers, RefusesNonsense) {
  for (const char* text : {"0", "-5", "65537", "conv", "conv8x0", "conv8x", "pool0", "dropout1", "dropout-0.1", "dense",
                           "dense64x", "relu6", "99999999999999999999", "1e3", "conv8x3;pool2", "nan", "dropoutnan"}) {
    const auto layers = LayersFromText(text);
    ASSERT_FALSE(layers.ok()) << text;
    EXPECT_EQ(layers.error().code, Code::kInvalidArgument) << text;
    EXPECT_TRUE(layers.error().param.starts_with("layers[0]")) << layers.error().param;
  }
  std::string deep;
  for (int i = 0; i < 257; ++i) {
    deep += "1,";
  }
  EXPECT_FALSE(LayersFromText(deep).ok());
  for (const char* text : {R"({})", R"([{"type":"dense"}])", R"([{"type":"dense","units":1,"x":2}])", R"([[1]])",
                           R"([{"type":"lambda"}])", R"([1.5])", R"([null])", R"([18446744073709551615])"}) {
    EXPECT_FALSE(LayersFromJson(boost::json::parse(text)).ok()) << text;
  }
}

TEST(ModelConfig, RoundTripAndRefusals) {
  const ModelConfig config{.family = "cnn",
                           .task = "classification",
                           .input_kind = "image",
                           .input_shape = {1, 8, 8},
                           .outputs = 3,
                           .layers = CompleteLayers(Parse("conv4x3"), {}, {1, 8, 8}, 3)};
  const auto json = ToJson(config);
  const auto read = ModelConfigFromJson(json);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(read->layers, config.layers);
  EXPECT_EQ(ToJson(*read), json);
  const auto broken = [&](const char* key, boost::json::value value) {
    auto copy = json;
    copy[key] = std::move(value);
    const auto result = ModelConfigFromJson(copy);
    return !result.ok() && result.error().reason == "invalid_model_file";
  };
  EXPECT_TRUE(broken("outputs", 4));
  EXPECT_TRUE(broken("family", "mlp"));  // which has no convolution
  EXPECT_TRUE(broken("family", "lambda"));
  EXPECT_TRUE(broken("input_shape", boost::json::array{1, 2, 2}));
  EXPECT_TRUE(broken("input_shape", boost::json::array{64}));
  EXPECT_TRUE(broken("auto_map", "code.py"));
}

TEST(UsefulThreads, GrowWithTheWork) {
  ModelConfig config{.family = "mlp", .input_kind = "table", .input_shape = {1000}, .outputs = 1000};
  config.layers = CompleteLayers({}, {}, config.input_shape, config.outputs);  // 1,001,000 multiplications
  EXPECT_EQ(*UsefulThreads(config, 1, 8), 1);
  EXPECT_EQ(*UsefulThreads(config, 64, 8), 4);
  EXPECT_EQ(*UsefulThreads(config, 1024, 8), 8);
  EXPECT_EQ(*UsefulThreads(config, 1024, 0), 1);
}

TEST(Families, AreListed) {
  for (const auto& family : Families()) {
    EXPECT_EQ(FindFamily(family.name).value(), &family);
    EXPECT_NE(family.fit, nullptr) << family.name;
    EXPECT_FALSE(family.summary.empty()) << family.name;
    // Every default is within its own range.
    const std::array tables{family.settings};
    EXPECT_TRUE(ReadSettings({.tables = tables}, {}).ok()) << family.name;
  }
  EXPECT_EQ(FindFamily("none").error().reason, "unknown_family");
}

}  // namespace
}  // namespace atelier::families
