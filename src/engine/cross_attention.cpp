#include "engine/cross_attention.h"

#include <algorithm>

#include "engine/operations.h"

namespace atelier::engine {
namespace {

// [positions, heads, size] to [heads, positions, size].
std::vector<float> ByHead(const std::vector<float>& from, size_t positions, size_t heads, size_t size) {
  std::vector<float> to(from.size());
  for (size_t position = 0; position < positions; ++position) {
    for (size_t head = 0; head < heads; ++head) {
      std::copy_n(from.data() + (position * heads + head) * size, size,
                  to.data() + (head * positions + position) * size);
    }
  }
  return to;
}

}  // namespace

CrossMemory CrossAttention::Remember(const Weights& weights, Products& products, std::span<const float> encoded) const {
  const auto width = static_cast<size_t>(config_.width);
  const auto heads = static_cast<size_t>(config_.kv_heads);
  CrossMemory memory;
  memory.positions = encoded.size() / width;
  const auto project = [&](const Linear& linear, int64_t size) {
    std::vector<float> projected(memory.positions * linear.weight.rows);
    const Product product{&linear.weight,   linear.bias,      encoded.data(),    width,
                          memory.positions, projected.data(), linear.weight.rows};
    products.Run({&product, 1});
    return ByHead(projected, memory.positions, heads, static_cast<size_t>(size));
  };
  for (const LayerWeights& layer : weights.layers) {
    memory.layers.push_back(
        {project(layer.cross_key, config_.key_size), project(layer.cross_value, config_.value_size)});
  }
  return memory;
}

void CrossAttention::Run(const AttentionInput& input) {
  const auto heads = static_cast<size_t>(config_.heads);
  threads_.ForEach(input.rows.size() * heads,
                   [&](size_t index, size_t thread) { RunHead(input, index / heads, index % heads, scores_[thread]); });
}

void CrossAttention::RunHead(const AttentionInput& input, size_t row, size_t head, std::vector<float>& scores) const {
  const CrossMemory& memory = *input.rows[row].sequence->memory();
  const CrossMemory::Layer& layer = memory.layers[input.layer];
  const auto key_size = static_cast<size_t>(config_.key_size);
  const auto value_size = static_cast<size_t>(config_.value_size);
  const size_t kv_head = head / static_cast<size_t>(config_.heads / config_.kv_heads);
  if (scores.size() < memory.positions) {
    scores.resize(memory.positions);
  }
  kernels_.multiply({.weights = layer.keys.data() + kv_head * memory.positions * key_size,
                     .rows = memory.positions,
                     .weight_stride = key_size,
                     .inputs = input.queries + row * input.query_stride + head * key_size,
                     .count = 1,
                     .input_stride = key_size,
                     .width = key_size,
                     .outputs = scores.data(),
                     .output_stride = memory.positions});
  const auto scale = static_cast<float>(config_.query_scale);
  std::for_each_n(scores.begin(), memory.positions, [&](float& score) { score *= scale; });
  SoftMax(kernels_, {scores.data(), memory.positions});
  float* output = input.outputs + (row * static_cast<size_t>(config_.heads) + head) * value_size;
  std::fill_n(output, value_size, 0.0F);
  const std::span<const float> values(layer.values);
  const std::byte* page = std::as_bytes(values.subspan(kv_head * memory.positions * value_size)).data();
  kernels_.attention[static_cast<size_t>(tensor::KvFormat::kF32)].weigh(
      {.weights = scores.data(),
       .count = 1,
       .values = {&page, memory.positions, 0, memory.positions},
       .width = value_size,
       .sums = output});
}

}  // namespace atelier::engine
