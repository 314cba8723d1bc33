#include "families/layers/feed_forward.h"

#include "families/layers/rows.h"

namespace atelier::families::layers {
namespace {

constexpr int64_t kPiece = 4096;  // numbers that a thread takes at a time

template <class Body>  // void(int64_t index)
void ForEach(int64_t count, const Body& body) {
  at::parallel_for(0, count, 4 * kPiece, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      body(i);
    }
  });
}

class GatedSiluFunction : public torch::autograd::Function<GatedSiluFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& given_gate,
                               const torch::Tensor& given_up) {
    const auto gate = given_gate.contiguous();
    const auto up = given_up.contiguous();
    const auto sigmoid = torch::sigmoid(gate);
    auto output = torch::empty_like(gate);
    const auto* g = gate.data_ptr<float>();
    const auto* u = up.data_ptr<float>();
    const auto* s = sigmoid.data_ptr<float>();
    auto* y = output.data_ptr<float>();
    ForEach(gate.numel(), [&](int64_t i) { y[i] = g[i] * s[i] * u[i]; });
    context->save_for_backward({gate, up, sigmoid});
    return output;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto saved = context->get_saved_variables();
    const auto gradient = gradients[0].contiguous();
    auto gate_gradient = torch::empty_like(gradient);
    auto up_gradient = torch::empty_like(gradient);
    const auto* g = saved[0].data_ptr<float>();
    const auto* u = saved[1].data_ptr<float>();
    const auto* s = saved[2].data_ptr<float>();
    const auto* d = gradient.data_ptr<float>();
    auto* dg = gate_gradient.data_ptr<float>();
    auto* du = up_gradient.data_ptr<float>();
    ForEach(gradient.numel(), [&](int64_t i) {
      const float silu = g[i] * s[i];
      du[i] = d[i] * silu;
      dg[i] = d[i] * u[i] * (s[i] + silu * (1 - s[i]));
    });
    return {gate_gradient, up_gradient};
  }
};

}  // namespace

torch::Tensor GatedSilu(const torch::Tensor& gate, const torch::Tensor& up) {
  return GatedSiluFunction::apply(gate.to(torch::kFloat32), up.to(torch::kFloat32));
}

FeedForwardImpl::FeedForwardImpl(FeedForwardKind kind, int64_t width, int64_t hidden, bool bias) : kind_(kind) {
  if (kind == FeedForwardKind::kSwiGlu) {
    gate = register_module("gate", Linear(width, hidden, bias));
  }
  up = register_module("up", Linear(width, hidden, bias));
  down = register_module("down", Linear(hidden, width, bias));
}

torch::Tensor FeedForwardImpl::forward(const torch::Tensor& input) {
  const auto hidden = up(input);
  switch (kind_) {
    case FeedForwardKind::kSwiGlu:
      return down(GatedSilu(gate(input), hidden));
    case FeedForwardKind::kGelu:
      return down(torch::gelu(hidden));
    case FeedForwardKind::kGeluTanh:
      return down(torch::gelu(hidden, "tanh"));
    case FeedForwardKind::kRelu:
      break;
  }
  return down(torch::relu(hidden));
}

}  // namespace atelier::families::layers
