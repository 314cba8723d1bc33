// What attention adds to the scores by distance: ALiBi (Press et al. 2021, https://arxiv.org/abs/2108.12409) and T5's
// relative bias (Raffel et al. 2020, https://arxiv.org/abs/1910.10683).
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/model_config.h"

namespace atelier::engine {

// Immutable, thread-safe.
class PositionBias {
 public:
  // `relative`: [buckets, heads] or empty; borrowed, as is `config`.
  PositionBias(const ModelConfig& config, std::span<const float> relative);

  // To the scores of a query's head with the keys from position `first` on.
  void AddTo(std::span<float> scores, size_t first, size_t query, size_t head) const;

 private:
  const ModelConfig& config_;
  std::span<const float> relative_;
  std::vector<float> slopes_;  // ALiBi's, [heads] or empty
};

}  // namespace atelier::engine
