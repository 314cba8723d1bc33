#include "families/gpt/weights.h"

#include <map>
#include <memory>
#include <set>
#include <span>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "tensor/safetensors.h"

namespace atelier::families::gpt {
namespace {

enum class Layout : uint8_t { kSame, kTransposed };

// One of our parameters, as rows of one of Hugging Face's.
struct Row {
  std::string_view ours;
  std::string_view theirs;  // '%' is the number of the block
  Layout layout = Layout::kSame;
  int part = 0;  // of `parts`, one behind the other along the outputs
  int parts = 1;
};

constexpr Row kLlama[] = {{"tokens", "model.embed_tokens.weight"},
                          {"norm.weight", "model.norm.weight"},
                          {"output.weight", "lm_head.weight"},
                          {"blocks.%.attention_norm.weight", "model.layers.%.input_layernorm.weight"},
                          {"blocks.%.attention.query.weight", "model.layers.%.self_attn.q_proj.weight"},
                          {"blocks.%.attention.key.weight", "model.layers.%.self_attn.k_proj.weight"},
                          {"blocks.%.attention.value.weight", "model.layers.%.self_attn.v_proj.weight"},
                          {"blocks.%.attention.output.weight", "model.layers.%.self_attn.o_proj.weight"},
                          {"blocks.%.feed_forward_norm.weight", "model.layers.%.post_attention_layernorm.weight"},
                          {"blocks.%.feed_forward.gate.weight", "model.layers.%.mlp.gate_proj.weight"},
                          {"blocks.%.feed_forward.up.weight", "model.layers.%.mlp.up_proj.weight"},
                          {"blocks.%.feed_forward.down.weight", "model.layers.%.mlp.down_proj.weight"}};

constexpr Row kGpt2[] = {
    {"tokens", "transformer.wte.weight"},
    {"positions", "transformer.wpe.weight"},
    {"norm.weight", "transformer.ln_f.weight"},
    {"norm.bias", "transformer.ln_f.bias"},
    {"output.weight", "lm_head.weight"},
    {"blocks.%.attention_norm.weight", "transformer.h.%.ln_1.weight"},
    {"blocks.%.attention_norm.bias", "transformer.h.%.ln_1.bias"},
    {"blocks.%.attention.query.weight", "transformer.h.%.attn.c_attn.weight", Layout::kTransposed, 0, 3},
    {"blocks.%.attention.key.weight", "transformer.h.%.attn.c_attn.weight", Layout::kTransposed, 1, 3},
    {"blocks.%.attention.value.weight", "transformer.h.%.attn.c_attn.weight", Layout::kTransposed, 2, 3},
    {"blocks.%.attention.query.bias", "transformer.h.%.attn.c_attn.bias", Layout::kSame, 0, 3},
    {"blocks.%.attention.key.bias", "transformer.h.%.attn.c_attn.bias", Layout::kSame, 1, 3},
    {"blocks.%.attention.value.bias", "transformer.h.%.attn.c_attn.bias", Layout::kSame, 2, 3},
    {"blocks.%.attention.output.weight", "transformer.h.%.attn.c_proj.weight", Layout::kTransposed},
    {"blocks.%.attention.output.bias", "transformer.h.%.attn.c_proj.bias"},
    {"blocks.%.feed_forward_norm.weight", "transformer.h.%.ln_2.weight"},
    {"blocks.%.feed_forward_norm.bias", "transformer.h.%.ln_2.bias"},
    {"blocks.%.feed_forward.up.weight", "transformer.h.%.mlp.c_fc.weight", Layout::kTransposed},
    {"blocks.%.feed_forward.up.bias", "transformer.h.%.mlp.c_fc.bias"},
    {"blocks.%.feed_forward.down.weight", "transformer.h.%.mlp.c_proj.weight", Layout::kTransposed},
    {"blocks.%.feed_forward.down.bias", "transformer.h.%.mlp.c_proj.bias"}};

std::span<const Row> RowsOf(Kind kind) {
  return kind == Kind::kLlama ? std::span<const Row>(kLlama) : std::span<const Row>(kGpt2);
}

struct Place {
  const Row* row = nullptr;  // nullptr: none
  std::string name;          // Hugging Face's
};

Place PlaceOf(Kind kind, const std::string& parameter) {
  // The number of the block, between the first two dots of "blocks.N.".
  std::string pattern = parameter;
  std::string number;
  if (parameter.starts_with("blocks.")) {
    const size_t begin = std::string_view("blocks.").size();
    const size_t end = parameter.find('.', begin);
    number = parameter.substr(begin, end - begin);
    pattern.replace(begin, number.size(), "%");
  }
  for (const Row& row : RowsOf(kind)) {
    if (row.ours == pattern) {
      std::string name(row.theirs);
      if (const size_t at = name.find('%'); at != std::string::npos) {
        name.replace(at, 1, number);
      }
      return {&row, std::move(name)};
    }
  }
  return {};
}

Error Bad(const std::string& name, const std::string& what) {
  return InvalidArgument("tensor '" + name + "': " + what, name, "invalid_model_file");
}

using Shards = std::vector<std::unique_ptr<tensor::SafetensorsFile>>;

Result<Shards> OpenShards(const ModelFiles& files) {
  std::set<std::string> names{kWeightsFile};
  constexpr const char* kIndexFile = "model.safetensors.index.json";
  if (!files.contains(kWeightsFile) && files.contains(kIndexFile)) {
    ATELIER_ASSIGN(index, JsonFile(files, kIndexFile));
    const json::value* map = index.if_contains("weight_map");
    if (map == nullptr || !map->is_object()) {
      return InvalidArgument("model.safetensors.index.json has no weight_map", "weight_map", "invalid_model_file");
    }
    names.clear();
    for (const auto& entry : map->get_object()) {
      if (!entry.value().is_string()) {
        return Bad(entry.key(), "the index names no file for it");
      }
      names.emplace(std::string_view(entry.value().get_string()));
    }
  }
  Shards shards;
  for (const std::string& name : names) {
    ATELIER_ASSIGN(path, FileOf(files, name));
    ATELIER_ASSIGN(shard, tensor::SafetensorsFile::Open(path));
    shards.push_back(std::move(shard));
  }
  return shards;
}

// The rows of one of ours within one of theirs.
Result<torch::Tensor> Take(const Place& place, const torch::Tensor& theirs, const torch::Tensor& ours) {
  if (place.row->layout == Layout::kTransposed && theirs.dim() != 2) {
    return Bad(place.name, "it is no matrix");
  }
  auto whole = place.row->layout == Layout::kTransposed ? theirs.t() : theirs;
  if (whole.dim() < 1 || whole.size(0) % place.row->parts != 0) {
    return Bad(place.name, "it does not fit config.json");
  }
  const int64_t rows = whole.size(0) / place.row->parts;
  whole = whole.slice(0, place.row->part * rows, (place.row->part + 1) * rows);
  if (whole.sizes() != ours.sizes()) {
    return Bad(place.name, "it does not fit config.json");
  }
  return whole;
}

}  // namespace

Tensors ToHuggingFace(const NetworkImpl& network) {
  torch::NoGradGuard guard;
  std::map<std::string, std::vector<torch::Tensor>> parts;
  std::map<std::string, const Row*> rows;
  for (const auto& item : network.named_parameters()) {
    const Place place = PlaceOf(network.shape().kind, item.key());
    if (place.row == nullptr) {
      continue;  // of an adapter
    }
    auto& list = parts[place.name];
    list.resize(static_cast<size_t>(place.row->parts));
    list[static_cast<size_t>(place.row->part)] = item.value().detach();
    rows[place.name] = place.row;
  }
  Tensors out;
  for (const auto& [name, list] : parts) {
    auto whole = list.size() == 1 ? list.front() : torch::cat(list, 0);
    out[name] = (rows[name]->layout == Layout::kTransposed ? whole.t() : whole).contiguous();
  }
  return out;
}

Status ReadWeights(const ModelFiles& files, NetworkImpl& network) {
  torch::NoGradGuard guard;
  ATELIER_ASSIGN(shards, OpenShards(files));
  for (auto& item : network.named_parameters()) {
    const Place place = PlaceOf(network.shape().kind, item.key());
    if (place.row == nullptr) {
      continue;
    }
    const tensor::View* found = nullptr;
    // Files of the bare model leave the prefix out.
    const std::string bare = place.name.substr(place.name.find('.') + 1);
    for (const auto& shard : shards) {
      for (const std::string& name : {place.name, bare}) {
        const auto at = shard->tensors().find(name);
        found = found == nullptr && at != shard->tensors().end() ? &at->second : found;
      }
    }
    if (found == nullptr) {
      return Bad(place.name, "it is missing");
    }
    ATELIER_ASSIGN(theirs, TensorFrom(*found));
    ATELIER_ASSIGN(rows, Take(place, theirs, item.value()));
    item.value().copy_(rows);
  }
  return {};
}

ModulePlace ModuleOf(const Shape& shape, const std::string& parameter) {
  const Place place = PlaceOf(shape.kind, parameter);
  constexpr std::string_view kSuffix = ".weight";
  if (place.row == nullptr || !place.name.ends_with(kSuffix)) {
    return {};
  }
  return {place.name.substr(0, place.name.size() - kSuffix.size()), place.row->part, place.row->parts};
}

}  // namespace atelier::families::gpt
