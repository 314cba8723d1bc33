#include "families/sequential/network.h"

#include <gtest/gtest.h>

#include <fstream>

#include "families/sequential/relu_pool.h"
#include "families/testing/tiny_data.h"

namespace atelier::families {
namespace {

ModelConfig Config(const std::string& layers, const std::vector<int64_t>& shape, int64_t outputs) {
  return {.family = shape.size() == 3 ? "cnn" : "mlp",
          .task = "classification",
          .input_kind = shape.size() == 3 ? "image" : "table",
          .input_shape = shape,
          .outputs = outputs,
          .layers = CompleteLayers(*LayersFromText(layers), {}, shape, outputs)};
}

std::string Bytes(const Network& network) {
  std::string bytes;
  EXPECT_TRUE(WriteTensors(StateOf(network), [&](std::span<const std::byte> part) -> Status {
                bytes.append(reinterpret_cast<const char*>(part.data()), part.size());
                return {};
              }).ok());
  return bytes;
}

TEST(Network, ComputesWhatTheLayersSay) {
  auto network = BuildNetwork(Config("3", {2}, 2), 1).value();
  const auto state = StateOf(*network);
  ASSERT_EQ(state.size(), 4U);
  const auto w0 = state.at("layers.0.weight");
  const auto b0 = state.at("layers.0.bias");
  const auto w2 = state.at("layers.2.weight");
  const auto b2 = state.at("layers.2.bias");
  const float x[2] = {0.5F, -1.25F};
  const auto out = network->Forward(torch::tensor({{x[0], x[1]}}));
  for (int64_t o = 0; o < 2; ++o) {
    float sum = b2[o].item<float>();
    for (int64_t h = 0; h < 3; ++h) {
      const float hidden = b0[h].item<float>() + w0[h][0].item<float>() * x[0] + w0[h][1].item<float>() * x[1];
      sum += w2[o][h].item<float>() * std::max(hidden, 0.0F);
    }
    EXPECT_NEAR(out[0][o].item<float>(), sum, 1e-6);
  }
}

// Every shape that the seeds of the project give runs as written.
TEST(Network, TheSeedsShapesRun) {
  const std::pair<std::string, std::vector<int64_t>> shapes[] = {
      {"64,64", {784}}, {"128,128", {784}}, {"conv32x3,pool2,conv64x3,pool2,dense64", {1, 28, 28}},
      {"64,64", {100}}, {"512", {1000}},    {"conv4x3,bn,gelu,avgpool2,dropout0.5,8,bn,tanh", {3, 9, 9}}};
  for (const auto& [layers, shape] : shapes) {
    auto network = BuildNetwork(Config(layers, shape, 10), 1).value();
    auto batch = shape;
    batch.insert(batch.begin(), 3);
    EXPECT_EQ(network->Forward(torch::rand(batch)).sizes(), (std::vector<int64_t>{3, 10})) << layers;
    int64_t parameters = 0;
    for (const auto& parameter : network->parameters()) {
      parameters += parameter.numel();
    }
    EXPECT_EQ(parameters, MakePlan(Config(layers, shape, 10))->parameters) << layers;
  }
}

// The reference is LibTorch's own relu and pooling; equal values and odd sizes are among the inputs.
TEST(Network, ReluPoolEqualsReluThenPool) {
  torch::manual_seed(9);
  for (const auto& shape : {std::vector<int64_t>{3, 5, 8, 6}, {2, 1, 7, 5}, {1, 33, 2, 3}}) {
    const auto values = torch::randint(-3, 4, shape, torch::kFloat32);
    auto ours = values.clone().requires_grad_();
    auto theirs = values.clone().requires_grad_();
    const auto pooled = ReluMaxPool2(ours);
    const auto expected = torch::max_pool2d(torch::relu(theirs), 2);
    EXPECT_TRUE(torch::equal(pooled, expected));
    const auto gradient = torch::rand(expected.sizes());
    pooled.backward(gradient);
    expected.backward(gradient);
    EXPECT_TRUE(torch::equal(ours.grad(), theirs.grad()));
  }
  EXPECT_TRUE(std::isnan(ReluMaxPool2(torch::full({1, 1, 2, 2}, NAN)).item<float>()));
}

TEST(Network, TheSeedAloneGivesTheWeights) {
  const auto config = Config("conv4x3,pool2,8", {1, 8, 8}, 3);
  const auto first = Bytes(*BuildNetwork(config, 7).value());
  torch::rand({5});
  EXPECT_EQ(first, Bytes(*BuildNetwork(config, 7).value()));
  EXPECT_NE(first, Bytes(*BuildNetwork(config, 8).value()));
}

TEST(Network, WeightsSurviveTheFile) {
  const testing::TemporaryFolder folder;
  const auto config = Config("conv4x3,bn,pool2,8", {1, 8, 8}, 3);
  auto network = BuildNetwork(config, 7).value();
  network->Forward(torch::rand({4, 1, 8, 8}));  // moves the running statistics
  const auto file = folder.path() / "model.safetensors";
  const auto bytes = Bytes(*network);
  std::ofstream(file, std::ios::binary) << bytes;
  auto other = BuildNetwork(config, 8).value();
  const auto status = LoadWeights(*other, file);
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(Bytes(*other), bytes);
}

TEST(Network, RefusesWeightsThatAreNotItsOwn) {
  auto network = BuildNetwork(Config("3", {2}, 2), 1).value();
  const auto before = Bytes(*network);
  const auto refuses = [&](const std::function<void(std::map<std::string, torch::Tensor>&)>& change) {
    auto state = StateOf(*network);
    change(state);
    const auto status = SetState(*network, state);
    return !status.ok() && status.error().reason == "invalid_model_file" && Bytes(*network) == before;
  };
  EXPECT_TRUE(refuses([](auto& s) { s.erase("layers.0.bias"); }));
  EXPECT_TRUE(refuses([](auto& s) { s["layers.9.bias"] = torch::zeros({1}); }));
  EXPECT_TRUE(refuses([](auto& s) { s["layers.0.bias"] = torch::zeros({4}); }));
  EXPECT_TRUE(refuses([](auto& s) { s["layers.0.bias"] = torch::zeros({3}, torch::kFloat64); }));
  EXPECT_TRUE(refuses([](auto& s) { s["layers.0.bias"] = torch::full({3}, NAN); }));
}

}  // namespace
}  // namespace atelier::families
