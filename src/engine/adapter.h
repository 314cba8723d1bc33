// Low-rank adapters (LoRA: Hu et al. 2021, https://arxiv.org/abs/2106.09685): with one, some matrices W of a model act
// as W + scale * B A, where A and B are narrow. As GGUF files: general.type "adapter", adapter.type "lora",
// adapter.lora.alpha, and for each adapted tensor NAME the tensors NAME.lora_a, [rank, columns of W], and NAME.lora_b,
// [rows of W, rank]; the scale is alpha / rank, or 1 where alpha is 0 or absent
// (https://github.com/ggml-org/llama.cpp/blob/master/convert_lora_to_gguf.py).
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "engine/kv_cache.h"
#include "engine/model_config.h"
#include "engine/weights.h"
#include "tensor/gguf.h"

namespace atelier::engine {

inline constexpr int64_t kMaxAdapterRank = 4096;
inline constexpr double kMaxAdapterAlpha = 1e6;

struct LowRank {
  size_t rank = 0;
  std::vector<float> narrow;  // A, [rank, columns]
  std::vector<float> wide;    // B times the scale, [rows, rank]
};

// What an adapter is, whatever model it is for.
struct AdapterHead {
  std::string architecture;  // of its base model
  double alpha = 0;
};

// Whether the file says that it is an adapter, of whatever kind.
bool IsAdapter(const tensor::GgufFile& file);
// Errors: kInvalidArgument "invalid_adapter" naming the key; kUnimplemented "unsupported_adapter" for what is no LoRA.
Result<AdapterHead> ReadAdapterHead(const tensor::GgufFile& file);

// Of one model, whose weights it borrows. Its own numbers are floats in memory, whatever the file has. Immutable.
class Adapter {
 public:
  // `id` is not 0 and that of no other adapter of the model. Errors: those of ReadAdapterHead; kInvalidArgument
  // "invalid_adapter" naming the tensor that is of another shape, without its other half, not finite, or for a matrix
  // that the model has not or that cannot be adapted (embeddings, experts), or the key.
  static Result<std::shared_ptr<const Adapter>> Load(const tensor::GgufFile& file, const ModelConfig& config,
                                                     const Weights& weights, uint64_t id);

  // What is added to a matrix of the model; nullptr: nothing.
  const LowRank* Find(const Matrix& matrix) const;
  uint64_t id() const { return id_; }
  size_t rank() const { return rank_; }    // the largest
  size_t bytes() const { return bytes_; }  // of memory
  size_t matrices() const { return parts_.size(); }

 private:
  std::unordered_map<const Matrix*, LowRank> parts_;
  uint64_t id_ = 0;
  size_t rank_ = 0;
  size_t bytes_ = 0;
};

// An empty sequence for the model's tokens as `adapter` sees them (nullptr: as the model does). Its keys and values are
// shared with no sequence of another adapter or tenant.
std::unique_ptr<Sequence> NewSequence(KvCache& cache, std::shared_ptr<const Adapter> adapter, uint64_t tenant = 0);

// Rows side by side in a batch that have an adapter.
struct AdaptedRows {
  const Adapter* adapter = nullptr;
  size_t first = 0;
  size_t count = 0;
};

}  // namespace atelier::engine
