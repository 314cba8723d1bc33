// A tensor that is made of others row by row, a piece at a time, so that a model's weights never are in memory at once;
// of a transposed one all rows are.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::engine::hugging_face {

// The row that goes to a row of the result; -1: zeros. Called with each row of the result once, in order.
using RowOrder = std::function<int64_t(int64_t)>;

struct Weave {
  tensor::GgmlType type = tensor::GgmlType::kF32;       // of the result: F32, F16 or BF16
  tensor::GgmlType from_type = tensor::GgmlType::kF32;  // of the parts
  int64_t rows = 0;                                     // of the result
  int64_t columns = 0;                                  // of the result and, unless transposed, of the parts
  std::vector<std::span<const std::byte>> parts;        // borrowed; their rows are counted one behind the other
  RowOrder order{};                                     // empty: the same rows
  bool transposed = false;                              // the one part is [columns, rows]
  float shift = 0;                                      // added to each number
};

// Errors: the sink's own; kInternal where the parts have not the bytes of their rows.
Status WriteWeave(const Weave& weave, const std::function<Status(std::span<const std::byte>)>& sink);

// Rotated rows of heads of `head` rows: GGUF's kPairs lie (0, n/2), (1, n/2 + 1) ... of the halves.
RowOrder PairsOfHalves(int64_t head);
RowOrder HalvesOfPairs(int64_t head);

// Falcon's fused projections: groups of queries, a key and a value; GGUF has all queries, all keys, all values.
struct Heads {
  int64_t heads = 0;
  int64_t kv_heads = 0;
  int64_t head = 0;  // rows of one
};
RowOrder KindsOfGroups(const Heads& heads);
RowOrder GroupsOfKinds(const Heads& heads);

}  // namespace atelier::engine::hugging_face
