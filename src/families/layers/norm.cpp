#include "families/layers/norm.h"

#include <algorithm>
#include <cmath>

#include "families/layers/rows.h"

namespace atelier::families::layers {
namespace {

class RmsNormFunction : public torch::autograd::Function<RmsNormFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& given,
                               const torch::Tensor& weight, double epsilon) {
    const auto input = given.contiguous();
    const int64_t width = input.size(-1);
    const int64_t rows = input.numel() / width;
    auto output = torch::empty_like(input);
    auto scales = torch::empty({rows}, torch::kFloat32);
    const auto* from = input.data_ptr<float>();
    const auto* factors = weight.data_ptr<float>();
    auto* to = output.data_ptr<float>();
    auto* scale = scales.data_ptr<float>();
    ForRows(rows, width, [&](int64_t row) {
      const float* x = from + row * width;
      const float r = 1 / std::sqrt(Dot(x, x, width) / static_cast<float>(width) + static_cast<float>(epsilon));
      scale[row] = r;
      float* y = to + row * width;
      for (int64_t i = 0; i < width; ++i) {
        y[i] = x[i] * r * factors[i];
      }
    });
    context->save_for_backward({input, weight, scales});
    return output;
  }

  // With r = 1 / rms: dx = r (g w) - x r^3 / n sum(g w x); dw = sum over rows of g x r.
  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto gradient = gradients[0].contiguous();
    const int64_t width = gradient.size(-1);
    const int64_t rows = gradient.numel() / width;
    auto result = torch::empty_like(gradient);
    auto sums = torch::zeros({kChunks, width}, torch::kFloat32);
    const auto* x_all = saved[0].data_ptr<float>();
    const auto* w = saved[1].data_ptr<float>();
    const auto* scale = saved[2].data_ptr<float>();
    const auto* g_all = gradient.data_ptr<float>();
    auto* dx_all = result.data_ptr<float>();
    auto* dw_all = sums.data_ptr<float>();
    ForChunks(rows, [&](int64_t chunk, int64_t begin, int64_t end) {
      float* dw = dw_all + chunk * width;
      for (int64_t row = begin; row < end; ++row) {
        const float* x = x_all + row * width;
        const float* g = g_all + row * width;
        float* dx = dx_all + row * width;
        const float r = scale[row];
        for (int64_t i = 0; i < width; ++i) {
          dx[i] = g[i] * w[i];
          dw[i] += g[i] * x[i] * r;
        }
        const float shared = Dot(dx, x, width) * r * r * r / static_cast<float>(width);
        for (int64_t i = 0; i < width; ++i) {
          dx[i] = dx[i] * r - x[i] * shared;
        }
      }
    });
    return {result, sums.sum(0), torch::Tensor()};
  }
};

}  // namespace

torch::Tensor RmsNormalise(const torch::Tensor& input, const torch::Tensor& weight, double epsilon) {
  return RmsNormFunction::apply(input.to(torch::kFloat32), weight, epsilon);
}

NormImpl::NormImpl(NormKind kind, int64_t width, double epsilon) : epsilon_(epsilon) {
  weight_ = register_parameter("weight", torch::ones({width}));
  if (kind == NormKind::kLayer) {
    bias_ = register_parameter("bias", torch::zeros({width}));
  }
}

torch::Tensor NormImpl::forward(const torch::Tensor& input) {
  return bias_.defined() ? torch::layer_norm(input, {input.size(-1)}, weight_, bias_, epsilon_)
                         : RmsNormalise(input, weight_, epsilon_);
}

}  // namespace atelier::families::layers
