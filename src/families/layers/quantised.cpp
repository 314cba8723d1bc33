#include "families/layers/quantised.h"

#include "base/result.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::families::layers {
namespace {

constexpr auto kType = tensor::GgmlType::kIQ4_NL;

int64_t RowBytes(int64_t inputs) {
  return static_cast<int64_t>(tensor::BytesOf(tensor::FormatOf(kType), static_cast<uint64_t>(inputs)).value_or(0));
}

// Sizes were checked: what is left are weights that are no numbers.
void Check(const Status& status) { TORCH_CHECK(status.ok(), status.ok() ? "" : status.error().message); }

class QuantisedLinearFunction : public torch::autograd::Function<QuantisedLinearFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& input,
                               const torch::Tensor& packed) {
    context->save_for_backward({packed});
    context->saved_data["inputs"] = input.size(-1);
    return torch::linear(input, DequantiseWeight(packed, input.size(-1)));
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto packed = context->get_saved_variables()[0];
    const auto weight = DequantiseWeight(packed, context->saved_data["inputs"].toInt());
    return {torch::matmul(gradients[0].to(torch::kFloat32), weight), torch::Tensor()};
  }
};

}  // namespace

bool CanQuantise(int64_t inputs) { return RowBytes(inputs) > 0; }

torch::Tensor QuantiseWeight(const torch::Tensor& weight) {
  const auto from = weight.detach().to(torch::kFloat32).contiguous();
  auto packed = torch::empty({from.size(0), RowBytes(from.size(1))}, torch::kUInt8);
  const std::span floats(from.data_ptr<float>(), static_cast<size_t>(from.numel()));
  const std::span bytes(packed.data_ptr<uint8_t>(), static_cast<size_t>(packed.numel()));
  Check(tensor::Quantise(kType, floats, std::as_writable_bytes(bytes)));
  return packed;
}

torch::Tensor DequantiseWeight(const torch::Tensor& packed, int64_t inputs) {
  auto weight = torch::empty({packed.size(0), inputs}, torch::kFloat32);
  const auto* from = packed.data_ptr<uint8_t>();
  auto* to = weight.data_ptr<float>();
  const auto row_bytes = static_cast<size_t>(packed.size(1));
  at::parallel_for(0, packed.size(0), std::max<int64_t>(1, 65536 / inputs), [&](int64_t begin, int64_t end) {
    const auto rows = static_cast<size_t>(end - begin);
    const std::span bytes(from + static_cast<size_t>(begin) * row_bytes, rows * row_bytes);
    const std::span floats(to + begin * inputs, rows * static_cast<size_t>(inputs));
    Check(tensor::Dequantise(kType, std::as_bytes(bytes), floats));
  });
  return weight;
}

torch::Tensor QuantisedLinear(const torch::Tensor& input, const torch::Tensor& packed) {
  return QuantisedLinearFunction::apply(input, packed);
}

}  // namespace atelier::families::layers
