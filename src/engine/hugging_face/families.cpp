#include "engine/hugging_face/families.h"

#include <algorithm>

namespace atelier::engine::hugging_face {
namespace {

using enum Change;
using enum Number;
using enum Presence;

// clang-format off
constexpr TensorRow kDecoder[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"},
    {"blk.%.attn_q", "model.layers.%.self_attn.q_proj"}, {"blk.%.attn_k", "model.layers.%.self_attn.k_proj"},
    {"blk.%.attn_v", "model.layers.%.self_attn.v_proj"}, {"blk.%.attn_output", "model.layers.%.self_attn.o_proj"},
    {"blk.%.attn_norm", "model.layers.%.input_layernorm"},
    {"blk.%.attn_q_norm", "model.layers.%.self_attn.q_norm"}, {"blk.%.attn_k_norm", "model.layers.%.self_attn.k_norm"},
    {"blk.%.ffn_gate", "model.layers.%.mlp.gate_proj"}, {"blk.%.ffn_up", "model.layers.%.mlp.up_proj"},
    {"blk.%.ffn_down", "model.layers.%.mlp.down_proj"}};
constexpr TensorRow kSecondNorm[] = {{"blk.%.ffn_norm", "model.layers.%.post_attention_layernorm"}};
constexpr TensorRow kNormsAfter[] = {
    {"blk.%.post_attention_norm", "model.layers.%.post_attention_layernorm"},
    {"blk.%.ffn_norm", "model.layers.%.pre_feedforward_layernorm"},
    {"blk.%.post_ffw_norm", "model.layers.%.post_feedforward_layernorm"}};
constexpr TensorRow kMixtral[] = {
    {"blk.%.ffn_gate_inp", "model.layers.%.block_sparse_moe.gate"},
    {"blk.%.ffn_gate_exps", "model.layers.%.block_sparse_moe.experts.#.w1", kParts},
    {"blk.%.ffn_down_exps", "model.layers.%.block_sparse_moe.experts.#.w2", kParts},
    {"blk.%.ffn_up_exps", "model.layers.%.block_sparse_moe.experts.#.w3", kParts}};
constexpr TensorRow kQwenExperts[] = {
    {"blk.%.ffn_gate_inp", "model.layers.%.mlp.gate"},
    {"blk.%.ffn_gate_exps", "model.layers.%.mlp.experts.#.gate_proj", kParts},
    {"blk.%.ffn_down_exps", "model.layers.%.mlp.experts.#.down_proj", kParts},
    {"blk.%.ffn_up_exps", "model.layers.%.mlp.experts.#.up_proj", kParts}};
constexpr TensorRow kPhi3[] = {
    {"token_embd", "model.embed_tokens"}, {"output_norm", "model.norm"}, {"output", "lm_head"},
    {"blk.%.attn_qkv", "model.layers.%.self_attn.qkv_proj"}, {"blk.%.attn_output", "model.layers.%.self_attn.o_proj"},
    {"blk.%.attn_norm", "model.layers.%.input_layernorm"},
    {"blk.%.ffn_up", "model.layers.%.mlp.gate_up_proj"}, {"blk.%.ffn_down", "model.layers.%.mlp.down_proj"}};
constexpr TensorRow kStarcoder2[] = {
    {"blk.%.ffn_up", "model.layers.%.mlp.c_fc"}, {"blk.%.ffn_down", "model.layers.%.mlp.c_proj"}};
constexpr TensorRow kStablelm[] = {
    {"blk.%.attn_q_norm", "model.layers.%.self_attn.q_layernorm.norms.#", kParts},
    {"blk.%.attn_k_norm", "model.layers.%.self_attn.k_layernorm.norms.#", kParts}};
constexpr TensorRow kGpt2[] = {
    {"token_embd", "transformer.wte"}, {"position_embd", "transformer.wpe"}, {"output_norm", "transformer.ln_f"},
    {"output", "lm_head"}, {"blk.%.attn_norm", "transformer.h.%.ln_1"}, {"blk.%.ffn_norm", "transformer.h.%.ln_2"},
    {"blk.%.attn_qkv", "transformer.h.%.attn.c_attn", kTranspose},
    {"blk.%.attn_output", "transformer.h.%.attn.c_proj", kTranspose},
    {"blk.%.ffn_up", "transformer.h.%.mlp.c_fc", kTranspose},
    {"blk.%.ffn_down", "transformer.h.%.mlp.c_proj", kTranspose}};
constexpr TensorRow kFalcon[] = {
    {"token_embd", "transformer.word_embeddings"}, {"output_norm", "transformer.ln_f"}, {"output", "lm_head"},
    {"blk.%.attn_norm", "transformer.h.%.ln_mlp", kNone, "blk.%.attn_norm_2.weight"},
    {"blk.%.attn_norm", "transformer.h.%.input_layernorm"}, {"blk.%.attn_norm_2", "transformer.h.%.ln_attn"},
    {"blk.%.attn_qkv", "transformer.h.%.self_attention.query_key_value", kGroups},
    {"blk.%.attn_output", "transformer.h.%.self_attention.dense"},
    {"blk.%.ffn_up", "transformer.h.%.mlp.dense_h_to_4h"}, {"blk.%.ffn_down", "transformer.h.%.mlp.dense_4h_to_h"}};
constexpr TensorRow kBertLayers[] = {
    {"token_embd", "bert.embeddings.word_embeddings"}, {"token_types", "bert.embeddings.token_type_embeddings"},
    {"token_embd_norm", "bert.embeddings.LayerNorm"},
    {"blk.%.attn_q", "bert.encoder.layer.%.attention.self.query"},
    {"blk.%.attn_k", "bert.encoder.layer.%.attention.self.key"},
    {"blk.%.attn_v", "bert.encoder.layer.%.attention.self.value"},
    {"blk.%.attn_output", "bert.encoder.layer.%.attention.output.dense"},
    {"blk.%.attn_output_norm", "bert.encoder.layer.%.attention.output.LayerNorm"}};
constexpr TensorRow kBert[] = {
    {"position_embd", "bert.embeddings.position_embeddings"},
    {"blk.%.ffn_up", "bert.encoder.layer.%.intermediate.dense"},
    {"blk.%.ffn_down", "bert.encoder.layer.%.output.dense"},
    {"blk.%.layer_output_norm", "bert.encoder.layer.%.output.LayerNorm"}};
// The pooler is the first half of BERT's head; an embedding model has no use for it.
constexpr TensorRow kBertRanker[] = {{"cls", "bert.pooler.dense"}, {"cls.output", "classifier"}};
constexpr TensorRow kRoberta[] = {
    {"token_embd", "roberta.embeddings.word_embeddings"}, {"token_types", "roberta.embeddings.token_type_embeddings"},
    {"position_embd", "roberta.embeddings.position_embeddings", kSkipRows},
    {"token_embd_norm", "roberta.embeddings.LayerNorm"},
    {"blk.%.attn_q", "roberta.encoder.layer.%.attention.self.query"},
    {"blk.%.attn_k", "roberta.encoder.layer.%.attention.self.key"},
    {"blk.%.attn_v", "roberta.encoder.layer.%.attention.self.value"},
    {"blk.%.attn_output", "roberta.encoder.layer.%.attention.output.dense"},
    {"blk.%.attn_output_norm", "roberta.encoder.layer.%.attention.output.LayerNorm"},
    {"blk.%.ffn_up", "roberta.encoder.layer.%.intermediate.dense"},
    {"blk.%.ffn_down", "roberta.encoder.layer.%.output.dense"},
    {"blk.%.layer_output_norm", "roberta.encoder.layer.%.output.LayerNorm"},
    {"cls", "classifier.dense"}, {"cls.output", "classifier.out_proj"}};
constexpr TensorRow kJina[] = {
    {"blk.%.ffn_up", "bert.encoder.layer.%.mlp.gated_layers"}, {"blk.%.ffn_up", "bert.encoder.layer.%.mlp.up_gated_layer"},
    {"blk.%.ffn_down", "bert.encoder.layer.%.mlp.wo"}, {"blk.%.ffn_down", "bert.encoder.layer.%.mlp.down_layer"},
    {"blk.%.layer_output_norm", "bert.encoder.layer.%.mlp.layernorm"},
    {"blk.%.layer_output_norm", "bert.encoder.layer.%.layer_norm_2"},
    {"blk.%.attn_norm_2", "bert.encoder.layer.%.layer_norm_1"},
    {"blk.%.attn_q_norm", "bert.encoder.layer.%.attention.self.layer_norm_q"},
    {"blk.%.attn_k_norm", "bert.encoder.layer.%.attention.self.layer_norm_k"}};
constexpr TensorRow kNomic[] = {
    {"token_embd", "embeddings.word_embeddings"}, {"token_types", "embeddings.token_type_embeddings"},
    {"token_embd_norm", "emb_ln"}, {"blk.%.attn_qkv", "encoder.layers.%.attn.Wqkv"},
    {"blk.%.attn_output", "encoder.layers.%.attn.out_proj"}, {"blk.%.attn_output_norm", "encoder.layers.%.norm1"},
    {"blk.%.ffn_up", "encoder.layers.%.mlp.fc11"}, {"blk.%.ffn_gate", "encoder.layers.%.mlp.fc12"},
    {"blk.%.ffn_down", "encoder.layers.%.mlp.fc2"}, {"blk.%.layer_output_norm", "encoder.layers.%.norm2"}};

constexpr KeyRow kSizes[] = {
    {"embedding_length", "hidden_size"}, {"block_count", "num_hidden_layers"},
    {"context_length", "max_position_embeddings"}, {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads"}};
constexpr KeyRow kDecoderKeys[] = {
    {"attention.head_count_kv", "num_key_value_heads", kInteger, kMay},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps", kReal, kMay, 1e-6},
    {"attention.key_length", "head_dim", kInteger, kMay}};
constexpr KeyRow kWindow[] = {{"attention.sliding_window", "sliding_window", kInteger, kMay}};
constexpr KeyRow kExperts[] = {
    {"expert_count", "num_local_experts", kInteger, kMust, 0, "num_experts"},
    {"expert_used_count", "num_experts_per_tok"}};
constexpr KeyRow kQwenExpertKeys[] = {
    {"expert_count", "num_experts", kInteger, kMust, 0, "num_local_experts"},
    {"expert_used_count", "num_experts_per_tok"}, {"expert_feed_forward_length", "moe_intermediate_size"}};
constexpr KeyRow kGemma2Keys[] = {
    {"attention.sliding_window", "sliding_window", kInteger, kMay},
    {"attn_logit_softcapping", "attn_logit_softcapping", kReal, kMay},
    {"final_logit_softcapping", "final_logit_softcapping", kReal, kMay}};
// Published files of several parts leave out what these values are.
constexpr KeyRow kGemma3Keys[] = {
    {"embedding_length", "hidden_size"}, {"block_count", "num_hidden_layers"},
    {"context_length", "max_position_embeddings", kInteger, kMay, 131072}, {"feed_forward_length", "intermediate_size"},
    {"attention.head_count", "num_attention_heads", kInteger, kMay, 8},
    {"attention.head_count_kv", "num_key_value_heads", kInteger, kMay, 4},
    {"attention.layer_norm_rms_epsilon", "rms_norm_eps", kReal, kMay, 1e-6},
    {"attention.key_length", "head_dim", kInteger, kMay, 256}};
constexpr KeyRow kPhi3Keys[] = {
    {"rope.scaling.original_context_length", "original_max_position_embeddings", kInteger, kMay},
    {"attention.sliding_window", "sliding_window", kInteger, kMay}};
constexpr KeyRow kStarcoder2Keys[] = {
    {"attention.head_count_kv", "num_key_value_heads", kInteger, kMay},
    {"attention.layer_norm_epsilon", "norm_epsilon", kReal, kMay, 1e-5},
    {"attention.sliding_window", "sliding_window", kInteger, kMay}};
constexpr KeyRow kStablelmKeys[] = {
    {"attention.head_count_kv", "num_key_value_heads", kInteger, kMay},
    {"attention.layer_norm_epsilon", "layer_norm_eps", kReal, kMay, 1e-5}};
constexpr KeyRow kGpt2Keys[] = {
    {"embedding_length", "n_embd"}, {"block_count", "n_layer"}, {"context_length", "n_positions"},
    {"feed_forward_length", "n_inner", kInteger, kMay}, {"attention.head_count", "n_head"},
    {"attention.layer_norm_epsilon", "layer_norm_epsilon", kReal, kMay, 1e-5}};
constexpr KeyRow kFalconKeys[] = {
    {"embedding_length", "hidden_size"}, {"block_count", "num_hidden_layers", kInteger, kMust, 0, "n_layer"},
    {"context_length", "max_position_embeddings", kInteger, kMay, 2048},
    {"feed_forward_length", "ffn_hidden_size", kInteger, kMay},
    {"attention.head_count", "num_attention_heads", kInteger, kMust, 0, "n_head"},
    {"attention.head_count_kv", "num_kv_heads", kInteger, kMay, 0, "n_head_kv"},
    {"attention.layer_norm_epsilon", "layer_norm_epsilon", kReal, kMay, 1e-5}};
constexpr KeyRow kBertKeys[] = {{"attention.layer_norm_epsilon", "layer_norm_eps", kReal, kMay, 1e-12}};
constexpr KeyRow kNomicKeys[] = {
    {"embedding_length", "n_embd", kInteger, kMust, 0, "hidden_size"},
    {"block_count", "n_layer", kInteger, kMust, 0, "num_hidden_layers"},
    {"context_length", "n_positions", kInteger, kMust, 0, "max_position_embeddings"},
    {"feed_forward_length", "n_inner", kInteger, kMust, 0, "intermediate_size"},
    {"attention.head_count", "n_head", kInteger, kMust, 0, "num_attention_heads"},
    {"attention.layer_norm_epsilon", "layer_norm_epsilon", kReal, kMay, 1e-12, "layer_norm_eps"}};

constexpr Demand kSilu[] = {{"hidden_act", {R"("silu")", R"("swish")"}}};
constexpr Demand kQwen2Demands[] = {{"hidden_act", {R"("silu")"}}, {"use_sliding_window", {"false"}}};
constexpr Demand kQwenExpertDemands[] = {{"hidden_act", {R"("silu")"}}, {"norm_topk_prob", {"true"}},
    {"decoder_sparse_step", {"1"}}, {"mlp_only_layers", {"[]", "null"}}, {"use_sliding_window", {"false"}}};
constexpr Demand kGemma[] = {{"hidden_activation", {R"("gelu_pytorch_tanh")", "null", R"("gelu")"}}};
constexpr Demand kGemma3[] = {{"hidden_activation", {R"("gelu_pytorch_tanh")"}}, {"attn_logit_softcapping", {"null"}},
    {"use_bidirectional_attention", {"false", "null"}}, {"rope_local_base_freq", {"10000.0", "10000", "1E4"}}};
constexpr Demand kGpt2Demands[] = {{"activation_function", {R"("gelu_new")", R"("gelu_pytorch_tanh")", R"("gelu")"}},
    {"scale_attn_weights", {"true"}}, {"scale_attn_by_inverse_layer_idx", {"false"}}};
constexpr Demand kStarcoder2Demands[] = {{"hidden_act", {R"("gelu_pytorch_tanh")", R"("gelu")", R"("gelu_new")"}}};
constexpr Demand kFalconDemands[] = {{"alibi", {"false"}}, {"parallel_attn", {"true"}}, {"activation", {R"("gelu")"}}};
constexpr Demand kBertDemands[] = {{"hidden_act", {R"("gelu")", R"("gelu_new")", R"("gelu_pytorch_tanh")"}},
    {"position_embedding_type", {R"("absolute")"}}, {"is_decoder", {"false"}}};
constexpr Demand kJinaDemands[] = {{"position_embedding_type", {R"("alibi")"}}, {"hidden_act", {R"("gelu")"}}};
constexpr Demand kNomicDemands[] = {{"activation_function", {R"("swiglu")"}}, {"hidden_act", {R"("silu")"}},
    {"rotary_emb_fraction", {"1.0", "1", "1E0"}}, {"rotary_emb_interleaved", {"false"}}, {"prenorm", {"false"}},
    {"moe_every_n_layers", {"0", "null"}}, {"rotary_scaling_factor", {"null"}}};

constexpr FlagRow kLlamaFlags[] = {{"attention_bias", "blk.0.attn_q.bias"}, {"mlp_bias", "blk.0.ffn_up.bias"}};
constexpr FlagRow kAttentionFlag[] = {{"attention_bias", "blk.0.attn_q.bias"}};
constexpr FlagRow kStarcoder2Flags[] = {{"use_bias", "blk.0.attn_q.bias"}};
constexpr FlagRow kStablelmFlags[] = {{"use_qkv_bias", "blk.0.attn_q.bias"}, {"qk_layernorm", "blk.0.attn_q_norm.weight"},
    {"use_parallel_residual", "blk.0.ffn_norm.weight", true}};
constexpr FlagRow kFalconFlags[] = {{"bias", "blk.0.attn_qkv.bias"}};

constexpr Family kFamilies[] = {
    {"llama", "LlamaForCausalLM", "llama", "model.", {kDecoder, kSecondNorm}, {kSizes, kDecoderKeys}, kSilu, kLlamaFlags},
    {"mistral", "MistralForCausalLM", "llama", "model.", {kDecoder, kSecondNorm}, {kSizes, kDecoderKeys, kWindow}, kSilu},
    {"mixtral", "MixtralForCausalLM", "llama", "model.", {kDecoder, kSecondNorm, kMixtral},
     {kSizes, kDecoderKeys, kExperts}, kSilu, {}, 1e6},
    {"qwen2", "Qwen2ForCausalLM", "qwen2", "model.", {kDecoder, kSecondNorm}, {kSizes, kDecoderKeys}, kQwen2Demands},
    {"qwen3", "Qwen3ForCausalLM", "qwen3", "model.", {kDecoder, kSecondNorm}, {kSizes, kDecoderKeys}, kQwen2Demands,
     kAttentionFlag},
    {"qwen3_moe", "Qwen3MoeForCausalLM", "qwen3moe", "model.", {kDecoder, kSecondNorm, kQwenExperts},
     {kSizes, kDecoderKeys, kQwenExpertKeys}, kQwenExpertDemands, kAttentionFlag},
    {"gemma", "GemmaForCausalLM", "gemma", "model.", {kDecoder, kSecondNorm}, {kSizes, kDecoderKeys}, kGemma, {}, 10000,
     true},
    {"gemma2", "Gemma2ForCausalLM", "gemma2", "model.", {kDecoder, kNormsAfter}, {kSizes, kDecoderKeys, kGemma2Keys},
     kGemma, {}, 10000, true},
    {"gemma3_text", "Gemma3ForCausalLM", "gemma3", "model.", {kDecoder, kNormsAfter}, {kGemma3Keys, kGemma2Keys}, kGemma3,
     {}, 1e6, true},
    {"gemma3", "Gemma3ForCausalLM", "gemma3", "model.", {kDecoder, kNormsAfter}, {kGemma3Keys, kGemma2Keys}, kGemma3, {},
     1e6, true, {}, {}, "text_config"},
    {"phi3", "Phi3ForCausalLM", "phi3", "model.", {kPhi3, kSecondNorm}, {kSizes, kDecoderKeys, kPhi3Keys}, kSilu},
    {"gpt2", "GPT2LMHeadModel", "gpt2", "transformer.", {kGpt2}, {kGpt2Keys}, kGpt2Demands},
    {"starcoder2", "Starcoder2ForCausalLM", "starcoder2", "model.", {kStarcoder2, kDecoder, kSecondNorm},
     {kSizes, kStarcoder2Keys}, kStarcoder2Demands, kStarcoder2Flags},
    {"falcon", "FalconForCausalLM", "falcon", "transformer.", {kFalcon}, {kFalconKeys}, kFalconDemands, kFalconFlags},
    {"stablelm", "StableLmForCausalLM", "stablelm", "model.", {kStablelm, kDecoder, kSecondNorm},
     {kSizes, kStablelmKeys}, kSilu, kStablelmFlags},
    {"olmo2", "Olmo2ForCausalLM", "olmo2", "model.", {kDecoder, kNormsAfter}, {kSizes, kDecoderKeys}, kSilu,
     kAttentionFlag},
    {"bert", "BertModel", "bert", "bert.", {kBertLayers, kBert, kBertRanker}, {kSizes, kBertKeys}, kBertDemands, {}, 0,
     false, "BertForSequenceClassification", "bert"},
    {"bert", "JinaBertModel", "jina-bert-v2", "bert.", {kBertLayers, kJina, kBertRanker}, {kSizes, kBertKeys},
     kJinaDemands, {}, 0, false, "JinaBertForSequenceClassification"},
    {"xlm-roberta", "XLMRobertaModel", "bert", "roberta.", {kRoberta}, {kSizes, kBertKeys}, kBertDemands, {}, 0, false,
     "XLMRobertaForSequenceClassification", "t5"},
    {"roberta", "RobertaModel", "bert", "roberta.", {kRoberta}, {kSizes, kBertKeys}, kBertDemands, {}, 0, false,
     "RobertaForSequenceClassification", "gpt2"},
    {"nomic_bert", "NomicBertModel", "nomic-bert", "bert.", {kNomic}, {kNomicKeys}, kNomicDemands, {}, 1000},
};
// clang-format on

// Tensors beside the layers that say nothing that the metadata does not.
constexpr std::string_view kOfRope[] = {"rope_freqs.weight", "rope_factors_long.weight", "rope_factors_short.weight"};

// Endings of names, the last two those of BERT's first files.
constexpr std::pair<std::string_view, std::string_view> kSuffixes[] = {
    {".weight", ".weight"}, {".bias", ".bias"}, {".gamma", ".weight"}, {".beta", ".bias"}};

// Splits "a.12.b" at its dots into a pattern "a.%.b" and its numbers; false where one is no small number.
bool Abstract(std::string_view name, std::string& pattern, std::array<int64_t, 2>& numbers) {
  size_t found = 0;
  pattern.clear();
  for (size_t at = 0; at <= name.size();) {
    const size_t end = std::min(name.find('.', at), name.size());
    const std::string_view word = name.substr(at, end - at);
    if (!word.empty() && word.size() <= 5 && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; })) {
      if (found == numbers.size() || (word.size() > 1 && word.front() == '0')) {
        return false;
      }
      pattern += found == 0 ? '%' : '#';
      numbers.at(found++) = std::stoll(std::string(word));
    } else {
      pattern += word;
    }
    pattern += '.';
    at = end + 1;
  }
  pattern.pop_back();
  return true;
}

std::string Concrete(std::string_view pattern, const Match& match) {
  std::string name;
  for (const char c : pattern) {
    name += c == '%' ? std::to_string(match.layer) : c == '#' ? std::to_string(match.part) : std::string(1, c);
  }
  return name + std::string(match.suffix);
}

// The row for which `is` holds, with the numbers of the name.
template <class Is>  // bool(const TensorRow&, std::string_view pattern)
Match FindRow(const Family& family, std::string_view name, const Is& is) {
  Match match;
  for (const auto& [ending, suffix] : kSuffixes) {
    if (name.ends_with(ending)) {
      match.suffix = suffix;
      name.remove_suffix(ending.size());
      break;
    }
  }
  std::string pattern;
  std::array<int64_t, 2> numbers{};
  if (match.suffix.empty() || !Abstract(name, pattern, numbers)) {
    return {};
  }
  match.layer = numbers[0];
  match.part = numbers[1];
  for (const auto rows : family.tensors) {
    for (const TensorRow& row : rows) {
      if (is(row, pattern)) {
        match.row = &row;
        return match;
      }
    }
  }
  return {};
}

// A name of a model of several parts as that of its language model.
std::string OfText(std::string_view name) {
  constexpr std::pair<std::string_view, std::string_view> kParts[] = {{"language_model.model.", "model."},
                                                                      {"model.language_model.", "model."},
                                                                      {"language_model.lm_head.", "lm_head."}};
  for (const auto& [from, to] : kParts) {
    if (name.starts_with(from)) {
      return std::string(to) + std::string(name.substr(from.size()));
    }
  }
  return std::string(name);
}

// The first demand that is not met; nullptr: all are.
const Demand* Unmet(const Family& family, const json::object& config) {
  for (const Demand& demand : family.demands) {
    const json::value* value = config.if_contains(demand.key);
    const auto is = [&](std::string_view text) { return !text.empty() && json::serialize(*value) == text; };
    if (value != nullptr && std::ranges::none_of(demand.values, is)) {
      return &demand;
    }
  }
  return nullptr;
}

}  // namespace

const Architecture& Family::row() const { return **FindArchitecture(architecture); }  // a name of its table

std::span<const Family> Families() { return kFamilies; }

Result<const json::object*> TextConfig(const Family& family, const json::object& config) {
  if (family.text_config.empty()) {
    return &config;
  }
  Fields fields(config, "config.json");
  ATELIER_ASSIGN(part, fields.ObjectOr(family.text_config));
  return part == nullptr ? &config : part;
}

Result<const Family*> FindFamily(const json::object& config) {
  Fields fields(config, "config.json");
  ATELIER_ASSIGN(type, fields.String("model_type", 200));
  const Demand* unmet = nullptr;
  for (const Family& family : kFamilies) {
    if (family.model_type != type) {
      continue;
    }
    ATELIER_ASSIGN(part, TextConfig(family, config));
    const Demand* missed = Unmet(family, *part);
    if (missed == nullptr) {
      return &family;
    }
    unmet = unmet == nullptr ? missed : unmet;
  }
  if (unmet == nullptr) {
    return MakeError(Code::kUnimplemented, "the model_type '" + type + "' is not supported", "unsupported_architecture",
                     "config.json.model_type");
  }
  return MakeError(
      Code::kUnimplemented,
      "'" + std::string(unmet->key) + "' of config.json has a value that is not supported in '" + type + "'",
      "unsupported_model", fields.Path(unmet->key));
}

Result<const Family*> FindFamily(const tensor::GgufFile& file) {
  ATELIER_ASSIGN(architecture, file.Text("general.architecture"));
  const auto tokenizer = file.Text("tokenizer.ggml.model");
  std::string nameless;
  for (const Family& family : kFamilies) {
    if (family.architecture != architecture ||
        (!family.tokenizer.empty() && tokenizer.ok() && *tokenizer != family.tokenizer)) {
      continue;
    }
    const auto unnamed = std::ranges::find_if(file.tensors(), [&](const auto& entry) {
      return std::ranges::find(kOfRope, entry.first) == std::end(kOfRope) &&
             MatchGguf(family, entry.first, file).row == nullptr;
    });
    if (unnamed == file.tensors().end()) {
      return &family;
    }
    nameless = unnamed->first;
  }
  return nameless.empty()
             ? MakeError(
                   Code::kUnimplemented,
                   "the architecture '" + architecture.substr(0, 64) + "' has no form in Hugging Face's layout here",
                   "unsupported_architecture", "general.architecture")
             : MakeError(Code::kUnimplemented, "tensor '" + nameless + "' has no name in Hugging Face's layout",
                         "unsupported_model", nameless);
}

Match MatchGguf(const Family& family, std::string_view name, const tensor::GgufFile& file) {
  return FindRow(family, name, [&](const TensorRow& row, std::string_view pattern) {
    if (row.gguf != pattern) {
      return false;
    }
    return row.beside.empty() || file.Find(Concrete(row.beside, {})) != nullptr;
  });
}

Match MatchHuggingFace(const Family& family, std::string_view name) {
  const std::string whole = family.text_config.empty() ? std::string(name) : OfText(name);
  for (const std::string_view prefix : {std::string_view(), family.prefix}) {
    const std::string full = std::string(prefix) + whole;
    const Match match = FindRow(
        family, full, [](const TensorRow& row, std::string_view pattern) { return row.hugging_face == pattern; });
    if (match.row != nullptr) {
      return match;
    }
  }
  return {};
}

std::string GgufName(const Match& match) { return Concrete(match.row->gguf, match); }
std::string HuggingFaceName(const Match& match) { return Concrete(match.row->hugging_face, match); }

bool IsNeedless(const Family& family, std::string_view name, bool ranks) {
  constexpr std::string_view kEnds[] = {"rotary_emb.inv_freq", ".attn.masked_bias", "position_ids"};
  constexpr std::string_view kBegins[] = {"vision_tower.", "multi_modal_projector.", "model.vision_tower.",
                                          "model.multi_modal_projector."};
  const bool buffer = family.model_type == "gpt2" && name.ends_with(".attn.bias");
  const bool head = !family.row().head && (name.starts_with("lm_head.") || name.starts_with("cls.predictions.") ||
                                           name.starts_with("cls.seq_relationship.") ||
                                           (!ranks && name.find("pooler.dense.") != std::string_view::npos));
  return buffer || head || std::ranges::any_of(kEnds, [&](std::string_view end) { return name.ends_with(end); }) ||
         (!family.text_config.empty() &&
          std::ranges::any_of(kBegins, [&](std::string_view begin) { return name.starts_with(begin); }));
}

}  // namespace atelier::engine::hugging_face
