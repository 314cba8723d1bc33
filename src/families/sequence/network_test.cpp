#include "families/sequence/network.h"

#include <gtest/gtest.h>

namespace atelier::families {
namespace {

SequenceConfig Config(const std::string& family, const std::string& pooling) {
  return {.family = family,
          .task = "classification",
          .input = "text",
          .vocabulary = 20,
          .features = 1,
          .outputs = 3,
          .embedding = 8,
          .hidden = 6,
          .layers = 2,
          .bidirectional = family != "rnn",
          .pooling = pooling,
          .widths = {2, 3}};
}

const std::vector<int32_t> kShort{3, 4};
const std::vector<int32_t> kLong{5, 6, 7, 8, 9};

Sequence Of(const std::vector<int32_t>& ids) { return {.ids = ids, .length = std::ssize(ids)}; }

class Networks : public ::testing::TestWithParam<std::pair<std::string, std::string>> {};

// What else is in a batch, and so how much is padded, changes nothing; the order of words does, but in a bag.
TEST_P(Networks, ATextsAnswerIsItsOwn) {
  const auto& [family, pooling] = GetParam();
  const auto config = Config(family, pooling);
  SequenceNetwork network(config, 5);
  network.eval();
  const torch::NoGradGuard no_grad;
  const std::vector<Sequence> both{Of(kLong), Of(kShort)};
  const std::vector<Sequence> alone{Of(kShort)};
  const auto together = network.Forward(MakeBatch(config, both));
  const auto single = network.Forward(MakeBatch(config, alone));
  EXPECT_EQ(together.sizes(), (std::vector<int64_t>{2, 3}));
  EXPECT_TRUE(torch::allclose(together[1], single[0], 1e-5, 1e-6));
  const std::vector<int32_t> turned(kLong.rbegin(), kLong.rend());
  const std::vector<Sequence> other{Of(turned)};
  EXPECT_EQ(torch::allclose(network.Forward(MakeBatch(config, other))[0], together[0], 1e-5, 1e-6),
            family == "textbag");
}

INSTANTIATE_TEST_SUITE_P(Families, Networks,
                         ::testing::Values(std::pair("lstm", "max"), std::pair("lstm", "last"),
                                           std::pair("gru", "mean"), std::pair("rnn", "last"),
                                           std::pair("textcnn", "max"), std::pair("textbag", "mean")));

TEST(Forecasts, AnUntrainedForecastIsNearTheLastValue) {
  auto config = Config("lstm", "last");
  config.input = "series";
  config.task = "forecasting";
  config.outputs = 2;
  config.context = 3;
  SequenceNetwork network(config, 1);
  network.eval();
  const torch::NoGradGuard no_grad;
  const std::vector<float> seen{10, 20, 30};
  const std::vector<Sequence> batch{{.values = seen, .length = 3}};
  const auto forecast = network.Forward(MakeBatch(config, batch));
  EXPECT_NEAR(forecast[0][0].item<float>(), 30, 0.2);
  EXPECT_NEAR(forecast[0][1].item<float>(), 30, 0.2);
}

}  // namespace
}  // namespace atelier::families
