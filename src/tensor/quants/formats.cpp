#include "tensor/quants/formats.h"

#include <algorithm>
#include <array>
#include <cstdlib>
#include <limits>

namespace atelier::tensor {
namespace {

constexpr std::array kFormats = std::to_array<BlockFormat>({
    {0, "F32", 1, 4, true},         {1, "F16", 1, 2, true},          {2, "Q4_0", 32, 18, true},
    {3, "Q4_1", 32, 20, true},      {6, "Q5_0", 32, 22, true},       {7, "Q5_1", 32, 24, true},
    {8, "Q8_0", 32, 34, true},      {9, "Q8_1", 32, 36, false},      {10, "Q2_K", 256, 84, true},
    {11, "Q3_K", 256, 110, true},   {12, "Q4_K", 256, 144, true},    {13, "Q5_K", 256, 176, true},
    {14, "Q6_K", 256, 210, true},   {15, "Q8_K", 256, 292, false},   {16, "IQ2_XXS", 256, 66, false},
    {17, "IQ2_XS", 256, 74, false}, {18, "IQ3_XXS", 256, 98, false}, {19, "IQ1_S", 256, 50, false},
    {20, "IQ4_NL", 32, 18, true},   {21, "IQ3_S", 256, 110, false},  {22, "IQ2_S", 256, 82, false},
    {23, "IQ4_XS", 256, 136, true}, {24, "I8", 1, 1, false},         {25, "I16", 1, 2, false},
    {26, "I32", 1, 4, false},       {27, "I64", 1, 8, false},        {28, "F64", 1, 8, false},
    {29, "IQ1_M", 256, 56, false},  {30, "BF16", 1, 2, true},        {34, "TQ1_0", 256, 54, false},
    {35, "TQ2_0", 256, 66, false},  {39, "MXFP4", 32, 17, false},    {40, "NVFP4", 64, 36, false},
    {41, "Q1_0", 128, 18, false},   {42, "Q2_0", 64, 18, false},
});

constexpr size_t kMaxDimensions = 4;

bool SameWord(std::string_view a, std::string_view b) {
  const auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
  return std::ranges::equal(a, b, {}, lower, lower);
}

}  // namespace

std::span<const BlockFormat> BlockFormats() { return kFormats; }

const BlockFormat* FindFormat(uint32_t id) {
  const auto found = std::ranges::find(kFormats, id, &BlockFormat::id);
  return found == kFormats.end() ? nullptr : &*found;
}

const BlockFormat* FindFormat(std::string_view name) {
  const auto found = std::ranges::find_if(kFormats, [&](const BlockFormat& row) { return SameWord(row.name, name); });
  return found == kFormats.end() ? nullptr : &*found;
}

const BlockFormat& FormatOf(GgmlType type) {
  const BlockFormat* format = FindFormat(static_cast<uint32_t>(type));
  if (format == nullptr || !format->supported) {
    std::abort();  // no GgmlType: our own mistake
  }
  return *format;
}

std::optional<uint64_t> BytesOf(const BlockFormat& format, uint64_t count) {
  uint64_t bytes = 0;
  if (count % format.weights != 0 || __builtin_mul_overflow(count / format.weights, uint64_t{format.bytes}, &bytes) ||
      bytes > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
    return std::nullopt;
  }
  return bytes;
}

std::optional<uint64_t> BytesOfShape(const BlockFormat& format, std::span<const int64_t> shape) {
  if (shape.empty() || shape.size() > kMaxDimensions || shape.back() % format.weights != 0) {
    return std::nullopt;
  }
  uint64_t weights = 1;
  for (const int64_t dimension : shape) {
    if (dimension <= 0 || __builtin_mul_overflow(weights, static_cast<uint64_t>(dimension), &weights)) {
      return std::nullopt;
    }
  }
  return BytesOf(format, weights);
}

}  // namespace atelier::tensor
