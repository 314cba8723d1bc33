// Weights to and from the formats of GGUF.
#pragma once

#include <cstddef>
#include <span>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::tensor {

// The floats that `bytes`, whole blocks at any address, stand for: the same float operations as ggml's, so the same
// bits. Errors: kInvalidArgument (the sizes do not fit each other). Thread-safe.
Status Dequantise(GgmlType type, std::span<const std::byte> bytes, std::span<float> weights);  // [count]

// The blocks that stand for `weights`. F16 and BF16 round to nearest. The formats of one scale a block (Q4_0 to Q8_0)
// take ggml's formulas; the others search the scales that make the weighted squared error least (fit.h). Errors:
// kInvalidArgument (sizes that do not fit each other; in a quantised format a weight that is not finite or so large
// that its scale does not fit F16). On an error the contents of `bytes` are unspecified. Thread-safe.
Status Quantise(GgmlType type, std::span<const float> weights, std::span<std::byte> bytes);  // [count]

}  // namespace atelier::tensor
