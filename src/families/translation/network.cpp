#include "families/translation/network.h"

#include <array>
#include <cmath>

#include "families/layers/dropout.h"

namespace atelier::families {
namespace {

constexpr double kEpsilon = 1e-5;

layers::BlockOptions BlockOptionsOf(const TranslationConfig& config, bool decoder) {
  layers::BlockOptions options;
  options.attention = {.width = config.width,
                       .heads = config.heads,
                       .kv_heads = config.heads,
                       .head = config.width / config.heads,
                       .bias = true};
  options.feed_forward = layers::FeedForwardKind::kRelu;
  options.hidden = config.hidden;
  options.feed_forward_bias = true;
  options.norm = layers::NormKind::kLayer;
  options.norm_epsilon = kEpsilon;
  options.norm_first = true;
  options.looks_across = decoder;
  options.dropout = config.dropout;
  return options;
}

// sin(p f_j) in the first half, cos(p f_j) in the second, f_j = 10000^(-j / (width / 2 - 1)). A text begins at the
// position behind the padding's id, which has none.
torch::Tensor Positions(const TranslationConfig& config) {
  const int64_t half = config.width / 2;
  auto table = torch::empty({config.max_length, config.width});
  auto numbers = table.accessor<float, 2>();
  const double step = std::log(10000.0) / static_cast<double>(std::max<int64_t>(1, half - 1));
  for (int64_t p = 0; p < config.max_length; ++p) {
    for (int64_t j = 0; j < half; ++j) {
      const double angle = static_cast<double>(p + config.padding + 1) * std::exp(-static_cast<double>(j) * step);
      numbers[p][j] = static_cast<float>(std::sin(angle));
      numbers[p][half + j] = static_cast<float>(std::cos(angle));
    }
  }
  return table;
}

using Names = std::pair<std::string_view, std::string_view>;
// Parts of names: ours, M2M100's.
constexpr std::array<Names, 12> kParts{{{"attention_norm", "self_attn_layer_norm"},
                                        {"cross_norm", "encoder_attn_layer_norm"},
                                        {"feed_forward_norm", "final_layer_norm"},
                                        {"attention.query", "self_attn.q_proj"},
                                        {"attention.key", "self_attn.k_proj"},
                                        {"attention.value", "self_attn.v_proj"},
                                        {"attention.output", "self_attn.out_proj"},
                                        {"cross.query", "encoder_attn.q_proj"},
                                        {"cross.key", "encoder_attn.k_proj"},
                                        {"cross.value", "encoder_attn.v_proj"},
                                        {"cross.output", "encoder_attn.out_proj"},
                                        {"feed_forward.up", "fc1"}}};
constexpr Names kLast{"feed_forward.down", "fc2"};

// "encoder.0.attention.query.weight" <-> "model.encoder.layers.0.self_attn.q_proj.weight"; empty: no such name.
std::string Renamed(const std::string& name, bool to_m2m100) {
  const std::string from_root = to_m2m100 ? "" : "model.";
  const std::string to_root = to_m2m100 ? "model." : "";
  if (name == (to_m2m100 ? "shared" : "model.shared.weight")) {
    return to_m2m100 ? "model.shared.weight" : "shared";
  }
  for (const std::string side : {"encoder", "decoder"}) {
    const std::string norm = to_m2m100 ? side + "_norm." : "model." + side + ".layer_norm.";
    if (name.starts_with(norm)) {
      return (to_m2m100 ? "model." + side + ".layer_norm." : side + "_norm.") + name.substr(norm.size());
    }
    const std::string layers = from_root + side + (to_m2m100 ? "." : ".layers.");
    if (!name.starts_with(layers)) {
      continue;
    }
    const size_t dot = name.find('.', layers.size());
    const size_t last = name.rfind('.');
    if (dot == std::string::npos || last <= dot) {
      return "";
    }
    const std::string number = name.substr(layers.size(), dot - layers.size());
    const std::string part = name.substr(dot + 1, last - dot - 1);
    for (size_t i = 0; i <= kParts.size(); ++i) {
      const Names& names = i < kParts.size() ? kParts.at(i) : kLast;
      if (part == (to_m2m100 ? names.first : names.second)) {
        return to_root + side + (to_m2m100 ? ".layers." : ".") + number + "." +
               std::string(to_m2m100 ? names.second : names.first) + name.substr(last);
      }
    }
  }
  return "";
}

torch::Tensor Chosen(const torch::Tensor& tensor, const torch::Tensor& rows) {
  return rows.defined() ? tensor.index_select(0, rows) : tensor;
}

}  // namespace

TranslatorImpl::TranslatorImpl(const TranslationConfig& config) : config_(config), positions_(Positions(config)) {
  shared_ = register_parameter("shared", torch::empty({config.vocabulary, config.width}));
  const auto add = [&](const std::string& side, int64_t count, std::vector<layers::Block>& blocks) {
    const auto list = register_module(side, torch::nn::ModuleList());
    for (int64_t i = 0; i < count; ++i) {
      blocks.emplace_back(BlockOptionsOf(config, side == "decoder"));
      list->push_back(blocks.back());
    }
    return register_module(side + "_norm", layers::Norm(layers::NormKind::kLayer, config.width, kEpsilon));
  };
  encoder_norm_ = add("encoder", config.encoder_layers, encoder_);
  decoder_norm_ = add("decoder", config.decoder_layers, decoder_);
  Start();
}

void TranslatorImpl::Start() {
  const torch::NoGradGuard no_grad;
  for (auto& item : named_parameters()) {
    if (item.key() == "shared") {
      item.value().normal_(0, 1 / std::sqrt(static_cast<double>(config_.width)));
    } else if (item.value().dim() == 2) {
      torch::nn::init::xavier_uniform_(item.value());
    }
  }
}

torch::Tensor TranslatorImpl::Embed(const torch::Tensor& tokens, int64_t first) {
  auto states = torch::embedding(shared_, tokens) * std::sqrt(static_cast<double>(config_.width));
  states = states + positions_.narrow(0, first, tokens.size(1));
  return layers::Dropout(states, config_.dropout, is_training());
}

torch::Tensor TranslatorImpl::Encode(const torch::Tensor& tokens, const torch::Tensor& present) {
  const layers::AttentionMask mask{.keys = present};
  auto states = Embed(tokens, 0);
  for (auto& block : encoder_) {
    states = block->Forward(states, mask);
  }
  return encoder_norm_(states);
}

torch::Tensor TranslatorImpl::Decode(const torch::Tensor& tokens, const torch::Tensor& memory,
                                     const torch::Tensor& present) {
  const layers::BlockImpl::Memory seen{.states = memory, .mask = {.keys = present}};
  auto states = Embed(tokens, 0);
  for (auto& block : decoder_) {  // padding is behind a text, where causality hides it
    states = block->Forward(states, {.causal = true}, nullptr, nullptr, &seen);
  }
  return decoder_norm_(states);
}

TranslatorImpl::State TranslatorImpl::Begin(torch::Tensor memory, torch::Tensor present) const {
  return {.memory = std::move(memory),
          .present = std::move(present),
          .own = std::vector<layers::KeyValues>(decoder_.size()),
          .across = std::vector<layers::KeyValues>(decoder_.size())};
}

torch::Tensor TranslatorImpl::Step(const torch::Tensor& tokens, State& state) {
  const int64_t rows = tokens.size(0);
  const int64_t texts = state.memory.size(0);
  auto states = Embed(tokens.view({rows, 1}), state.position);
  for (size_t i = 0; i < decoder_.size(); ++i) {
    auto& block = *decoder_[i];
    states = states + block.attention->Among(block.attention_norm(states), {}, nullptr, &state.own[i]);
    // The rows of a text look at one memory: as several positions of one item they need no copies of it.
    const auto asked = block.cross_norm(states).view({texts, rows / texts, config_.width});
    states = states + block.cross->Across(asked, state.memory, {.keys = state.present}, &state.across[i])
                          .view({rows, 1, config_.width});
    states = states + block.feed_forward(block.feed_forward_norm(states));
  }
  ++state.position;
  return torch::matmul(decoder_norm_(states).view({rows, config_.width}), shared_.t());
}

void TranslatorImpl::Select(State& state, const torch::Tensor& rows, const torch::Tensor& texts) {
  state.memory = Chosen(state.memory, texts);
  state.present = Chosen(state.present, texts);
  for (size_t i = 0; i < state.own.size(); ++i) {
    state.own[i] = {Chosen(state.own[i].keys, rows), Chosen(state.own[i].values, rows)};
    state.across[i] = {Chosen(state.across[i].keys, texts), Chosen(state.across[i].values, texts)};
  }
}

Tensors ToM2m100(const Tensors& state) {
  Tensors out;
  for (const auto& [name, tensor] : state) {
    out[Renamed(name, true)] = tensor;
  }
  return out;
}

Result<Tensors> FromM2m100(const Tensors& tensors) {
  Tensors out;
  for (const auto& [name, tensor] : tensors) {
    const std::string own = Renamed(name, false);
    if (own.empty() || !out.emplace(own, tensor).second) {
      return InvalidArgument("the weights have a tensor '" + name.substr(0, 200) + "', which this family has not", "",
                             "invalid_model_file");
    }
  }
  return out;
}

}  // namespace atelier::families
