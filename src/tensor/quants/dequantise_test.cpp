#include <gmock/gmock.h>

#include <bit>
#include <boost/json.hpp>
#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>
#include <sstream>

#include "base/testing/shared_data.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/half.h"
#include "tensor/quants/quants.h"

namespace atelier::tensor {
namespace {

std::string ReadFile(const std::filesystem::path& file) {
  std::ostringstream text;
  text << std::ifstream(file, std::ios::binary).rdbuf();
  return text.str();
}

uint32_t Bits(float value) { return std::bit_cast<uint32_t>(value); }

// Recorded from llama.cpp: each supported format, bit for bit.
TEST(DequantiseTest, EqualsTheReferenceInEveryBit) {
  const auto folder = SharedData() / "golden" / "llm" / "dequant";
  if (!std::filesystem::is_directory(folder)) {
    GTEST_SKIP() << "no shared data";
  }
  const auto index = boost::json::parse(ReadFile(folder / "index.json"));
  const std::string raw = ReadFile(folder / "raw.bin");
  const std::string floats = ReadFile(folder / "f32.bin");
  const auto count = static_cast<size_t>(index.at("rows").as_int64() * index.at("cols").as_int64());
  size_t compared = 0;
  for (const auto& entry : index.at("entries").as_array()) {
    const auto number = [&](const char* key) { return static_cast<size_t>(entry.at(key).as_int64()); };
    const auto* format = FindFormat(static_cast<uint32_t>(number("ggml_type_id")));
    ASSERT_NE(format, nullptr) << entry;
    EXPECT_EQ(FindFormat(std::string_view(entry.at("type").as_string())), format);
    EXPECT_EQ(format->weights, number("block_size"));
    EXPECT_EQ(format->bytes, number("block_bytes"));
    if (!format->supported) {
      continue;
    }
    std::vector<float> weights(count);
    const auto bytes = std::as_bytes(std::span(raw)).subspan(number("raw_offset"), number("raw_bytes"));
    ASSERT_TRUE(Dequantise(static_cast<GgmlType>(format->id), bytes, weights).ok()) << format->name;
    std::vector<float> expected(count);
    std::memcpy(expected.data(), floats.data() + number("f32_offset"), 4 * count);
    size_t different = 0;
    for (size_t i = 0; i < count; ++i) {
      different += Bits(weights[i]) != Bits(expected[i]) ? 1 : 0;
    }
    EXPECT_EQ(different, 0U) << format->name;
    ++compared;
  }
  EXPECT_EQ(compared, 14U);
}

TEST(DequantiseTest, RefusesSizesThatDoNotFit) {
  std::vector<std::byte> bytes(18);
  std::vector<float> weights(33);
  EXPECT_TRUE(Dequantise(GgmlType::kQ4_0, bytes, std::span(weights).first(32)).ok());
  EXPECT_TRUE(Dequantise(GgmlType::kQ4_0, {}, {}).ok());
  EXPECT_FALSE(Dequantise(GgmlType::kQ4_0, bytes, weights).ok());
  EXPECT_FALSE(Dequantise(GgmlType::kQ4_0, bytes, std::span(weights).first(16)).ok());
  EXPECT_FALSE(Dequantise(GgmlType::kQ4_0, std::span(bytes).first(17), std::span(weights).first(32)).ok());
  EXPECT_FALSE(Dequantise(GgmlType::kQ4_0, bytes, {}).ok());
}

TEST(FormatsTest, CountsBytesWithoutOverflow) {
  const BlockFormat& format = FormatOf(GgmlType::kQ2_K);
  EXPECT_EQ(BytesOf(format, 512), 168U);
  EXPECT_EQ(BytesOf(format, 0), 0U);
  EXPECT_EQ(BytesOf(format, 255), std::nullopt);
  EXPECT_EQ(BytesOf(FormatOf(GgmlType::kF32), uint64_t{1} << 61), std::nullopt);
  EXPECT_EQ(BytesOf(FormatOf(GgmlType::kF32), uint64_t{1} << 63), std::nullopt);
  EXPECT_EQ(FindFormat("q4_k")->id, 12U);
  EXPECT_EQ(FindFormat(4U), nullptr);  // deprecated
  EXPECT_EQ(FindFormat("q9"), nullptr);
}

// What the bits of a half mean, by the standard's definition.
double Meaning(uint16_t half) {
  const int exponent = (half >> 10) & 31;
  const int mantissa = half & 1023;
  const double magnitude = exponent == 0 ? std::ldexp(mantissa, -24) : std::ldexp(1024 + mantissa, exponent - 25);
  return (half & 0x8000) != 0 ? -magnitude : magnitude;
}

TEST(HalfTest, EveryHalfIsExactAndComesBack) {
  for (uint32_t i = 0; i <= 0xFFFF; ++i) {
    const auto half = static_cast<uint16_t>(i);
    const float value = HalfToFloat(half);
    if ((half & 0x7C00) != 0x7C00) {
      ASSERT_EQ(static_cast<double>(value), Meaning(half)) << i;
      ASSERT_EQ(std::signbit(value), (half & 0x8000) != 0) << i;
    } else if ((half & 0x03FF) == 0) {
      ASSERT_TRUE(std::isinf(value)) << i;
    } else {
      ASSERT_TRUE(std::isnan(value)) << i;
      ASSERT_EQ(FloatToHalf(value), half | 0x0200) << i;
      continue;
    }
    ASSERT_EQ(FloatToHalf(value), half) << i;
  }
}

// Between two neighbours: below the middle down, above it up, the middle itself to the even one.
TEST(HalfTest, RoundsToNearestEven) {
  for (uint32_t i = 0; i < 0x7BFF; ++i) {
    const double middle = (Meaning(static_cast<uint16_t>(i)) + Meaning(static_cast<uint16_t>(i + 1))) / 2;
    const auto exact = static_cast<float>(middle);
    ASSERT_EQ(static_cast<double>(exact), middle);
    ASSERT_EQ(FloatToHalf(exact), i % 2 == 0 ? i : i + 1);
    ASSERT_EQ(FloatToHalf(std::nextafter(exact, 0.0F)), i);
    ASSERT_EQ(FloatToHalf(std::nextafter(exact, 1e9F)), i + 1);
    ASSERT_EQ(FloatToHalf(-exact), (i % 2 == 0 ? i : i + 1) | 0x8000);
  }
  EXPECT_EQ(FloatToHalf(65519.99F), 0x7BFF);
  EXPECT_EQ(FloatToHalf(65520.0F), 0x7C00);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::max()), 0x7C00);
  EXPECT_EQ(FloatToHalf(-std::numeric_limits<float>::infinity()), 0xFC00);
  EXPECT_EQ(FloatToHalf(std::numeric_limits<float>::denorm_min()), 0);
}

TEST(HalfTest, Bfloat16RoundsToNearestEven) {
  for (uint32_t i = 0; i < 0x7F80; ++i) {
    const auto bits = static_cast<uint16_t>(i);
    ASSERT_EQ(FloatToBfloat16(Bfloat16ToFloat(bits)), bits);
    ASSERT_EQ(FloatToBfloat16(std::bit_cast<float>((i << 16) | 0x7FFFU)), i);
    ASSERT_EQ(FloatToBfloat16(std::bit_cast<float>((i << 16) | 0x8000U)), i + i % 2);
    ASSERT_EQ(FloatToBfloat16(std::bit_cast<float>((i << 16) | 0x8001U)), i + 1);
  }
  EXPECT_TRUE(std::isnan(Bfloat16ToFloat(FloatToBfloat16(std::bit_cast<float>(0x7F800001U)))));
  EXPECT_TRUE(std::isinf(Bfloat16ToFloat(FloatToBfloat16(std::numeric_limits<float>::max()))));
}

}  // namespace
}  // namespace atelier::tensor
