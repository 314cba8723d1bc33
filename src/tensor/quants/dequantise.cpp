#include <cstring>
#include <string>

#include "tensor/quants/blocks.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::tensor {
namespace {

int Low(uint8_t byte) { return byte & 15; }
int High(uint8_t byte) { return byte >> 4; }
int TwoBits(uint8_t byte, size_t place) { return (byte >> (2 * place)) & 3; }
int Bit(uint8_t byte, size_t place) { return (byte >> place) & 1; }
int FifthBit(const Bytes<4>& high, size_t i) { return ((high[i / 8] >> (i % 8)) & 1) << 4; }

void Decode(const Q4_0Block& block, float* out) {
  const float scale = block.scale.value();
  for (size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(Low(block.q[i]) - 8) * scale;
    out[i + 16] = static_cast<float>(High(block.q[i]) - 8) * scale;
  }
}

void Decode(const Q4_1Block& block, float* out) {
  const float scale = block.scale.value();
  const float offset = block.offset.value();
  for (size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(Low(block.q[i])) * scale + offset;
    out[i + 16] = static_cast<float>(High(block.q[i])) * scale + offset;
  }
}

void Decode(const Q5_0Block& block, float* out) {
  const float scale = block.scale.value();
  for (size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>((Low(block.q[i]) | FifthBit(block.high, i)) - 16) * scale;
    out[i + 16] = static_cast<float>((High(block.q[i]) | FifthBit(block.high, i + 16)) - 16) * scale;
  }
}

void Decode(const Q5_1Block& block, float* out) {
  const float scale = block.scale.value();
  const float offset = block.offset.value();
  for (size_t i = 0; i < 16; ++i) {
    out[i] = static_cast<float>(Low(block.q[i]) | FifthBit(block.high, i)) * scale + offset;
    out[i + 16] = static_cast<float>(High(block.q[i]) | FifthBit(block.high, i + 16)) * scale + offset;
  }
}

void Decode(const Q8_0Block& block, float* out) {
  const float scale = block.scale.value();
  for (size_t i = 0; i < 32; ++i) {
    out[i] = static_cast<float>(static_cast<int8_t>(block.q[i])) * scale;
  }
}

// 32 weights of 16 bytes.
void DecodeIq4(float scale, const uint8_t* q, float* out) {
  for (size_t i = 0; i < 16; ++i) {
    out[i] = scale * static_cast<float>(kIq4Values[q[i] & 15]);
    out[i + 16] = scale * static_cast<float>(kIq4Values[q[i] >> 4]);
  }
}

void Decode(const Iq4NlBlock& block, float* out) { DecodeIq4(block.scale.value(), block.q.data(), out); }

void Decode(const Iq4XsBlock& block, float* out) {
  const float scale = block.scale.value();
  for (size_t sub = 0; sub < 8; ++sub) {
    const int low = (block.scales_low[sub / 2] >> (4 * (sub % 2))) & 15;
    const int high = TwoBits(block.scales_high[sub / 4], sub % 4) << 4;
    DecodeIq4(scale * static_cast<float>((low | high) - 32), block.q.data() + 16 * sub, out + 32 * sub);
  }
}

void Decode(const Q2KBlock& block, float* out) {
  const float scale = block.scale.value();
  const float minimum = block.minimum.value();
  for (size_t sub = 0; sub < 16; ++sub) {
    const float sub_scale = scale * static_cast<float>(Low(block.scales[sub]));
    const float sub_minimum = minimum * static_cast<float>(High(block.scales[sub]));
    const uint8_t* q = block.q.data() + 32 * (sub / 8) + 16 * (sub % 2);
    const size_t place = sub / 2 % 4;
    for (size_t i = 0; i < 16; ++i) {
      out[16 * sub + i] = sub_scale * static_cast<float>(TwoBits(q[i], place)) - sub_minimum;
    }
  }
}

void Decode(const Q3KBlock& block, float* out) {
  const float scale = block.scale.value();
  for (size_t sub = 0; sub < 16; ++sub) {
    const float sub_scale = scale * static_cast<float>(GetQ3KScale(block.scales, sub) - 32);
    const uint8_t* q = block.q.data() + 32 * (sub / 8) + 16 * (sub % 2);
    const uint8_t* high = block.high.data() + 16 * (sub % 2);
    const size_t place = sub / 2 % 4;
    for (size_t i = 0; i < 16; ++i) {
      const int level = (TwoBits(q[i], place) | (Bit(high[i], sub / 2) << 2)) - 4;
      out[16 * sub + i] = sub_scale * static_cast<float>(level);
    }
  }
}

void Decode(const Q4KBlock& block, float* out) {
  const float scale = block.scale.value();
  const float minimum = block.minimum.value();
  for (size_t sub = 0; sub < 8; ++sub) {
    const auto packed = GetScaleMinimum(block.scales, sub);
    const float sub_scale = scale * static_cast<float>(packed.scale);
    const float sub_minimum = minimum * static_cast<float>(packed.minimum);
    const uint8_t* q = block.q.data() + 32 * (sub / 2);
    const size_t shift = 4 * (sub % 2);
    for (size_t i = 0; i < 32; ++i) {
      out[32 * sub + i] = sub_scale * static_cast<float>((q[i] >> shift) & 15) - sub_minimum;
    }
  }
}

void Decode(const Q5KBlock& block, float* out) {
  const float scale = block.scale.value();
  const float minimum = block.minimum.value();
  for (size_t sub = 0; sub < 8; ++sub) {
    const auto packed = GetScaleMinimum(block.scales, sub);
    const float sub_scale = scale * static_cast<float>(packed.scale);
    const float sub_minimum = minimum * static_cast<float>(packed.minimum);
    const uint8_t* q = block.q.data() + 32 * (sub / 2);
    const size_t shift = 4 * (sub % 2);
    for (size_t i = 0; i < 32; ++i) {
      const int level = ((q[i] >> shift) & 15) | (Bit(block.high[i], sub) << 4);
      out[32 * sub + i] = sub_scale * static_cast<float>(level) - sub_minimum;
    }
  }
}

void Decode(const Q6KBlock& block, float* out) {
  const float scale = block.scale.value();
  for (size_t sub = 0; sub < 16; ++sub) {
    const float sub_scale = scale * static_cast<float>(static_cast<int8_t>(block.scales[sub]));
    const size_t within = sub % 8;  // of the eight that share 64 bytes
    const uint8_t* low = block.low.data() + 64 * (sub / 8) + 16 * (within % 4);
    const uint8_t* high = block.high.data() + 32 * (sub / 8) + 16 * (within % 2);
    const size_t shift = 4 * (within / 4);
    for (size_t i = 0; i < 16; ++i) {
      const int level = (((low[i] >> shift) & 15) | (TwoBits(high[i], within / 2) << 4)) - 32;
      out[16 * sub + i] = sub_scale * static_cast<float>(level);
    }
  }
}

template <class Block>
void DecodeAll(std::span<const std::byte> bytes, std::span<float> weights) {
  const auto* blocks = reinterpret_cast<const Block*>(bytes.data());  // of bytes only, as its file says
  const size_t count = bytes.size() / sizeof(Block);
  const size_t block_weights = count == 0 ? 0 : weights.size() / count;
  for (size_t i = 0; i < count; ++i) {
    Decode(blocks[i], weights.data() + i * block_weights);
  }
}

template <float (*convert)(uint16_t)>
void Convert(std::span<const std::byte> bytes, std::span<float> weights) {
  for (size_t i = 0; i < weights.size(); ++i) {
    uint16_t bits = 0;
    std::memcpy(&bits, bytes.data() + 2 * i, sizeof(bits));
    weights[i] = convert(bits);
  }
}

void DecodeType(GgmlType type, std::span<const std::byte> bytes, std::span<float> weights) {
  switch (type) {
    case GgmlType::kF32:
      std::memcpy(weights.data(), bytes.data(), bytes.size());
      return;
    case GgmlType::kF16:
      return Convert<HalfToFloat>(bytes, weights);
    case GgmlType::kBF16:
      return Convert<Bfloat16ToFloat>(bytes, weights);
    case GgmlType::kQ4_0:
      return DecodeAll<Q4_0Block>(bytes, weights);
    case GgmlType::kQ4_1:
      return DecodeAll<Q4_1Block>(bytes, weights);
    case GgmlType::kQ5_0:
      return DecodeAll<Q5_0Block>(bytes, weights);
    case GgmlType::kQ5_1:
      return DecodeAll<Q5_1Block>(bytes, weights);
    case GgmlType::kQ8_0:
      return DecodeAll<Q8_0Block>(bytes, weights);
    case GgmlType::kQ2_K:
      return DecodeAll<Q2KBlock>(bytes, weights);
    case GgmlType::kQ3_K:
      return DecodeAll<Q3KBlock>(bytes, weights);
    case GgmlType::kQ4_K:
      return DecodeAll<Q4KBlock>(bytes, weights);
    case GgmlType::kQ5_K:
      return DecodeAll<Q5KBlock>(bytes, weights);
    case GgmlType::kQ6_K:
      return DecodeAll<Q6KBlock>(bytes, weights);
    case GgmlType::kIQ4_NL:
      return DecodeAll<Iq4NlBlock>(bytes, weights);
    case GgmlType::kIQ4_XS:
      return DecodeAll<Iq4XsBlock>(bytes, weights);
  }
}

}  // namespace

Status Dequantise(GgmlType type, std::span<const std::byte> bytes, std::span<float> weights) {
  const BlockFormat& format = FormatOf(type);
  const auto needed = BytesOf(format, weights.size());
  if (!needed.has_value() || *needed != bytes.size()) {
    return InvalidArgument(std::to_string(bytes.size()) + " bytes of " + std::string(format.name) + " are not " +
                           std::to_string(weights.size()) + " weights");
  }
  if (!weights.empty()) {
    DecodeType(type, bytes, weights);
  }
  return {};
}

}  // namespace atelier::tensor
