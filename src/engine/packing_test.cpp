#include "engine/packing.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <thread>
#include <vector>

#include "tensor/packed/packed_kernels.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

constexpr size_t kRows = 40;
constexpr size_t kColumns = 256;

class Packing : public ::testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("packing-test-" + std::to_string(getpid()));
    std::filesystem::create_directories(folder_);
    Fill(1);
  }
  void TearDown() override { std::filesystem::remove_all(folder_); }

  void Fill(float scale) {
    std::vector<float> values(kRows * kColumns);
    for (size_t i = 0; i < values.size(); ++i) {
      values[i] = scale * static_cast<float>(i * 37 % 101) - 50;
    }
    Matrix& head = weights_.head.weight;
    head = {"output.weight", tensor::GgmlType::kQ4_0, kRows, kColumns, kColumns / 32 * 18, {}};
    file_.resize(kRows * head.row_bytes);
    ASSERT_TRUE(tensor::Quantise(head.type, values, file_).ok());
    head.bytes = file_;
  }
  std::vector<std::byte> Pack(const std::filesystem::path& cache) {
    auto packed = PackedWeights::Make(weights_, threads_, {true, cache});
    EXPECT_TRUE(packed.ok());
    const size_t panel_rows = tensor::BestPackedKernels().panel_rows;
    const size_t bytes = (kRows + panel_rows - 1) / panel_rows *
                         tensor::FindPackedFormat(tensor::GgmlType::kQ4_0)->panel_bytes(panel_rows, kColumns);
    const std::byte* panels = weights_.head.weight.panels;
    std::vector<std::byte> copy(panels, panels + bytes);
    for (int i = 0; i < 500 && cache.parent_path() == folder_ && !std::filesystem::exists(cache); ++i) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return copy;
  }

  std::filesystem::path folder_;
  std::vector<std::byte> file_;
  Weights weights_;
  ThreadPool threads_{2};
};

TEST_F(Packing, FindsWhatWasPackedBefore) {
  const auto cache = folder_ / "packed";
  const auto expected = Pack({});
  EXPECT_EQ(Pack(cache), expected);
  ASSERT_TRUE(std::filesystem::exists(cache));
  {
    std::fstream file(cache, std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(4096);
    file.put(static_cast<char>(~static_cast<unsigned char>(expected[0])));
  }
  auto marked = expected;
  marked[0] = ~marked[0];
  EXPECT_EQ(Pack(cache), marked) << "it is read, not packed again";
}

TEST_F(Packing, OtherWeightsArePackedAnew) {
  const auto cache = folder_ / "packed";
  Pack(cache);
  Fill(2);
  const auto expected = Pack({});
  EXPECT_EQ(Pack(cache), expected);
}

TEST_F(Packing, WithoutAPlaceForTheCacheAllIsWell) {
  const auto expected = Pack({});
  EXPECT_EQ(Pack("/proc/packed"), expected);
}

}  // namespace
}  // namespace atelier::engine
