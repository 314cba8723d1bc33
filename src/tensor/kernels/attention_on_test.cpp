// The products of attention over pages in every KvFormat and on every instruction set.
#include "tensor/kernels/attention_on.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <limits>

#include "tensor/testing/noise.h"

namespace atelier::tensor {
namespace {

using testing::Noise;

// Relative to the largest of a position's numbers.
constexpr double kTolerance[kKvFormats] = {0, 1.0 / 2048, 1.0 / 256, 1.01 / 254};

struct Case {
  size_t queries;
  size_t width;
  size_t page_positions;
  size_t first;
  size_t positions;
};
constexpr Case kCases[] = {{1, 64, 16, 0, 128}, {7, 64, 16, 0, 77}, {5, 3, 7, 2, 23}, {28, 80, 16, 5, 41},
                           {3, 20, 1, 0, 9},    {2, 33, 40, 3, 30}, {4, 8, 4, 0, 4},  {6, 128, 100, 60, 90}};

// One head's keys and values of a sequence, stored by a format's kernels.
class Pages {
 public:
  Pages(const Case& shape, size_t format, const FloatKernels& kernels)
      : shape_(shape), keys_(Noise((shape.first + shape.positions) * shape.width, 2)), values_(Noise(keys_.size(), 3)) {
    const size_t count = (shape.first + shape.positions + shape.page_positions - 1) / shape.page_positions;
    size_t bytes = 0;
    EXPECT_TRUE(KvBytes(static_cast<KvFormat>(format), shape.width, shape.page_positions, bytes));
    EXPECT_EQ(bytes % 64, 0);
    for (size_t page = 0; page < 2 * count; ++page) {
      // Whatever lies behind the last position must not be read: NaN.
      memory_.emplace_back(bytes / sizeof(float), std::numeric_limits<float>::quiet_NaN());
    }
    for (size_t page = 0; page < count; ++page) {
      key_pages.push_back(reinterpret_cast<std::byte*>(memory_[page].data()));
      value_pages.push_back(reinterpret_cast<std::byte*>(memory_[count + page].data()));
    }
    for (size_t p = 0; p < shape.first + shape.positions; ++p) {
      const auto place = [&](const std::vector<const std::byte*>& pages, const std::vector<float>& numbers) {
        return KvPlace{const_cast<std::byte*>(pages[p / shape.page_positions]), shape.page_positions,
                       p % shape.page_positions, numbers.data() + p * shape.width, shape.width};
      };
      kernels.attention[format].store_keys(place(key_pages, keys_));
      kernels.attention[format].store_values(place(value_pages, values_));
    }
  }

  PageRun Run(const std::vector<const std::byte*>& pages) const {
    const size_t skipped = shape_.first / shape_.page_positions;
    return {pages.data() + skipped, shape_.page_positions, shape_.first % shape_.page_positions, shape_.positions};
  }
  double Key(size_t p, size_t k) const { return keys_[(shape_.first + p) * shape_.width + k]; }
  double Value(size_t p, size_t k) const { return values_[(shape_.first + p) * shape_.width + k]; }

  std::vector<const std::byte*> key_pages;
  std::vector<const std::byte*> value_pages;

 private:
  Case shape_;
  std::vector<float> keys_;
  std::vector<float> values_;
  std::vector<std::vector<float>> memory_;
};

TEST(Attention, ScoresAgreeWithDoubles) {
  for (const Case& shape : kCases) {
    const auto queries = Noise(shape.queries * shape.width, 1);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      for (size_t format = 0; format < kKvFormats; ++format) {
        SCOPED_TRACE(std::string(kernels->name) + " format " + std::to_string(format));
        const Pages pages(shape, format, *kernels);
        const size_t stride = shape.positions + 1;
        std::vector<float> scores(shape.queries * stride, 99);
        kernels->attention[format].score({queries.data(), shape.queries, shape.width, pages.Run(pages.key_pages),
                                          shape.width, scores.data(), stride});
        for (size_t query = 0; query < shape.queries; ++query) {
          for (size_t p = 0; p < shape.positions; ++p) {
            double expected = 0;
            double sizes = 0;
            for (size_t k = 0; k < shape.width; ++k) {
              const double number = queries[query * shape.width + k];
              expected += number * pages.Key(p, k);
              sizes += std::abs(number) * 4;  // at least the largest key
            }
            ASSERT_NEAR(scores[query * stride + p], expected, 2e-5 + sizes * kTolerance[format]);
          }
          ASSERT_EQ(scores[query * stride + shape.positions], 99);
        }
      }
    }
  }
}

TEST(Attention, WeightedValuesAgreeWithDoubles) {
  for (const Case& shape : kCases) {
    const size_t stride = shape.positions + 1;
    const auto weights = Noise(shape.queries * stride, 4);
    const auto before = Noise(shape.queries * shape.width, 5);
    for (const FloatKernels* kernels : UsableFloatKernels()) {
      for (size_t format = 0; format < kKvFormats; ++format) {
        SCOPED_TRACE(std::string(kernels->name) + " format " + std::to_string(format));
        const Pages pages(shape, format, *kernels);
        auto sums = before;
        kernels->attention[format].weigh({weights.data(), shape.queries, stride, pages.Run(pages.value_pages),
                                          shape.width, sums.data(), shape.width});
        for (size_t query = 0; query < shape.queries; ++query) {
          for (size_t k = 0; k < shape.width; ++k) {
            double expected = before[query * shape.width + k];
            double sizes = 0;
            for (size_t p = 0; p < shape.positions; ++p) {
              expected += weights[query * stride + p] * pages.Value(p, k);
              sizes += std::abs(weights[query * stride + p]) * 4;
            }
            ASSERT_NEAR(sums[query * shape.width + k], expected, 2e-5 + sizes * kTolerance[format]);
          }
        }
      }
    }
  }
}

// What a row gets must not depend on which others are computed with it, nor on where its positions are cut.
TEST(Attention, AQueryIsTheSameBitsInEveryBlock) {
  const Case shape{7, 40, 16, 3, 90};
  const auto queries = Noise(shape.queries * shape.width, 1);
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    for (size_t format = 0; format < kKvFormats; ++format) {
      SCOPED_TRACE(std::string(kernels->name) + " format " + std::to_string(format));
      const KvKernels& attention = kernels->attention[format];
      const Pages pages(shape, format, *kernels);
      std::vector<float> scores(shape.queries * shape.positions);
      std::vector<float> sums(shape.queries * shape.width);
      const PageRun keys = pages.Run(pages.key_pages);
      const PageRun values = pages.Run(pages.value_pages);
      attention.score({queries.data(), shape.queries, shape.width, keys, shape.width, scores.data(), shape.positions});
      attention.weigh({scores.data(), shape.queries, shape.positions, values, shape.width, sums.data(), shape.width});
      for (size_t query = 0; query < shape.queries; ++query) {
        std::vector<float> own(shape.positions);
        std::vector<float> sum(shape.width);
        const float* row = queries.data() + query * shape.width;
        for (const auto& [first, count] : {std::pair<size_t, size_t>{0, 37}, {37, 53}}) {
          PageRun some = keys;
          some.pages += (keys.first + first) / 16;
          some.first = (keys.first + first) % 16;
          some.positions = count;
          attention.score({row, 1, shape.width, some, shape.width, own.data() + first, shape.positions});
          some.pages = values.pages + (some.pages - keys.pages);
          attention.weigh({own.data() + first, 1, shape.positions, some, shape.width, sum.data(), shape.width});
        }
        EXPECT_EQ(std::memcmp(own.data(), scores.data() + query * own.size(), own.size() * sizeof(float)), 0);
        EXPECT_EQ(std::memcmp(sum.data(), sums.data() + query * sum.size(), sum.size() * sizeof(float)), 0);
      }
    }
  }
}

TEST(Attention, StoresNumbersThatAreTooLargeOrNoNumbers) {
  constexpr float kInfinity = std::numeric_limits<float>::infinity();
  const float one = 1;
  for (const FloatKernels* kernels : UsableFloatKernels()) {
    for (size_t format = 0; format < kKvFormats; ++format) {
      SCOPED_TRACE(std::string(kernels->name) + " format " + std::to_string(format));
      const auto through = [&](float number) {
        alignas(64) std::byte memory[64]{};
        const std::byte* page = memory;
        kernels->attention[format].store_keys({memory, 1, 0, &number, 1});
        float score = 0;
        kernels->attention[format].score({&one, 1, 1, {&page, 1, 0, 1}, 1, &score, 1});
        return score;
      };
      EXPECT_TRUE(std::isnan(through(std::numeric_limits<float>::quiet_NaN())));
      EXPECT_EQ(through(0), 0);
      EXPECT_EQ(through(-3), -3);
      EXPECT_NEAR(through(1e-33F), 0, 2e-33);
      const auto kind = static_cast<KvFormat>(format);
      EXPECT_NEAR(through(1e6), kind == KvFormat::kF16 ? 65504 : 1e6, 1e4);
      EXPECT_EQ(std::isfinite(through(-kInfinity)), kind == KvFormat::kF16);
    }
  }
}

}  // namespace
}  // namespace atelier::tensor
