#include "families/layers/attend.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <vector>

#include "families/layers/dropout.h"
#include "families/layers/rows.h"
#include "tensor/kernels/float_kernels.h"
#include "tensor/kernels/product_kernels.h"

namespace atelier::families::layers {
namespace {

constexpr int64_t kBlockRows = 48;  // queries whose scores lie in the cache at once

size_t Size(int64_t value) { return static_cast<size_t>(value); }

struct Shape {
  int64_t batch, queries, keys, heads, kv_heads, head;
  bool causal;

  int64_t group() const { return heads / kv_heads; }
  int64_t query_stride() const { return heads * head; }
  int64_t key_stride() const { return kv_heads * head; }
  int64_t QueryAt(int64_t item, int64_t h) const { return item * queries * query_stride() + h * head; }
  int64_t KeyAt(int64_t item, int64_t h) const { return item * keys * key_stride() + h * head; }
  // Keys before the first that a query may not see.
  int64_t Limit(int64_t query) const {
    return causal ? std::clamp<int64_t>(query + 1 + keys - queries, 0, keys) : keys;
  }
};

struct Numbers {
  const float* queries;
  const float* keys;
  const float* values;
  const bool* present;      // or nullptr; [batch, keys]
  const int64_t* segments;  // or nullptr; [batch, positions]
};

// The weights of a block of queries of one head, and what is needed to compute them.
class Weights {
 public:
  Weights(const Shape& shape, const Numbers& numbers, int64_t item)
      : shape_(shape),
        numbers_(numbers),
        item_(item),
        turned_(Size(shape.head * shape.keys)),
        rows_(Size(kBlockRows * shape.keys)) {}

  // Takes the keys of a head, transposed and scaled.
  void SetHead(int64_t kv_head) {
    const float scale = 1 / std::sqrt(static_cast<float>(shape_.head));
    const float* keys = numbers_.keys + shape_.KeyAt(item_, kv_head);
    for (int64_t key = 0; key < shape_.keys; ++key) {
      for (int64_t i = 0; i < shape_.head; ++i) {
        turned_[Size(i * shape_.keys + key)] = keys[key * shape_.key_stride() + i] * scale;
      }
    }
  }

  // [end - begin, keys]; numbers behind Limit(end - 1) mean nothing.
  float* Compute(int64_t head, int64_t begin, int64_t end) {
    const int64_t limit = shape_.Limit(end - 1);
    kernels_.product({.left = numbers_.queries + shape_.QueryAt(item_, head) + begin * shape_.query_stride(),
                      .left_row = Size(shape_.query_stride()),
                      .left_step = 1,
                      .right = turned_.data(),
                      .right_stride = Size(shape_.keys),
                      .outputs = rows_.data(),
                      .output_stride = Size(shape_.keys),
                      .rows = Size(end - begin),
                      .columns = Size(limit),
                      .depth = Size(shape_.head)});
    for (int64_t query = begin; query < end; ++query) {
      float* row = rows_.data() + (query - begin) * shape_.keys;
      Soften(query, row);
      std::fill(row + shape_.Limit(query), row + limit, 0.0F);
    }
    return rows_.data();
  }

 private:
  void Soften(int64_t query, float* row) const {
    const int64_t count = shape_.Limit(query);
    int64_t seen = count;
    const bool masked = numbers_.present != nullptr || numbers_.segments != nullptr;
    if (masked) {
      seen = Hide(query, row, count);
    }
    if (seen == 0) {
      std::fill(row, row + count, 0.0F);
      return;
    }
    const float share = 1 / rows_kernels_.soften(row, Size(count)).sum;
    for (int64_t key = 0; key < count; ++key) {
      row[key] *= share;
    }
    if (seen < count) {  // the kernel's least power is not zero
      for (int64_t key = 0; key < count; ++key) {
        row[key] = Sees(query, key) ? row[key] : 0.0F;
      }
    }
  }

  bool Sees(int64_t query, int64_t key) const {
    return (numbers_.present == nullptr || numbers_.present[item_ * shape_.keys + key]) &&
           (numbers_.segments == nullptr ||
            numbers_.segments[item_ * shape_.keys + key] == numbers_.segments[item_ * shape_.keys + query]);
  }

  // Returns how many keys are left.
  int64_t Hide(int64_t query, float* row, int64_t count) const {
    int64_t seen = 0;
    for (int64_t key = 0; key < count; ++key) {
      const bool sees = Sees(query, key);
      seen += sees ? 1 : 0;
      row[key] = sees ? row[key] : std::numeric_limits<float>::lowest();
    }
    return seen;
  }

  const Shape& shape_;
  const Numbers& numbers_;
  int64_t item_;
  const tensor::FloatKernels& rows_kernels_ = tensor::BestFloatKernels();
  const tensor::ProductKernels& kernels_ = tensor::BestProductKernels();
  std::vector<float> turned_;  // [head, keys]
  std::vector<float> rows_;    // [kBlockRows, keys]
};

template <class Body>  // void(int64_t begin, int64_t end)
void ForBlocks(int64_t queries, const Body& body) {
  for (int64_t begin = 0; begin < queries; begin += kBlockRows) {
    body(begin, std::min(begin + kBlockRows, queries));
  }
}

void Forward(const Shape& shape, const Numbers& numbers, float* outputs) {
  const auto& kernels = tensor::BestProductKernels();
  at::parallel_for(0, shape.batch * shape.kv_heads, 1, [&](int64_t first, int64_t last) {
    for (int64_t task = first; task < last; ++task) {
      const int64_t item = task / shape.kv_heads;
      const int64_t kv_head = task % shape.kv_heads;
      Weights weights(shape, numbers, item);
      weights.SetHead(kv_head);
      for (int64_t head = kv_head * shape.group(); head < (kv_head + 1) * shape.group(); ++head) {
        ForBlocks(shape.queries, [&](int64_t begin, int64_t end) {
          kernels.product({.left = weights.Compute(head, begin, end),
                           .left_row = Size(shape.keys),
                           .left_step = 1,
                           .right = numbers.values + shape.KeyAt(item, kv_head),
                           .right_stride = Size(shape.key_stride()),
                           .outputs = outputs + shape.QueryAt(item, head) + begin * shape.query_stride(),
                           .output_stride = Size(shape.query_stride()),
                           .rows = Size(end - begin),
                           .columns = Size(shape.head),
                           .depth = Size(shape.Limit(end - 1))});
        });
      }
    }
  });
}

struct Gradients {
  const float* outputs;
  float* queries;
  float* keys;    // zero before
  float* values;  // zero before
};

// With P the weights and S the scores: dV = P^T dO, dP = dO V^T, dS = P (dP - rowsum(P dP)), dQ = dS K / sqrt(head),
// dK = dS^T Q / sqrt(head). P is computed again.
class Backward {
 public:
  Backward(const Shape& shape, const Numbers& numbers, const Gradients& gradients, int64_t task)
      : shape_(shape),
        numbers_(numbers),
        gradients_(gradients),
        item_(task / shape.kv_heads),
        kv_head_(task % shape.kv_heads),
        weights_(shape, numbers, item_),
        turned_values_(Size(shape.head * shape.keys)),
        changes_(Size(kBlockRows * shape.keys)) {}

  void Run() {
    weights_.SetHead(kv_head_);
    const float* values = numbers_.values + shape_.KeyAt(item_, kv_head_);
    for (int64_t key = 0; key < shape_.keys; ++key) {
      for (int64_t i = 0; i < shape_.head; ++i) {
        turned_values_[Size(i * shape_.keys + key)] = values[key * shape_.key_stride() + i];
      }
    }
    for (int64_t head = kv_head_ * shape_.group(); head < (kv_head_ + 1) * shape_.group(); ++head) {
      ForBlocks(shape_.queries, [&](int64_t begin, int64_t end) { Block(head, begin, end); });
    }
  }

 private:
  void Block(int64_t head, int64_t begin, int64_t end) {
    const int64_t limit = shape_.Limit(end - 1);
    if (limit == 0) {
      return;
    }
    const int64_t at = shape_.QueryAt(item_, head) + begin * shape_.query_stride();
    const float* weights = weights_.Compute(head, begin, end);
    const float* outputs = gradients_.outputs + at;
    AddTransposed(weights, outputs, end - begin, limit, gradients_.values);
    kernels_.product({.left = outputs,
                      .left_row = Size(shape_.query_stride()),
                      .left_step = 1,
                      .right = turned_values_.data(),
                      .right_stride = Size(shape_.keys),
                      .outputs = changes_.data(),
                      .output_stride = Size(shape_.keys),
                      .rows = Size(end - begin),
                      .columns = Size(limit),
                      .depth = Size(shape_.head)});
    const float scale = 1 / std::sqrt(static_cast<float>(shape_.head));
    for (int64_t row = 0; row < end - begin; ++row) {
      const float* weight = weights + row * shape_.keys;
      float* change = changes_.data() + row * shape_.keys;
      const float shared = Dot(weight, change, limit);
      for (int64_t key = 0; key < limit; ++key) {
        change[key] = weight[key] * (change[key] - shared) * scale;
      }
    }
    kernels_.product({.left = changes_.data(),
                      .left_row = Size(shape_.keys),
                      .left_step = 1,
                      .right = numbers_.keys + shape_.KeyAt(item_, kv_head_),
                      .right_stride = Size(shape_.key_stride()),
                      .outputs = gradients_.queries + at,
                      .output_stride = Size(shape_.query_stride()),
                      .rows = Size(end - begin),
                      .columns = Size(shape_.head),
                      .depth = Size(limit)});
    AddTransposed(changes_.data(), numbers_.queries + at, end - begin, limit, gradients_.keys);
  }

  // to[key] += sum over rows of left[row][key] * right[row], for this head.
  void AddTransposed(const float* left, const float* right, int64_t rows, int64_t limit, float* to) const {
    kernels_.product({.left = left,
                      .left_row = 1,
                      .left_step = Size(shape_.keys),
                      .right = right,
                      .right_stride = Size(shape_.query_stride()),
                      .outputs = to + shape_.KeyAt(item_, kv_head_),
                      .output_stride = Size(shape_.key_stride()),
                      .rows = Size(limit),
                      .columns = Size(shape_.head),
                      .depth = Size(rows),
                      .add = true});
  }

  const Shape& shape_;
  const Numbers& numbers_;
  const Gradients& gradients_;
  int64_t item_;
  int64_t kv_head_;
  const tensor::ProductKernels& kernels_ = tensor::BestProductKernels();
  Weights weights_;
  std::vector<float> turned_values_;  // [head, keys]
  std::vector<float> changes_;        // [kBlockRows, keys]
};

class AttendFunction : public torch::autograd::Function<AttendFunction> {
 public:
  static torch::Tensor forward(torch::autograd::AutogradContext* context, const torch::Tensor& given_queries,
                               const torch::Tensor& given_keys, const torch::Tensor& given_values,
                               const AttentionMask& mask) {
    const auto queries = given_queries.contiguous();
    const auto keys = given_keys.contiguous();
    const auto values = given_values.contiguous();
    const auto present = mask.keys.defined() ? mask.keys.contiguous() : torch::Tensor();
    const auto segments = mask.segments.defined() ? mask.segments.contiguous() : torch::Tensor();
    auto outputs = torch::empty_like(queries);
    const std::vector<torch::Tensor> inputs{queries, keys, values, present, segments};
    Forward(ShapeOf(inputs, mask.causal), NumbersOf(inputs), outputs.data_ptr<float>());
    context->save_for_backward(inputs);
    context->saved_data["causal"] = mask.causal;
    return outputs;
  }

  static torch::autograd::tensor_list backward(torch::autograd::AutogradContext* context,
                                               torch::autograd::tensor_list gradients) {
    const auto inputs = context->get_saved_variables();
    const auto outputs = gradients[0].contiguous();
    auto queries = torch::empty_like(inputs[0]);
    auto keys = torch::zeros_like(inputs[1]);
    auto values = torch::zeros_like(inputs[2]);
    const Shape shape = ShapeOf(inputs, context->saved_data["causal"].toBool());
    const Numbers numbers = NumbersOf(inputs);
    const Gradients to{outputs.data_ptr<float>(), queries.data_ptr<float>(), keys.data_ptr<float>(),
                       values.data_ptr<float>()};
    if (shape.causal && shape.queries > shape.keys) {
      queries.zero_();  // of queries that see nothing
    }
    at::parallel_for(0, shape.batch * shape.kv_heads, 1, [&](int64_t first, int64_t last) {
      for (int64_t task = first; task < last; ++task) {
        Backward(shape, numbers, to, task).Run();
      }
    });
    return {queries, keys, values, torch::Tensor()};
  }

 private:
  static Shape ShapeOf(const std::vector<torch::Tensor>& inputs, bool causal) {
    return {.batch = inputs[0].size(0),
            .queries = inputs[0].size(1),
            .keys = inputs[1].size(1),
            .heads = inputs[0].size(2),
            .kv_heads = inputs[1].size(2),
            .head = inputs[0].size(3),
            .causal = causal};
  }

  static Numbers NumbersOf(const std::vector<torch::Tensor>& inputs) {
    return {.queries = inputs[0].data_ptr<float>(),
            .keys = inputs[1].data_ptr<float>(),
            .values = inputs[2].data_ptr<float>(),
            .present = inputs[3].defined() ? inputs[3].data_ptr<bool>() : nullptr,
            .segments = inputs[4].defined() ? inputs[4].data_ptr<int64_t>() : nullptr};
  }
};

// True where a query sees a key: Bool [batch or 1, 1, queries, keys]; undefined: everywhere.
torch::Tensor Visible(const AttentionMask& mask, int64_t queries, int64_t keys) {
  torch::Tensor visible;
  const auto both = [&](const torch::Tensor& more) {
    visible = visible.defined() ? torch::logical_and(visible, more) : more;
  };
  if (mask.causal) {
    both(torch::ones({queries, keys}, torch::kBool).tril(keys - queries).view({1, 1, queries, keys}));
  }
  if (mask.keys.defined()) {
    both(mask.keys.view({-1, 1, 1, keys}));
  }
  if (mask.segments.defined()) {
    both(mask.segments.unsqueeze(1).unsqueeze(3) == mask.segments.unsqueeze(1).unsqueeze(2));
  }
  return visible;
}

// [batch, positions, kv_heads, head] -> [batch, heads, positions, head]
torch::Tensor ForHeads(const torch::Tensor& tensor, int64_t heads) {
  const auto turned = tensor.transpose(1, 2);
  return tensor.size(2) == heads ? turned : turned.repeat_interleave(heads / tensor.size(2), 1);
}

}  // namespace

torch::Tensor AttendPlainly(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                            const AttentionMask& mask, double dropout) {
  const int64_t heads = queries.size(2);
  const double scale = 1 / std::sqrt(static_cast<double>(queries.size(3)));
  auto scores = torch::matmul(queries.transpose(1, 2) * scale, ForHeads(keys, heads).transpose(2, 3));
  const auto visible = Visible(mask, queries.size(1), keys.size(1));
  if (visible.defined()) {
    scores = scores.masked_fill(visible.logical_not(), std::numeric_limits<float>::lowest());
  }
  auto weights = torch::softmax(scores, 3);
  if (visible.defined()) {  // a query that sees nothing weighs nothing
    weights = weights.masked_fill(visible.logical_not(), 0);
  }
  return torch::matmul(Dropout(weights, dropout, true), ForHeads(values, heads)).transpose(1, 2).contiguous();
}

torch::Tensor Attend(const torch::Tensor& queries, const torch::Tensor& keys, const torch::Tensor& values,
                     const AttentionMask& mask, double dropout) {
  const auto q = queries.to(torch::kFloat32);
  const auto k = keys.to(torch::kFloat32);
  const auto v = values.to(torch::kFloat32);
  return dropout > 0 ? AttendPlainly(q, k, v, mask, dropout) : AttendFunction::apply(q, k, v, mask);
}

}  // namespace atelier::families::layers
