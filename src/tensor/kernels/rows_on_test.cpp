// What happens to rows between products, on every instruction set.
#include "tensor/kernels/rows_on.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <limits>
#include <numbers>

#include "tensor/testing/noise.h"

namespace atelier::tensor {
namespace {

using testing::Noise;

constexpr size_t kWidths[] = {1, 5, 8, 15, 16, 17, 64, 300};

TEST(Rows, NormsAgreeWithDoubles) {
  for (const size_t width : kWidths) {
    const auto from = Noise(width, 1);
    const auto added = Noise(width, 2);
    const auto weight = Noise(width, 3);
    const auto bias = Noise(width, 4);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      for (int kind = 0; kind < 8; ++kind) {
        const bool centred = (kind & 1) != 0;
        const bool biased = (kind & 2) != 0;
        const bool adds = (kind & 4) != 0;
        std::vector<float> sum(width);
        std::vector<float> to(width);
        kernels->normalise({from.data(), adds ? added.data() : nullptr, adds ? sum.data() : nullptr, weight.data(),
                            biased ? bias.data() : nullptr, width, 1e-5, centred, to.data()});
        const auto at = [&](size_t i) { return static_cast<double>(from[i]) + (adds ? added[i] : 0); };
        double mean = 0;
        for (size_t i = 0; i < width && centred; ++i) {
          mean += at(i) / static_cast<double>(width);
        }
        double squares = 0;
        for (size_t i = 0; i < width; ++i) {
          squares += (at(i) - mean) * (at(i) - mean) / static_cast<double>(width);
        }
        for (size_t i = 0; i < width; ++i) {
          const double expected = (at(i) - mean) / std::sqrt(squares + 1e-5) * weight[i] + (biased ? bias[i] : 0);
          ASSERT_NEAR(to[i], expected, 5e-6) << kernels->name << ' ' << width << ' ' << kind;
          ASSERT_EQ(sum[i], adds ? from[i] + added[i] : 0);
        }
      }
    }
  }
}

TEST(Rows, TurnsAgreeWithDoubles) {
  for (const size_t pairs : {1U, 3U, 8U, 20U, 32U}) {
    const size_t dimensions = 2 * pairs;
    const auto heads = Noise(3 * 70, 1);
    const auto angles = Noise(pairs, 2);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      for (const bool neighbours : {false, true}) {
        std::vector<float> cosines(dimensions);
        std::vector<float> sines(dimensions);
        auto turned = heads;
        const auto first = [&](size_t pair) { return neighbours ? 2 * pair : pair; };
        const auto second = [&](size_t pair) { return neighbours ? 2 * pair + 1 : pair + pairs; };
        for (size_t pair = 0; pair < pairs; ++pair) {
          cosines[first(pair)] = cosines[second(pair)] = std::cos(angles[pair]);
          sines[second(pair)] = std::sin(angles[pair]);
          sines[first(pair)] = -sines[second(pair)];
        }
        kernels->turn({turned.data(), 3, 70, cosines.data(), sines.data(), dimensions, neighbours});
        for (size_t head = 0; head < 3; ++head) {
          const float* before = heads.data() + head * 70;
          const float* after = turned.data() + head * 70;
          for (size_t pair = 0; pair < pairs; ++pair) {
            const double a = before[first(pair)];
            const double b = before[second(pair)];
            const double angle = angles[pair];
            ASSERT_NEAR(after[first(pair)], a * std::cos(angle) - b * std::sin(angle), 1e-6) << kernels->name;
            ASSERT_NEAR(after[second(pair)], a * std::sin(angle) + b * std::cos(angle), 1e-6) << kernels->name;
          }
          for (size_t i = dimensions; i < 70; ++i) {
            ASSERT_EQ(after[i], before[i]);
          }
        }
      }
    }
  }
}

TEST(Rows, MixAddsShares) {
  for (const size_t width : kWidths) {
    const auto to = Noise(width, 1);
    const auto from = Noise(width, 2);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      auto mixed = to;
      kernels->mix(mixed.data(), 0.25F, from.data(), 3, width);
      auto sum = to;
      kernels->mix(sum.data(), 1, from.data(), 1, width);
      for (size_t i = 0; i < width; ++i) {
        ASSERT_NEAR(mixed[i], 0.25 * to[i] + 3.0 * from[i], 1e-6) << kernels->name;
        ASSERT_EQ(sum[i], to[i] + from[i]) << kernels->name;
      }
    }
  }
}

std::vector<float> Line(float from, float to, float step) {
  std::vector<float> values;
  for (float x = from; x <= to; x += step) {
    values.push_back(x);
  }
  return values;
}

TEST(Exponentials, SoftenIsTheExponentialOfTheLibrary) {
  for (const size_t count : kWidths) {
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      const auto scores = Noise(count, 7);
      auto softened = scores;
      for (float& score : softened) {
        score *= 9;
      }
      const auto scaled = softened;
      const Softened result = kernels->soften(softened.data(), count);
      double sum = 0;
      for (size_t i = 0; i < count; ++i) {
        EXPECT_LE(scaled[i], result.largest);
        const double expected = std::exp(static_cast<double>(scaled[i] - result.largest));  // the difference rounds
        EXPECT_NEAR(softened[i], expected, 3e-7 * expected + 2e-38) << kernels->name;
        sum += expected;
      }
      EXPECT_NEAR(result.sum, sum, 1e-6 * sum) << kernels->name;
    }
  }
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    for (const size_t at : {0, 9, 20}) {
      std::vector<float> scores(21, 1.0F);
      scores[at] = std::numeric_limits<float>::quiet_NaN();
      EXPECT_TRUE(std::isnan(kernels->soften(scores.data(), scores.size()).sum)) << kernels->name;
    }
  }
}

using Function = std::function<double(double)>;

void ExpectActivation(void (*act)(float*, const float*, size_t), const Function& expected, double relative) {
  const auto values = Line(-90, 88, 0.37F);
  const auto up = Noise(values.size(), 3);
  auto plain = values;
  act(plain.data(), nullptr, plain.size());
  auto gated = values;
  act(gated.data(), up.data(), gated.size());
  for (size_t i = 0; i < values.size(); ++i) {
    const double wanted = expected(values[i]);
    ASSERT_NEAR(plain[i], wanted, relative * std::abs(wanted) + 2e-36) << values[i];
    ASSERT_NEAR(gated[i], wanted * up[i], 2 * relative * std::abs(wanted * up[i]) + 2e-35) << values[i];
  }
}

TEST(Exponentials, ActivationsAgreeWithDoubles) {
  const Function silu = [](double x) { return x / (1 + std::exp(-x)); };
  // 1 + tanh(y) = 2 / (1 + exp(-2 y)) loses nothing where tanh is near -1.
  const Function gelu = [](double x) {
    return x / (1 + std::exp(-2 * std::sqrt(2 / std::numbers::pi) * (x + 0.044715 * x * x * x)));
  };
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    SCOPED_TRACE(kernels->name);
    ExpectActivation(kernels->silu, silu, 5e-7);
    ExpectActivation(kernels->gelu, gelu, 2e-5);
    ExpectActivation(
        kernels->relu, [](double x) { return x > 0 ? x : 0; }, 1e-7);
  }
}

TEST(Exponentials, SoftCapsAgreeWithDoubles) {
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    for (const float cap : {1.0F, 30.0F}) {
      const auto values = Line(-200, 200, 0.31F);
      auto capped = values;
      kernels->soft_cap(capped.data(), cap, capped.size());
      for (size_t i = 0; i < values.size(); ++i) {
        ASSERT_NEAR(capped[i], cap * std::tanh(static_cast<double>(values[i]) / cap), 3e-7 * cap) << kernels->name;
      }
    }
  }
}

}  // namespace
}  // namespace atelier::tensor
