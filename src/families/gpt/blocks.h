// Token sequences cut and packed into rows of one length, which is what a network is trained on.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <span>
#include <vector>

#include "families/gpt/prompts.h"

namespace atelier::families::gpt {

struct Blocks {
  int64_t length = 0;
  std::vector<int32_t> inputs{};    // [rows, length]
  std::vector<int32_t> targets{};   // [rows, length]; kNotLearnt: does not count
  std::vector<int32_t> segments{};  // [rows, length], or empty: a row is one text
  int64_t cut = 0;                  // sequences that were longer than a row and lost their end

  void Append(const Blocks& more);  // of the same length
  int64_t rows() const { return length == 0 ? 0 : static_cast<int64_t>(inputs.size()) / length; }
};
inline constexpr int32_t kNotLearnt = -1;

// One long text in rows one behind the other; the last is filled up with what does not count.
Blocks CutStream(std::span<const int32_t> ids, int64_t length);

// Several sequences in a row where they fit, each a segment of its own that sees itself alone: the fullest of the last
// rows that has room takes the next sequence. Sequences without a learnt token are left out.
Blocks Pack(const std::vector<Sequence>& sequences, int64_t length);

// Rows as tensors I64 [rows, length]; packed ones lose the columns that hold nothing in any of them. `segments` is
// undefined where there are none; `positions` are those within each segment.
struct BlockBatch {
  torch::Tensor inputs{}, targets{}, segments{}, positions{};
};
BlockBatch Gather(const Blocks& blocks, std::span<const int64_t> rows);

// The same of a stream, from these places on; each must have `length` tokens and one more behind it.
BlockBatch GatherStream(std::span<const int32_t> ids, std::span<const int64_t> places, int64_t length);

}  // namespace atelier::families::gpt
