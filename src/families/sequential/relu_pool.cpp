#include "families/sequential/relu_pool.h"

#include <algorithm>

namespace atelier::families {
namespace {

constexpr uint8_t kNone = 4;  // no value above zero: no gradient

struct Shape {
  int64_t batch, channels, height, width;
  int64_t out_height() const { return height / 2; }
  int64_t out_width() const { return width / 2; }
  int64_t out_rows() const { return batch * out_height(); }
  // Offset of the upper left pixel of a window in the input.
  int64_t Window(int64_t out_row, int64_t x) const {
    const int64_t image = out_row / out_height();
    return ((image * height + 2 * (out_row % out_height())) * width + 2 * x) * channels;
  }
};

Shape ShapeOf(const torch::Tensor& tensor) { return {tensor.size(0), tensor.size(1), tensor.size(2), tensor.size(3)}; }

void PoolWindow(const float* const pixels[4], int64_t channels, float* out, uint8_t* winner) {
  for (int64_t c = 0; c < channels; ++c) {
    float best = 0;
    uint8_t who = kNone;
    for (uint8_t i = 0; i < 4; ++i) {
      const float value = pixels[i][c];
      const bool take = value > best || value != value;  // NaN is taken and stays
      best = take ? value : best;
      who = take ? i : who;
    }
    out[c] = best;
    winner[c] = who;
  }
}

void SpreadWindow(const float* gradient, const uint8_t* winner, int64_t channels, float* const pixels[4]) {
  for (uint8_t i = 0; i < 4; ++i) {
    float* target = pixels[i];
    for (int64_t c = 0; c < channels; ++c) {
      target[c] = winner[c] == i ? gradient[c] : 0.0F;
    }
  }
}

int64_t RowsATask(const Shape& shape) {
  return std::max<int64_t>(1, 16384 / std::max<int64_t>(1, shape.out_width() * shape.channels));
}

class ReluPool : public torch::autograd::Function<ReluPool> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& given) {
    const auto input = given.contiguous(torch::MemoryFormat::ChannelsLast);
    const Shape shape = ShapeOf(input);
    const auto options = torch::TensorOptions().memory_format(torch::MemoryFormat::ChannelsLast);
    auto output = torch::empty({shape.batch, shape.channels, shape.out_height(), shape.out_width()},
                               options.dtype(torch::kFloat32));
    auto winners = torch::empty({shape.out_rows(), shape.out_width(), shape.channels}, torch::kUInt8);
    const auto* from = input.data_ptr<float>();
    auto* to = output.data_ptr<float>();
    auto* who = winners.data_ptr<uint8_t>();
    at::parallel_for(0, shape.out_rows(), RowsATask(shape), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t x = 0; x < shape.out_width(); ++x) {
          const float* first = from + shape.Window(row, x);
          const float* below = first + shape.width * shape.channels;
          const float* const pixels[4] = {first, first + shape.channels, below, below + shape.channels};
          const int64_t at = (row * shape.out_width() + x) * shape.channels;
          PoolWindow(pixels, shape.channels, to + at, who + at);
        }
      }
    });
    context->saved_data["sizes"] = input.sizes().vec();
    context->save_for_backward({winners});
    return output;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto sizes = context->saved_data["sizes"].toIntVector();
    const auto winners = context->get_saved_variables()[0];
    const auto gradient = gradients[0].contiguous(torch::MemoryFormat::ChannelsLast);
    const auto options = torch::TensorOptions().memory_format(torch::MemoryFormat::ChannelsLast);
    const bool covered = sizes[2] % 2 == 0 && sizes[3] % 2 == 0;
    auto result = torch::empty(sizes, options.dtype(torch::kFloat32));
    if (!covered) {
      result.zero_();
    }
    const Shape shape = ShapeOf(result);
    const auto* from = gradient.data_ptr<float>();
    const auto* who = winners.data_ptr<uint8_t>();
    auto* to = result.data_ptr<float>();
    at::parallel_for(0, shape.out_rows(), RowsATask(shape), [&](int64_t begin, int64_t end) {
      for (int64_t row = begin; row < end; ++row) {
        for (int64_t x = 0; x < shape.out_width(); ++x) {
          float* first = to + shape.Window(row, x);
          float* below = first + shape.width * shape.channels;
          float* const pixels[4] = {first, first + shape.channels, below, below + shape.channels};
          const int64_t at = (row * shape.out_width() + x) * shape.channels;
          SpreadWindow(from + at, who + at, shape.channels, pixels);
        }
      }
    });
    return {result};
  }
};

}  // namespace

torch::Tensor ReluMaxPool2(const torch::Tensor& input) { return ReluPool::apply(input); }

}  // namespace atelier::families
