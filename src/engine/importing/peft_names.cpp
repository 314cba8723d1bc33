#include <algorithm>
#include <array>
#include <charconv>

#include "engine/importing/peft.h"

namespace atelier::engine {
namespace {

struct ModuleRow {
  std::string_view module;  // behind the layer's number
  std::string_view gguf;
};

constexpr ModuleRow kModules[] = {
    // llama, mistral, qwen, gemma, phi3, stablelm, olmo2, starcoder2
    {"self_attn.q_proj", "attn_q"},
    {"self_attn.k_proj", "attn_k"},
    {"self_attn.v_proj", "attn_v"},
    {"self_attn.qkv_proj", "attn_qkv"},
    {"self_attn.o_proj", "attn_output"},
    {"mlp.gate_proj", "ffn_gate"},
    {"mlp.up_proj", "ffn_up"},
    {"mlp.gate_up_proj", "ffn_up"},
    {"mlp.down_proj", "ffn_down"},
    {"mlp.c_fc", "ffn_up"},
    {"mlp.c_proj", "ffn_down"},
    // gpt2
    {"attn.c_attn", "attn_qkv"},
    {"attn.c_proj", "attn_output"},
    // bert, roberta
    {"attention.self.query", "attn_q"},
    {"attention.self.key", "attn_k"},
    {"attention.self.value", "attn_v"},
    {"attention.output.dense", "attn_output"},
    {"intermediate.dense", "ffn_up"},
    {"output.dense", "ffn_down"},
};
constexpr std::array<std::string_view, 3> kLayers{"layers", "h", "layer"};
constexpr std::array<std::string_view, 6> kOuter{"model",   "language_model", "transformer",
                                                 "encoder", "bert",           "roberta"};
constexpr int kMaxLayers = 10'000;

// Cuts the first part off a dotted name.
std::string_view Take(std::string_view& name) {
  const size_t dot = name.find('.');
  const std::string_view part = name.substr(0, dot);
  name.remove_prefix(dot == std::string_view::npos ? name.size() : dot + 1);
  return part;
}

}  // namespace

std::optional<std::string> GgufTensorOf(std::string_view module) {
  if (module == "lm_head") {
    return "output";
  }
  std::string_view part = Take(module);
  while (std::ranges::find(kOuter, part) != kOuter.end()) {
    part = Take(module);
  }
  if (std::ranges::find(kLayers, part) == kLayers.end()) {
    return std::nullopt;
  }
  const std::string_view number = Take(module);
  int layer = -1;
  const auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), layer);
  const auto row = std::ranges::find(kModules, module, &ModuleRow::module);
  if (error != std::errc() || end != number.data() + number.size() || layer < 0 || layer > kMaxLayers ||
      row == std::end(kModules)) {
    return std::nullopt;
  }
  return "blk." + std::to_string(layer) + "." + std::string(row->gguf);
}

}  // namespace atelier::engine
