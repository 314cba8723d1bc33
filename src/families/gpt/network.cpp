#include "families/gpt/network.h"

#include <cmath>

#include "families/layers/dropout.h"

namespace atelier::families::gpt {
namespace {

layers::BlockOptions BlockOptionsOf(const Shape& shape, double dropout) {
  const bool llama = shape.kind == Kind::kLlama;
  return {.attention = {.width = shape.width,
                        .heads = shape.heads,
                        .kv_heads = shape.kv_heads,
                        .head = shape.head,
                        .bias = !llama},
          .feed_forward = llama ? layers::FeedForwardKind::kSwiGlu : layers::FeedForwardKind::kGeluTanh,
          .hidden = shape.hidden,
          .feed_forward_bias = !llama,
          .norm = llama ? layers::NormKind::kRms : layers::NormKind::kLayer,
          .norm_epsilon = shape.epsilon,
          .dropout = dropout};
}

}  // namespace

NetworkImpl::NetworkImpl(const Shape& shape, double dropout) : shape_(shape), dropout_(dropout) {
  const bool llama = shape.kind == Kind::kLlama;
  tokens_ = register_parameter("tokens", torch::randn({shape.vocabulary, shape.width}) * 0.02);
  if (llama) {
    rope_ = layers::MakeRopeTable(shape.context, shape.head, shape.rope_base);
  } else {
    positions_ = register_parameter("positions", torch::randn({shape.context, shape.width}) * 0.02);
  }
  torch::nn::ModuleList list;
  const double scale = 1 / std::sqrt(2.0 * static_cast<double>(shape.layers));
  for (int64_t i = 0; i < shape.layers; ++i) {
    layers::Block block(BlockOptionsOf(shape, dropout));
    torch::NoGradGuard guard;
    block->attention->output->weight.mul_(scale);
    block->feed_forward->down->weight.mul_(scale);
    list->push_back(block);
    blocks_.push_back(std::move(block));
  }
  register_module("blocks", list);
  norm_ = register_module(
      "norm", layers::Norm(llama ? layers::NormKind::kRms : layers::NormKind::kLayer, shape.width, shape.epsilon));
  if (!shape.tied) {
    output_ = register_module("output", layers::Linear(shape.width, shape.vocabulary, false));
  }
}

torch::Tensor NetworkImpl::States(const torch::Tensor& tokens, const layers::AttentionMask& mask,
                                  const torch::Tensor& positions) {
  auto states = torch::embedding(tokens_, tokens);
  if (positions_.defined()) {
    states = states +
             (positions.defined() ? torch::embedding(positions_, positions) : positions_.slice(0, 0, tokens.size(1)));
  }
  states = layers::Dropout(states, dropout_, is_training());
  const layers::RopeTable* rope = positions_.defined() ? nullptr : &rope_;
  for (auto& block : blocks_) {
    states = block->Forward(states, mask, rope);
  }
  return norm_(states);
}

void NetworkImpl::AddLora(const layers::LoraOptions& options, bool attention_only) {
  lora_ = options;
  for (auto& parameter : parameters()) {
    parameter.set_requires_grad(false);
  }
  for (auto* map : Maps(attention_only)) {
    (*map)->AddLora(options);
  }
}

void NetworkImpl::Quantise() {
  for (auto* map : Maps(false)) {
    (*map)->Quantise();
  }
}

std::vector<layers::Linear*> NetworkImpl::Maps(bool attention_only) {
  std::vector<layers::Linear*> maps;
  for (auto& block : blocks_) {
    auto& attention = *block->attention;
    auto& forward = *block->feed_forward;
    maps.insert(maps.end(), {&attention.query, &attention.key, &attention.value, &attention.output});
    for (auto* map : {&forward.gate, &forward.up, &forward.down}) {
      if (!attention_only && !map->is_empty()) {
        maps.push_back(map);
      }
    }
  }
  return maps;
}

torch::Tensor NetworkImpl::Logits(const torch::Tensor& states) {
  const auto logits = output_.is_empty() ? torch::linear(states, tokens_) : output_(states);
  return logits.to(torch::kFloat32);
}

}  // namespace atelier::families::gpt
