// What happens to one row of activations between the products. All are functions of that row alone, added up in one
// order, so that a row's result does not depend on what else is computed.
#pragma once

#include <cstddef>
#include <span>

#include "engine/architectures.h"

namespace atelier::engine {

struct Norm {
  NormKind kind = NormKind::kRms;
  double epsilon = 0;
  std::span<const float> weight;
  std::span<const float> bias;  // or empty
};

// to = norm(from) * weight + bias; `to` may be `from`.
void Normalise(const Norm& norm, std::span<const float> from, float* to);

void Activate(Activation activation, std::span<float> values);
// gate = act(gate) * up
void ActivateGate(Activation activation, std::span<float> gate, const float* up);

void Add(std::span<float> to, const float* from);  // to += from

// value = cap * tanh(value / cap)
void SoftCap(double cap, std::span<float> values);

// exp(value - the largest); returns the sum.
float ExponentialsOf(std::span<float> values);

// values become probabilities.
void SoftMax(std::span<float> values);

}  // namespace atelier::engine
