#include "engine/adapter.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <string_view>
#include <utility>

#include "tensor/quants/quants.h"

namespace atelier::engine {
namespace {

constexpr std::string_view kNarrow = ".lora_a";
constexpr std::string_view kWide = ".lora_b";

Error Bad(const std::string& param, const std::string& what) {
  return InvalidArgument("not a valid adapter: " + what, param, "invalid_adapter");
}
Error BadTensor(const std::string& name, const std::string& what) { return Bad(name, "tensor '" + name + "' " + what); }

// The matrices whose inputs are rows of the batch, by name.
std::map<std::string, const Matrix*, std::less<>> Adaptable(const Weights& weights) {
  std::map<std::string, const Matrix*, std::less<>> matrices;
  const auto add = [&](const Linear& linear) {
    if (linear.weight.present()) {
      matrices[linear.weight.name] = &linear.weight;
    }
  };
  for (const LayerWeights& layer : weights.layers) {
    for (const Linear* linear : {&layer.query_key_value, &layer.query, &layer.key, &layer.value,
                                 &layer.attention_output, &layer.gate, &layer.up, &layer.down}) {
      add(*linear);
    }
  }
  if (weights.head.weight.name != weights.token_embedding.name) {
    add(weights.head);
  }
  return matrices;
}

Result<std::vector<float>> Floats(const std::string& name, const tensor::GgufTensor& tensor, size_t count) {
  std::vector<float> floats(count);
  if (const auto status = tensor::Dequantise(tensor.type, tensor.bytes, floats); !status.ok()) {
    return BadTensor(name, status.error().message);
  }
  if (!std::ranges::all_of(floats, [](float x) { return std::isfinite(x); })) {
    return BadTensor(name, "has a value that is no finite number");
  }
  return floats;
}

// The other half of a pair, of which one tensor is there.
Result<const tensor::GgufTensor*> Half(const tensor::GgufFile& file, const std::string& name) {
  const tensor::GgufTensor* tensor = file.Find(name);
  return tensor != nullptr ? Result<const tensor::GgufTensor*>(tensor) : BadTensor(name, "is missing");
}

Result<LowRank> LoadPair(const tensor::GgufFile& file, const Matrix& matrix, double alpha) {
  const std::string narrow_name = matrix.name + std::string(kNarrow);
  const std::string wide_name = matrix.name + std::string(kWide);
  ATELIER_ASSIGN(narrow, Half(file, narrow_name));
  ATELIER_ASSIGN(wide, Half(file, wide_name));
  const int64_t rank = narrow->shape.size() == 2 ? narrow->shape.front() : 1;  // a dimension of one may be left out
  const auto columns = static_cast<int64_t>(matrix.columns);
  const auto rows = static_cast<int64_t>(matrix.rows);
  if (rank < 1 || rank > kMaxAdapterRank || narrow->shape.empty() || narrow->shape.size() > 2 ||
      narrow->shape.back() != columns) {
    return BadTensor(narrow_name, "is not of the shape [rank, " + std::to_string(columns) + "], rank being at most " +
                                      std::to_string(kMaxAdapterRank));
  }
  if (wide->shape != std::vector<int64_t>{rows, rank}) {
    return BadTensor(wide_name, "is not of the shape [" + std::to_string(rows) + ", " + std::to_string(rank) + "]");
  }
  LowRank part{static_cast<size_t>(rank), {}, {}};
  ATELIER_ASSIGN(down, Floats(narrow_name, *narrow, part.rank * matrix.columns));
  ATELIER_ASSIGN(up, Floats(wide_name, *wide, part.rank * matrix.rows));
  part.narrow = std::move(down);
  part.wide = std::move(up);
  const auto scale = static_cast<float>(alpha == 0 ? 1.0 : alpha / static_cast<double>(rank));
  std::ranges::for_each(part.wide, [scale](float& x) { x *= scale; });
  return part;
}

Status ReadText(const tensor::GgufFile& file, const std::string& key, std::string& to) {
  auto value = file.Text(key);
  if (!value.ok()) {
    return Bad(key, value.error().message);
  }
  to = std::move(*value);
  return {};
}

}  // namespace

bool IsAdapter(const tensor::GgufFile& file) {
  const auto type = file.Text("general.type");
  return type.ok() && *type == "adapter";
}

Result<AdapterHead> ReadAdapterHead(const tensor::GgufFile& file) {
  AdapterHead head;
  std::string general;
  std::string type;
  ATELIER_TRY(ReadText(file, "general.type", general));
  if (general != "adapter") {
    return Bad("general.type", "general.type is not 'adapter'");
  }
  ATELIER_TRY(ReadText(file, "adapter.type", type));
  if (type != "lora" || file.Has("adapter.alora.invocation_tokens")) {
    return MakeError(Code::kUnimplemented, "only plain LoRA adapters can be used", "unsupported_adapter",
                     type != "lora" ? "adapter.type" : "adapter.alora.invocation_tokens");
  }
  ATELIER_TRY(ReadText(file, "general.architecture", head.architecture));
  const auto alpha = file.Has("adapter.lora.alpha") ? file.Number("adapter.lora.alpha") : Result<double>(0.0);
  if (!alpha.ok() || !(std::abs(*alpha) <= kMaxAdapterAlpha)) {
    return Bad("adapter.lora.alpha", alpha.ok() ? "adapter.lora.alpha is out of range" : alpha.error().message);
  }
  head.alpha = *alpha;
  return head;
}

Result<std::shared_ptr<const Adapter>> Adapter::Load(const tensor::GgufFile& file, const ModelConfig& config,
                                                     const Weights& weights, uint64_t id) {
  ATELIER_ASSIGN(head, ReadAdapterHead(file));
  if (head.architecture != config.architecture->name) {
    return Bad("general.architecture", "it is for the architecture '" + head.architecture.substr(0, 64) +
                                           "', the model is '" + std::string(config.architecture->name) + "'");
  }
  const auto matrices = Adaptable(weights);
  auto adapter = std::make_shared<Adapter>();
  adapter->id_ = id;
  for (const auto& [name, tensor] : file.tensors()) {
    if (!name.ends_with(kNarrow) && !name.ends_with(kWide)) {
      return BadTensor(name, "is no part of a low-rank adapter");
    }
    const auto found = matrices.find(std::string_view(name).substr(0, name.size() - kNarrow.size()));
    if (found == matrices.end()) {
      return BadTensor(name, "is for a matrix that this model has not, or that cannot be adapted");
    }
    if (adapter->parts_.contains(found->second)) {
      continue;  // came with its other half
    }
    ATELIER_ASSIGN(part, LoadPair(file, *found->second, head.alpha));
    adapter->rank_ = std::max(adapter->rank_, part.rank);
    adapter->bytes_ += (part.narrow.size() + part.wide.size()) * sizeof(float);
    adapter->parts_.emplace(found->second, std::move(part));
  }
  if (adapter->parts_.empty()) {
    return Bad("", "it has no tensors");
  }
  return std::shared_ptr<const Adapter>(std::move(adapter));
}

const LowRank* Adapter::Find(const Matrix& matrix) const {
  const auto found = parts_.find(&matrix);
  return found == parts_.end() ? nullptr : &found->second;
}

std::unique_ptr<Sequence> NewSequence(KvCache& cache, std::shared_ptr<const Adapter> adapter, uint64_t tenant) {
  auto sequence = cache.NewSequence({.adapter = adapter == nullptr ? 0 : adapter->id(), .tenant = tenant});
  sequence->Adapt(std::move(adapter));
  return sequence;
}

}  // namespace atelier::engine
