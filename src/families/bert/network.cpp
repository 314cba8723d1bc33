#include "families/bert/network.h"

#include <algorithm>
#include <array>
#include <span>
#include <string>

#include "families/layers/dropout.h"

namespace atelier::families::bert {
namespace {

constexpr double kStart = 0.02;

layers::BlockOptions BlockOptionsOf(const Config& config) {
  layers::BlockOptions options;
  options.attention = {.width = config.width,
                       .heads = config.heads,
                       .kv_heads = config.heads,
                       .head = config.width / config.heads,
                       .bias = true,
                       .dropout = config.dropout};
  options.feed_forward = config.tanh_gelu ? layers::FeedForwardKind::kGeluTanh : layers::FeedForwardKind::kGelu;
  options.hidden = config.hidden;
  options.feed_forward_bias = true;
  options.norm = layers::NormKind::kLayer;
  options.norm_epsilon = config.epsilon;
  options.norm_first = false;
  options.dropout = config.dropout;
  return options;
}

using Names = std::pair<std::string_view, std::string_view>;  // ours, those of transformers
constexpr std::array<Names, 4> kWhole{{{"tokens", "bert.embeddings.word_embeddings.weight"},
                                       {"positions", "bert.embeddings.position_embeddings.weight"},
                                       {"types", "bert.embeddings.token_type_embeddings.weight"},
                                       {"output_bias", "cls.predictions.bias"}}};
constexpr std::array<Names, 5> kModules{{{"norm", "bert.embeddings.LayerNorm"},
                                         {"pooler", "bert.pooler.dense"},
                                         {"output", "classifier"},
                                         {"transform", "cls.predictions.transform.dense"},
                                         {"transform_norm", "cls.predictions.transform.LayerNorm"}}};
constexpr std::array<Names, 8> kParts{{{"attention.query", "attention.self.query"},
                                       {"attention.key", "attention.self.key"},
                                       {"attention.value", "attention.self.value"},
                                       {"attention.output", "attention.output.dense"},
                                       {"attention_norm", "attention.output.LayerNorm"},
                                       {"feed_forward.up", "intermediate.dense"},
                                       {"feed_forward.down", "output.dense"},
                                       {"feed_forward_norm", "output.LayerNorm"}}};

std::string_view Find(std::span<const Names> rows, std::string_view name) {
  const auto found = std::ranges::find(rows, name, &Names::first);
  return found == rows.end() ? std::string_view() : found->second;
}

// "blocks.3.attention.query.weight" -> "bert.encoder.layer.3.attention.self.query.weight". The names are the network's
// own: each has a row.
std::string HuggingFaceName(std::string_view name) {
  if (const auto whole = Find(kWhole, name); !whole.empty()) {
    return std::string(whole);
  }
  const size_t last = name.rfind('.');
  const std::string_view module = name.substr(0, last);
  const std::string_view suffix = name.substr(last);
  constexpr std::string_view kBlocks = "blocks.";
  if (!module.starts_with(kBlocks)) {
    return std::string(Find(kModules, module)) + std::string(suffix);
  }
  const size_t dot = module.find('.', kBlocks.size());
  return "bert.encoder.layer." + std::string(module.substr(kBlocks.size(), dot - kBlocks.size())) + "." +
         std::string(Find(kParts, module.substr(dot + 1))) + std::string(suffix);
}

constexpr std::string_view kPrefix = "bert.";

bool IsOfEncoder(std::string_view name) { return name.starts_with(kPrefix) && !name.starts_with("bert.pooler."); }

// The tensor of this name, with or without the prefix, or as BERT's first files call it.
const torch::Tensor* Find(const Tensors& file, const std::string& name) {
  const std::string bare = name.starts_with(kPrefix) ? name.substr(kPrefix.size()) : name;
  for (const std::string& whole : {name, bare}) {
    std::string old = whole;
    if (const size_t norm = old.rfind("LayerNorm."); norm != std::string::npos) {
      old = old.substr(0, norm) + (old.ends_with("weight") ? "LayerNorm.gamma" : "LayerNorm.beta");
    }
    for (const std::string& spelling : {whole, old}) {
      if (const auto found = file.find(spelling); found != file.end()) {
        return &found->second;
      }
    }
  }
  return nullptr;
}

Error Bad(const std::string& name, const std::string& what) {
  return InvalidArgument("the tensor '" + name + "' of the weights " + what, name, "invalid_model_file");
}

}  // namespace

NetworkImpl::NetworkImpl(const Config& config) : config_(config) {
  const auto drawn = [&](const char* name, int64_t rows) {
    return register_parameter(name, torch::randn({rows, config.width}) * kStart);
  };
  tokens_ = drawn("tokens", config.vocabulary);
  positions_ = drawn("positions", config.positions);
  types_ = drawn("types", config.types);
  const auto norm = [&](const char* name) {
    return register_module(name, layers::Norm(layers::NormKind::kLayer, config.width, config.epsilon));
  };
  norm_ = norm("norm");
  const auto list = register_module("blocks", torch::nn::ModuleList());
  for (int64_t i = 0; i < config.layers; ++i) {
    blocks_.emplace_back(BlockOptionsOf(config));
    list->push_back(blocks_.back());
  }
  const auto map = [&](const char* name, int64_t outputs) {
    return register_module(name, layers::Linear(config.width, outputs, true));
  };
  if (config.task == Task::kClassification || config.task == Task::kRegression) {
    pooler_ = map("pooler", config.width);
  }
  if (config.outputs() > 0) {
    output_ = map("output", config.outputs());
  }
  if (config.task == Task::kMaskedLm) {
    transform_ = map("transform", config.width);
    transform_norm_ = norm("transform_norm");
    output_bias_ = register_parameter("output_bias", torch::zeros({config.vocabulary}));
  }
}

torch::Tensor NetworkImpl::Drop(const torch::Tensor& x) const {
  return layers::Dropout(x, config_.dropout, is_training());
}

torch::Tensor NetworkImpl::States(const Batch& batch) {
  const int64_t length = batch.tokens.size(1);
  auto states = torch::embedding(tokens_, batch.tokens) + positions_.narrow(0, 0, length);
  states = states + (batch.types.defined() ? torch::embedding(types_, batch.types) : types_[0]);
  states = Drop(norm_(states));
  const layers::AttentionMask mask{.keys = batch.present};
  for (auto& block : blocks_) {
    states = block->Forward(states, mask);
  }
  return states.to(torch::kFloat32);
}

torch::Tensor NetworkImpl::Classify(const torch::Tensor& states) {
  return output_(Drop(torch::tanh(pooler_(states.select(1, 0)))));
}

torch::Tensor NetworkImpl::Tokens(const torch::Tensor& states) {
  if (config_.task == Task::kTagging) {
    return output_(Drop(states));
  }
  auto changed = transform_(states);
  changed = config_.tanh_gelu ? torch::gelu(changed, "tanh") : torch::gelu(changed);
  return torch::linear(transform_norm_(changed), tokens_, output_bias_);
}

torch::Tensor NetworkImpl::Embed(const torch::Tensor& states, const Batch& batch) const {
  torch::Tensor vectors;
  if (config_.pools_first) {
    vectors = states.select(1, 0);
  } else if (batch.present.defined()) {  // the mean is of length 1 in the end: the sum does
    vectors = (states * batch.present.unsqueeze(2)).sum(1);
  } else {
    vectors = states.sum(1);
  }
  return torch::nn::functional::normalize(vectors, torch::nn::functional::NormalizeFuncOptions().dim(1));
}

void NetworkImpl::Freeze(int64_t layers) {
  if (layers == 0) {
    return;
  }
  for (auto& item : named_parameters(false)) {
    item.value().set_requires_grad(item.key() == "output_bias");
  }
  const auto freeze = [](torch::nn::Module& module) {
    for (auto& parameter : module.parameters()) {
      parameter.set_requires_grad(false);
    }
  };
  freeze(*norm_);
  for (int64_t i = 0; i < std::min(layers, std::ssize(blocks_)); ++i) {
    freeze(*blocks_[static_cast<size_t>(i)]);
  }
}

Tensors ToHuggingFace(const NetworkImpl& network) {
  Tensors out;
  for (const auto& [name, tensor] : StateOf(network)) {
    std::string theirs = HuggingFaceName(name);
    if (network.config().task == Task::kEmbedding) {  // the class that has no head has no prefix, either
      theirs = theirs.substr(kPrefix.size());
    }
    out[theirs] = tensor;
  }
  return out;
}

Status ReadWeights(const Tensors& file, Heads heads, NetworkImpl& network) {
  return CatchTorch([&]() -> Status {
    const torch::NoGradGuard no_grad;
    for (auto& item : network.named_parameters()) {
      const std::string name = HuggingFaceName(item.key());
      const bool head = !IsOfEncoder(name);
      const bool drawn = heads == Heads::kDrawn && item.key().starts_with("output.");
      const torch::Tensor* found = drawn ? nullptr : Find(file, name);
      if (found == nullptr && head && heads != Heads::kMust) {
        continue;
      }
      if (found == nullptr || found->sizes() != item.value().sizes()) {
        return Bad(name, found == nullptr ? "is missing" : "has another shape than config.json says");
      }
      item.value().copy_(*found);
      if (!found->is_floating_point() || !torch::isfinite(item.value()).all().item<bool>()) {
        return Bad(name, "holds what is no finite number");
      }
    }
    return {};
  });
}

}  // namespace atelier::families::bert
