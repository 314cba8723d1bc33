#include "families/gpt/blocks.h"

#include <algorithm>

namespace atelier::families::gpt {
namespace {

constexpr size_t kOpenRows = 64;  // that a sequence may still go into

// Adds a row of what does not count.
void AddRow(Blocks& blocks) {
  const size_t size = blocks.inputs.size() + static_cast<size_t>(blocks.length);
  blocks.inputs.resize(size, 0);
  blocks.targets.resize(size, kNotLearnt);
  blocks.segments.resize(size, 0);
}

// Writes ids from `at` on; each is the target of the one before it.
void Write(const Sequence& sequence, size_t at, size_t count, int32_t segment, Blocks& blocks) {
  for (size_t i = 0; i < count; ++i) {
    blocks.inputs[at + i] = sequence.ids[i];
    blocks.targets[at + i] = sequence.learnt[i + 1] ? sequence.ids[i + 1] : kNotLearnt;
    blocks.segments[at + i] = segment;
  }
}

// Columns up to the last that holds a target in one of the rows.
int64_t UsedColumns(const Blocks& blocks, std::span<const int64_t> rows) {
  int64_t used = 1;
  for (const int64_t row : rows) {
    const int32_t* targets = blocks.targets.data() + row * blocks.length;
    for (int64_t at = blocks.length; at > used; --at) {
      if (targets[at - 1] != kNotLearnt) {
        used = at;
      }
    }
  }
  return used;
}

struct OpenRow {
  size_t row;
  size_t used;
  int32_t segments;
};

}  // namespace

void Blocks::Append(const Blocks& more) {
  inputs.insert(inputs.end(), more.inputs.begin(), more.inputs.end());
  targets.insert(targets.end(), more.targets.begin(), more.targets.end());
  segments.insert(segments.end(), more.segments.begin(), more.segments.end());
  cut += more.cut;
}

Blocks CutStream(std::span<const int32_t> ids, int64_t length) {
  Blocks blocks{.length = length};
  const auto step = static_cast<size_t>(length);
  for (size_t at = 0; at + 1 < ids.size(); at += step) {
    const size_t count = std::min(step, ids.size() - 1 - at);
    blocks.inputs.insert(blocks.inputs.end(), ids.begin() + static_cast<std::ptrdiff_t>(at),
                         ids.begin() + static_cast<std::ptrdiff_t>(at + count));
    blocks.targets.insert(blocks.targets.end(), ids.begin() + static_cast<std::ptrdiff_t>(at + 1),
                          ids.begin() + static_cast<std::ptrdiff_t>(at + count + 1));
    blocks.inputs.resize(blocks.inputs.size() + step - count, 0);
    blocks.targets.resize(blocks.targets.size() + step - count, kNotLearnt);
  }
  return blocks;
}

Blocks Pack(const std::vector<Sequence>& sequences, int64_t length) {
  Blocks blocks{.length = length};
  const auto room = static_cast<size_t>(length);
  std::vector<OpenRow> open;
  for (const Sequence& sequence : sequences) {
    const size_t whole = sequence.ids.size() < 2 ? 0 : sequence.ids.size() - 1;
    const size_t count = std::min(whole, room);
    const auto begin = sequence.learnt.begin() + 1;
    if (count == 0 || std::find(begin, begin + static_cast<std::ptrdiff_t>(count), true) ==
                          begin + static_cast<std::ptrdiff_t>(count)) {
      continue;
    }
    blocks.cut += whole > room ? 1 : 0;
    OpenRow* best = nullptr;
    for (OpenRow& row : open) {
      if (row.used + count <= room && (best == nullptr || row.used > best->used)) {
        best = &row;
      }
    }
    if (best == nullptr) {
      if (open.size() == kOpenRows) {  // the fullest is closed
        open.erase(std::ranges::max_element(open, {}, &OpenRow::used));
      }
      open.push_back({static_cast<size_t>(blocks.rows()), 0, 0});
      AddRow(blocks);
      best = &open.back();
    }
    Write(sequence, best->row * room + best->used, count, ++best->segments, blocks);
    best->used += count;
  }
  return blocks;
}

BlockBatch Gather(const Blocks& blocks, std::span<const int64_t> rows) {
  const int64_t used = UsedColumns(blocks, rows);
  const std::vector<int64_t> sizes{static_cast<int64_t>(rows.size()), used};
  BlockBatch batch{.inputs = torch::empty(sizes, torch::kInt64), .targets = torch::empty(sizes, torch::kInt64)};
  const bool packed = !blocks.segments.empty();
  if (packed) {
    batch.segments = torch::empty(sizes, torch::kInt64);
    batch.positions = torch::empty(sizes, torch::kInt64);
  }
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto from = static_cast<size_t>(rows[i] * blocks.length);
    const auto to = static_cast<int64_t>(i) * used;
    int64_t position = 0;
    for (int64_t at = 0; at < used; ++at) {
      const size_t source = from + static_cast<size_t>(at);
      batch.inputs.data_ptr<int64_t>()[to + at] = blocks.inputs[source];
      batch.targets.data_ptr<int64_t>()[to + at] = blocks.targets[source];
      if (packed) {
        position = at > 0 && blocks.segments[source] == blocks.segments[source - 1] ? position + 1 : 0;
        batch.segments.data_ptr<int64_t>()[to + at] = blocks.segments[source];
        batch.positions.data_ptr<int64_t>()[to + at] = position;
      }
    }
  }
  return batch;
}

BlockBatch GatherStream(std::span<const int32_t> ids, std::span<const int64_t> places, int64_t length) {
  const std::vector<int64_t> sizes{static_cast<int64_t>(places.size()), length};
  BlockBatch batch{.inputs = torch::empty(sizes, torch::kInt64), .targets = torch::empty(sizes, torch::kInt64)};
  auto* inputs = batch.inputs.data_ptr<int64_t>();
  auto* targets = batch.targets.data_ptr<int64_t>();
  for (const int64_t place : places) {
    const auto part = ids.subspan(static_cast<size_t>(place), static_cast<size_t>(length) + 1);
    inputs = std::copy(part.begin(), part.end() - 1, inputs);
    targets = std::copy(part.begin() + 1, part.end(), targets);
  }
  return batch;
}

}  // namespace atelier::families::gpt
