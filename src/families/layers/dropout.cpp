#include "families/layers/dropout.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>

#include "families/layers/rows.h"

namespace atelier::families::layers {
namespace {

constexpr int64_t kPiece = 512;   // numbers that are drawn at a time
constexpr double kDraws = 65536;  // that there are of one number

struct Draw {
  uint32_t first;
  uint32_t second;
  uint16_t below;  // draws that drop
  float scale;
};

// What is at these places keeps its value where its 16 bits of a hash say so; a hash is of two numbers. The hash is
// "lowbias32" (C. Wellons, 2018), with a key in the middle.
void DropPiece(const float* input, float* output, int64_t first, int64_t count, const Draw& draw) {
  uint32_t hashes[kPiece / 2];
  const auto base = static_cast<uint32_t>(first / 2);
  for (uint32_t i = 0; i < kPiece / 2; ++i) {
    uint32_t x = (base + i) ^ draw.first;
    x = (x ^ (x >> 16U)) * 0x7FEB352DU;
    x ^= draw.second;
    x = (x ^ (x >> 15U)) * 0x846CA68BU;
    hashes[i] = x ^ (x >> 16U);
  }
  uint16_t draws[kPiece];
  std::memcpy(draws, hashes, sizeof(draws));
  for (int64_t i = 0; i < count; ++i) {
    output[i] = draws[i] < draw.below ? 0.0F : input[i] * draw.scale;
  }
}

torch::Tensor Drop(const torch::Tensor& given, const Draw& draw) {
  const auto input = given.contiguous();
  auto output = torch::empty_like(input);
  const auto* from = input.data_ptr<float>();
  auto* to = output.data_ptr<float>();
  const int64_t count = input.numel();
  ForRows((count + kPiece - 1) / kPiece, kPiece, [&](int64_t piece) {
    const int64_t first = piece * kPiece;
    DropPiece(from + first, to + first, first, std::min(kPiece, count - first), draw);
  });
  return output;
}

class DropoutFunction : public torch::autograd::Function<DropoutFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& input, double share) {
    context->saved_data["share"] = share;
    context->saved_data["seed"] = torch::randint(std::numeric_limits<int64_t>::max(), {1}, torch::kInt64).item();
    return Drop(input, DrawOf(*context));
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    return {Drop(gradients[0], DrawOf(*context)), {}};
  }

 private:
  static Draw DrawOf(torch::autograd::AutogradContext& context) {
    const double share = context.saved_data["share"].toDouble();
    const auto seed = static_cast<uint64_t>(context.saved_data["seed"].toInt());
    const double below = std::round(share * kDraws);
    return {.first = static_cast<uint32_t>(seed),
            .second = static_cast<uint32_t>(seed >> 32U),
            .below = static_cast<uint16_t>(std::min(below, kDraws - 1)),
            .scale = static_cast<float>(1 / (1 - share))};
  }
};

}  // namespace

torch::Tensor Dropout(const torch::Tensor& input, double share, bool training) {
  if (share <= 0 || !training) {
    return input;
  }
  return DropoutFunction::apply(input.to(torch::kFloat32), share);
}

}  // namespace atelier::families::layers
