#include "shapes.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>

namespace atelier::bench {
namespace {

using tensor::GgmlType;
using tensor::GgufType;

// clang-format off
constexpr Shape kQwen{.name = "qwen2.5-0.5b", .architecture = "qwen2", .pre_tokenizer = "qwen2", .layers = 24,
                      .width = 896, .feed_forward = 4864, .heads = 14, .kv_heads = 2, .head_size = 64,
                      .vocabulary = 151936, .context = 32768, .rope_base = 1e6, .norm_epsilon = 1e-6,
                      .query_key_value_bias = true};
constexpr Shape kLlama{.name = "llama-3.2-1b", .architecture = "llama", .pre_tokenizer = "llama-bpe", .layers = 16,
                       .width = 2048, .feed_forward = 8192, .heads = 32, .kv_heads = 8, .head_size = 64,
                       .vocabulary = 128256, .context = 131072, .rope_base = 5e5, .norm_epsilon = 1e-5,
                       .llama3_rope = true};
// 32 experts, 8 at work: about 1 B weights, a third of them for each token.
constexpr Shape kExperts{.name = "qwen3moe-1b", .architecture = "qwen3moe", .pre_tokenizer = "qwen2", .layers = 16,
                         .width = 1024, .feed_forward = 512, .heads = 16, .kv_heads = 4, .head_size = 128,
                         .vocabulary = 151936, .context = 32768, .rope_base = 1e6, .norm_epsilon = 1e-6,
                         .query_key_norm = true, .experts = 32, .experts_used = 8};
// Nobody's: to see that everything runs.
constexpr Shape kSmoke{.name = "smoke", .architecture = "qwen2", .pre_tokenizer = "qwen2", .layers = 2, .width = 256,
                       .feed_forward = 512, .heads = 4, .kv_heads = 2, .head_size = 64, .vocabulary = 8192,
                       .context = 8192, .rope_base = 1e6, .norm_epsilon = 1e-6, .query_key_value_bias = true};
// clang-format on

constexpr std::array kShapes{kQwen, kLlama, kExperts, kSmoke};
constexpr std::string_view kRepeating = "-repeating";

constexpr double kLlama3Factor = 32;
constexpr double kLlama3LowFrequency = 1;
constexpr double kLlama3HighFrequency = 4;
constexpr double kLlama3OldContext = 8192;

class Tensors {
 public:
  void Ones(std::string name, int64_t size) { Add({std::move(name), GgmlType::kF32, {size}}, Filling::kOnes); }
  void Vector(std::string name, int64_t size) { Add({std::move(name), GgmlType::kF32, {size}}, Filling::kNormal); }
  void Matrix(std::string name, std::vector<int64_t> shape, double deviation = kDeviation) {
    Add({std::move(name), GgmlType::kBF16, std::move(shape)}, Filling::kNormal, deviation);
  }
  void Add(tensor::GgufPlan plan, Filling filling, double deviation = kDeviation) {
    all_.push_back({std::move(plan), filling, deviation});
  }
  std::vector<TensorToMake> Take() { return std::move(all_); }

 private:
  static constexpr double kDeviation = 0.02;
  std::vector<TensorToMake> all_;
};

void AddAttention(const Shape& shape, const std::string& layer, Tensors& tensors) {
  const int64_t queries = shape.heads * shape.head_size;
  const int64_t keys = shape.kv_heads * shape.head_size;
  tensors.Ones(layer + "attn_norm.weight", shape.width);
  tensors.Matrix(layer + "attn_q.weight", {queries, shape.width});
  tensors.Matrix(layer + "attn_k.weight", {keys, shape.width});
  tensors.Matrix(layer + "attn_v.weight", {keys, shape.width});
  if (shape.query_key_value_bias) {
    tensors.Vector(layer + "attn_q.bias", queries);
    tensors.Vector(layer + "attn_k.bias", keys);
    tensors.Vector(layer + "attn_v.bias", keys);
  }
  if (shape.query_key_norm) {
    tensors.Ones(layer + "attn_q_norm.weight", shape.head_size);
    tensors.Ones(layer + "attn_k_norm.weight", shape.head_size);
  }
  tensors.Matrix(layer + "attn_output.weight", {shape.width, queries}, shape.attention_deviation);
}

void AddFeedForward(const Shape& shape, const std::string& layer, Tensors& tensors) {
  tensors.Ones(layer + "ffn_norm.weight", shape.width);
  if (shape.experts == 0) {
    tensors.Matrix(layer + "ffn_gate.weight", {shape.feed_forward, shape.width});
    tensors.Matrix(layer + "ffn_up.weight", {shape.feed_forward, shape.width});
    tensors.Matrix(layer + "ffn_down.weight", {shape.width, shape.feed_forward});
    return;
  }
  tensors.Add({layer + "ffn_gate_inp.weight", GgmlType::kF32, {shape.experts, shape.width}}, Filling::kNormal);
  tensors.Matrix(layer + "ffn_gate_exps.weight", {shape.experts, shape.feed_forward, shape.width});
  tensors.Matrix(layer + "ffn_up_exps.weight", {shape.experts, shape.feed_forward, shape.width});
  tensors.Matrix(layer + "ffn_down_exps.weight", {shape.experts, shape.width, shape.feed_forward});
}

}  // namespace

std::span<const Shape> Shapes() { return kShapes; }

std::optional<Shape> FindShape(std::string_view name) {
  const bool repeating = name.ends_with(kRepeating);
  const auto* found =
      std::ranges::find(kShapes, name.substr(0, name.size() - (repeating ? kRepeating.size() : 0)), &Shape::name);
  if (found == kShapes.end()) {
    return std::nullopt;
  }
  Shape shape = *found;
  shape.attention_deviation = repeating ? 0 : shape.attention_deviation;
  return shape;
}

std::vector<TensorToMake> TensorsOf(const Shape& shape) {
  Tensors tensors;
  tensors.Matrix("token_embd.weight", {shape.vocabulary, shape.width});
  if (shape.llama3_rope) {
    tensors.Add({"rope_freqs.weight", GgmlType::kF32, {shape.head_size / 2}}, Filling::kRopeFactors);
  }
  for (int64_t i = 0; i < shape.layers; ++i) {
    const std::string layer = "blk." + std::to_string(i) + ".";
    AddAttention(shape, layer, tensors);
    AddFeedForward(shape, layer, tensors);
  }
  tensors.Ones("output_norm.weight", shape.width);
  return tensors.Take();
}

tensor::GgufMetadata MetadataOf(const Shape& shape) {
  tensor::GgufMetadata metadata;
  const std::string prefix = std::string(shape.architecture) + ".";
  const auto integer = [&](const std::string& key, int64_t value) {
    metadata[key] = {static_cast<uint64_t>(value), GgufType::kU32};
  };
  const auto number = [&](const std::string& key, double value) { metadata[key] = {value, GgufType::kF32}; };
  metadata["general.architecture"] = {std::string(shape.architecture)};
  metadata["general.name"] = {std::string(shape.name) + " of random weights"};
  integer("general.file_type", 32);  // mostly BF16
  integer(prefix + "block_count", shape.layers);
  integer(prefix + "context_length", shape.context);
  integer(prefix + "embedding_length", shape.width);
  integer(prefix + "feed_forward_length", shape.feed_forward * std::max<int64_t>(shape.experts_used, 1));
  integer(prefix + "attention.head_count", shape.heads);
  integer(prefix + "attention.head_count_kv", shape.kv_heads);
  integer(prefix + "attention.key_length", shape.head_size);
  integer(prefix + "attention.value_length", shape.head_size);
  integer(prefix + "rope.dimension_count", shape.head_size);
  number(prefix + "rope.freq_base", shape.rope_base);
  number(prefix + "attention.layer_norm_rms_epsilon", shape.norm_epsilon);
  if (shape.experts > 0) {
    integer(prefix + "expert_count", shape.experts);
    integer(prefix + "expert_used_count", shape.experts_used);
    integer(prefix + "expert_feed_forward_length", shape.feed_forward);
  }
  return metadata;
}

std::vector<float> Llama3RopeFactors(const Shape& shape) {
  std::vector<float> factors;
  for (int64_t i = 0; i < shape.head_size / 2; ++i) {
    const double exponent = 2.0 * static_cast<double>(i) / static_cast<double>(shape.head_size);
    const double wave = 2 * std::numbers::pi * std::pow(shape.rope_base, exponent);
    const double smooth = std::clamp(
        (kLlama3OldContext / wave - kLlama3LowFrequency) / (kLlama3HighFrequency - kLlama3LowFrequency), 0.0, 1.0);
    factors.push_back(static_cast<float>(1 / ((1 - smooth) / kLlama3Factor + smooth)));
  }
  return factors;
}

}  // namespace atelier::bench
