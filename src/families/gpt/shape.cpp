#include "families/gpt/shape.h"

#include <algorithm>

namespace atelier::families::gpt {
namespace {

Error Bad(std::string_view key, const std::string& what) {
  return InvalidArgument("config.json, " + std::string(key) + ": " + what, std::string(key), "invalid_model_file");
}

Error Unsupported(std::string_view key, const std::string& what) {
  return MakeError(Code::kUnimplemented, "config.json, " + std::string(key) + ": " + what + " cannot be trained here",
                   "unsupported_model", std::string(key));
}

Result<Shape> Llama(Fields& fields, const json::object& config) {
  Shape shape{.kind = Kind::kLlama};
  ATELIER_ASSIGN(width, fields.Int("hidden_size", 1, kMaxWidth));
  ATELIER_ASSIGN(layers, fields.Int("num_hidden_layers", 1, kMaxBlocks));
  ATELIER_ASSIGN(heads, fields.Int("num_attention_heads", 1, kMaxWidth));
  ATELIER_ASSIGN(kv_heads, fields.IntOr("num_key_value_heads", heads, 1, heads));
  ATELIER_ASSIGN(head, fields.IntOr("head_dim", width / heads, 1, kMaxWidth));
  ATELIER_ASSIGN(hidden, fields.Int("intermediate_size", 1, 16 * kMaxWidth));
  ATELIER_ASSIGN(context, fields.IntOr("max_position_embeddings", 2048, 1, kMaxContext));
  ATELIER_ASSIGN(base, fields.NumberOr("rope_theta", 10000, 1, 1e12));
  ATELIER_ASSIGN(epsilon, fields.NumberOr("rms_norm_eps", 1e-6, 1e-12, 1));
  ATELIER_ASSIGN(tied, fields.BoolOr("tie_word_embeddings", false));
  ATELIER_ASSIGN(activation, fields.StringOr("hidden_act", "silu"));
  ATELIER_ASSIGN(attention_bias, fields.BoolOr("attention_bias", false));
  ATELIER_ASSIGN(mlp_bias, fields.BoolOr("mlp_bias", false));
  if (activation != "silu") {
    return Unsupported("hidden_act", "another activation than silu");
  }
  if (attention_bias || mlp_bias) {
    return Unsupported(attention_bias ? "attention_bias" : "mlp_bias", "a Llama with biases");
  }
  const json::value* parameters = config.if_contains("rope_parameters");  // the newer form
  if (parameters != nullptr && parameters->is_object()) {
    Fields rope(parameters->get_object(), "rope_parameters");
    ATELIER_ASSIGN(type, rope.StringOr("rope_type", "default"));
    ATELIER_ASSIGN(theta, rope.NumberOr("rope_theta", base, 1, 1e12));
    if (type != "default") {
      return Unsupported("rope_parameters", "a scaled rotation");
    }
    base = theta;
  }
  if (fields.Has("rope_scaling")) {
    return Unsupported("rope_scaling", "a scaled rotation");
  }
  shape.width = width;
  shape.layers = layers;
  shape.heads = heads;
  shape.kv_heads = kv_heads;
  shape.head = head;
  shape.hidden = hidden;
  shape.context = context;
  shape.rope_base = base;
  shape.epsilon = epsilon;
  shape.tied = tied;
  return shape;
}

Result<Shape> Gpt2(Fields& fields) {
  Shape shape{.kind = Kind::kGpt2};
  ATELIER_ASSIGN(width, fields.Int("n_embd", 1, kMaxWidth));
  ATELIER_ASSIGN(layers, fields.Int("n_layer", 1, kMaxBlocks));
  ATELIER_ASSIGN(heads, fields.Int("n_head", 1, kMaxWidth));
  ATELIER_ASSIGN(hidden, fields.IntOr("n_inner", 4 * width, 1, 16 * kMaxWidth));
  ATELIER_ASSIGN(context, fields.IntOr("n_positions", 1024, 1, kMaxContext));
  ATELIER_ASSIGN(epsilon, fields.NumberOr("layer_norm_epsilon", 1e-5, 1e-12, 1));
  ATELIER_ASSIGN(tied, fields.BoolOr("tie_word_embeddings", true));
  ATELIER_ASSIGN(activation, fields.StringOr("activation_function", "gelu_new"));
  if (activation != "gelu_new" && activation != "gelu_pytorch_tanh") {
    return Unsupported("activation_function", "another activation than gelu_new");
  }
  shape.width = width;
  shape.layers = layers;
  shape.heads = shape.kv_heads = heads;
  shape.head = width / heads;
  shape.hidden = hidden;
  shape.context = context;
  shape.epsilon = epsilon;
  shape.tied = tied;
  return shape;
}

}  // namespace

std::string_view Name(Kind kind) { return kind == Kind::kLlama ? "llama" : "gpt2"; }

Result<Shape> ShapeFromConfig(const json::object& config) {
  Fields fields(config);
  ATELIER_ASSIGN(type, fields.String("model_type"));
  if (type != "llama" && type != "gpt2") {
    return Unsupported("model_type", "a '" + type.substr(0, 64) + "'");
  }
  ATELIER_ASSIGN(shape, type == "llama" ? Llama(fields, config) : Gpt2(fields));
  ATELIER_ASSIGN(vocabulary, fields.Int("vocab_size", 1, 4'000'000));
  shape.vocabulary = vocabulary;
  ATELIER_TRY(CheckShape(shape));
  return shape;
}

Status CheckShape(const Shape& shape) {
  const bool llama = shape.kind == Kind::kLlama;
  if (shape.heads < 1 || shape.kv_heads < 1 || shape.heads % shape.kv_heads != 0) {
    return Bad("num_key_value_heads",
               std::to_string(shape.heads) + " heads cannot share " + std::to_string(shape.kv_heads) + " keys");
  }
  if (shape.head < 1 || (llama && shape.head % 2 != 0) || (!llama && shape.head * shape.heads != shape.width)) {
    return Bad(llama ? "head_dim" : "n_head", "a width of " + std::to_string(shape.width) + " does not make " +
                                                  std::to_string(shape.heads) + " heads" +
                                                  (llama ? " of an even size" : ""));
  }
  if (shape.width < 1 || shape.layers < 1 || shape.hidden < 1 || shape.context < 1 || shape.vocabulary < 1) {
    return Bad("hidden_size", "a size is less than one");
  }
  return {};
}

json::object ToConfig(const Shape& shape) {
  if (shape.kind == Kind::kGpt2) {
    return {{"architectures", json::array{"GPT2LMHeadModel"}},
            {"model_type", "gpt2"},
            {"vocab_size", shape.vocabulary},
            {"n_embd", shape.width},
            {"n_layer", shape.layers},
            {"n_head", shape.heads},
            {"n_inner", shape.hidden},
            {"n_positions", shape.context},
            {"n_ctx", shape.context},
            {"layer_norm_epsilon", shape.epsilon},
            {"activation_function", "gelu_new"},
            {"tie_word_embeddings", shape.tied},
            {"torch_dtype", "float32"}};
  }
  return {{"architectures", json::array{"LlamaForCausalLM"}},
          {"model_type", "llama"},
          {"vocab_size", shape.vocabulary},
          {"hidden_size", shape.width},
          {"num_hidden_layers", shape.layers},
          {"num_attention_heads", shape.heads},
          {"num_key_value_heads", shape.kv_heads},
          {"head_dim", shape.head},
          {"intermediate_size", shape.hidden},
          {"max_position_embeddings", shape.context},
          {"rope_theta", shape.rope_base},
          {"rms_norm_eps", shape.epsilon},
          {"hidden_act", "silu"},
          {"attention_bias", false},
          {"mlp_bias", false},
          {"tie_word_embeddings", shape.tied},
          {"torch_dtype", "float32"}};
}

int64_t ParametersOf(const Shape& shape) {
  const bool llama = shape.kind == Kind::kLlama;
  const int64_t queries = shape.heads * shape.head;
  const int64_t shared = shape.kv_heads * shape.head;
  int64_t block = shape.width * (2 * queries + 2 * shared) + (llama ? 3 : 2) * shape.width * shape.hidden;
  block += llama ? 2 * shape.width : 4 * shape.width + queries + 2 * shared + shape.width + shape.hidden + shape.width;
  const int64_t tokens = shape.vocabulary * shape.width;
  return shape.layers * block + tokens * (shape.tied ? 1 : 2) + (llama ? 1 : 2 + shape.context) * shape.width;
}

}  // namespace atelier::families::gpt
