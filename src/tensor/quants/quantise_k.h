// The formats whose scales are searched: super-blocks and IQ4_NL. Part of Quantise.
#pragma once

#include <span>

#include "tensor/quants/blocks.h"

namespace atelier::tensor {

// Each fills every byte of `block` from finite weights. False if a scale does not fit F16. Thread-safe.
bool Encode(std::span<const float, kSuperBlockWeights> weights, Q2KBlock& block);
bool Encode(std::span<const float, kSuperBlockWeights> weights, Q3KBlock& block);
bool Encode(std::span<const float, kSuperBlockWeights> weights, Q4KBlock& block);
bool Encode(std::span<const float, kSuperBlockWeights> weights, Q5KBlock& block);
bool Encode(std::span<const float, kSuperBlockWeights> weights, Q6KBlock& block);
bool Encode(std::span<const float, kSuperBlockWeights> weights, Iq4XsBlock& block);
bool Encode(std::span<const float, kBlockWeights> weights, Iq4NlBlock& block);

}  // namespace atelier::tensor
