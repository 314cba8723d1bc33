// Rotary positions (Su et al. 2021, https://arxiv.org/abs/2104.09864) with the ways to stretch them: linear, YaRN
// (https://arxiv.org/abs/2309.00071) and factors for each frequency (Llama 3's, LongRoPE's).
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

#include "engine/model_config.h"
#include "engine/weights.h"

namespace atelier::engine {

// How far each pair of dimensions turns. Immutable, thread-safe.
class RopeTable {
 public:
  RopeTable() = default;  // of no dimensions
  // `factors`: divide the frequencies, [dimensions / 2], or empty.
  RopeTable(Rope kind, const RopeConfig& config, std::span<const float> factors);

  size_t dimensions() const { return 2 * frequencies_.size(); }
  // For each dimension the cosine of its turn at a position, and the sine with the sign that its partner's number has:
  // tensor::Turn, [2, dimensions].
  void Angles(size_t position, float* to) const;

 private:
  Rope kind_ = Rope::kNone;
  std::vector<double> frequencies_;
  double magnitude_ = 1.0;
};

// The table of a model's layers that see everything, and of those with a window. `context`: the longest sequence that
// will be run; LongRoPE chooses its factors by it, so that a sequence's results do not change as it grows.
RopeTable GlobalRope(const ModelConfig& config, const Weights& weights, int64_t context);
RopeTable LocalRope(const ModelConfig& config, const RopeTable& global);

}  // namespace atelier::engine
