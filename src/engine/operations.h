// What happens to one row of activations between the products. All are functions of that row alone, added up in one
// order, so that a row's result does not depend on what else is computed.
#pragma once

#include <cstddef>
#include <span>

#include "engine/architectures.h"
#include "tensor/kernels/float_kernels.h"

namespace atelier::engine {

// values = act(values) * up, or act(values) where `up` is nullptr.
void Activate(const tensor::FloatKernels& kernels, Activation activation, std::span<float> values, const float* up);

void Add(const tensor::FloatKernels& kernels, std::span<float> to, const float* from);  // to += from

// values become probabilities.
void SoftMax(const tensor::FloatKernels& kernels, std::span<float> values);

}  // namespace atelier::engine
