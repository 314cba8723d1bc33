#include "families/layers/rope.h"

#include <cmath>

#include "families/layers/rows.h"

namespace atelier::families::layers {
namespace {

// direction 1 turns, -1 turns back.
torch::Tensor Turn(const torch::Tensor& given, const torch::Tensor& cosines, const torch::Tensor& sines, int64_t first,
                   float direction) {
  const auto input = given.contiguous();
  auto output = torch::empty_like(input);
  const int64_t positions = input.size(1);
  const int64_t heads = input.size(2);
  const int64_t half = input.size(3) / 2;
  const auto* from = input.data_ptr<float>();
  const auto* cosine_rows = cosines.data_ptr<float>();
  const auto* sine_rows = sines.data_ptr<float>();
  auto* to = output.data_ptr<float>();
  ForRows(input.size(0) * positions, heads * half * 2, [&](int64_t row) {
    const int64_t position = first + row % positions;
    const float* c = cosine_rows + position * half;
    const float* s = sine_rows + position * half;
    for (int64_t head = 0; head < heads; ++head) {
      const float* a = from + (row * heads + head) * 2 * half;
      float* b = to + (row * heads + head) * 2 * half;
      for (int64_t i = 0; i < half; ++i) {
        const float turn = direction * s[i];
        b[i] = a[i] * c[i] - a[half + i] * turn;
        b[half + i] = a[half + i] * c[i] + a[i] * turn;
      }
    }
  });
  return output;
}

class RotateFunction : public torch::autograd::Function<RotateFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& input,
                               const torch::Tensor& cosines, const torch::Tensor& sines, int64_t first) {
    context->saved_data["cosines"] = cosines;
    context->saved_data["sines"] = sines;
    context->saved_data["first"] = first;
    return Turn(input, cosines, sines, first, 1);
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    return {Turn(gradients[0], context->saved_data["cosines"].toTensor(), context->saved_data["sines"].toTensor(),
                 context->saved_data["first"].toInt(), -1),
            torch::Tensor(), torch::Tensor(), torch::Tensor()};
  }
};

}  // namespace

RopeTable MakeRopeTable(int64_t positions, int64_t head, double base) {
  const int64_t half = head / 2;
  RopeTable table{torch::empty({positions, half}), torch::empty({positions, half})};
  auto* cosines = table.cosines.data_ptr<float>();
  auto* sines = table.sines.data_ptr<float>();
  for (int64_t position = 0; position < positions; ++position) {
    for (int64_t i = 0; i < half; ++i) {
      const double angle =
          static_cast<double>(position) * std::pow(base, -2.0 * static_cast<double>(i) / static_cast<double>(head));
      cosines[position * half + i] = static_cast<float>(std::cos(angle));
      sines[position * half + i] = static_cast<float>(std::sin(angle));
    }
  }
  return table;
}

torch::Tensor Rotate(const torch::Tensor& heads, const RopeTable& table, int64_t first) {
  return RotateFunction::apply(heads.to(torch::kFloat32), table.cosines, table.sines, first);
}

}  // namespace atelier::families::layers
