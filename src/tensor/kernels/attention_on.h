// The two products of attention on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>

#include "tensor/kernels/float_kernels.h"

namespace atelier::tensor {

template <class V>
struct AttentionOn {
  // C queries against `lanes` positions from `first` on, at most kVectors * V::kLanes; the last vector may be in part.
  template <size_t C, size_t kVectors>
  static void ScoreTile(const ScoreBlock& block, size_t query, size_t first, size_t lanes) {
    const float* queries = block.queries + query * block.query_stride;
    const size_t last = lanes - (kVectors - 1) * V::kLanes;
    V sums[C][kVectors];
    for (size_t c = 0; c < C; ++c) {
      for (size_t v = 0; v < kVectors; ++v) {
        sums[c][v] = V::Zero();
      }
    }
    for (size_t k = 0; k < block.width; ++k) {
      const float* keys = block.keys + k * block.key_stride + first;
      V key[kVectors];
      for (size_t v = 0; v + 1 < kVectors; ++v) {
        key[v] = V::Load(keys + v * V::kLanes);
      }
      const float* rest = keys + (kVectors - 1) * V::kLanes;
      key[kVectors - 1] = last == V::kLanes ? V::Load(rest) : V::LoadPart(rest, last);
      for (size_t c = 0; c < C; ++c) {
        const V weight = V::Broadcast(queries[c * block.query_stride + k]);
        for (size_t v = 0; v < kVectors; ++v) {
          sums[c][v] = V::MulAdd(weight, key[v], sums[c][v]);
        }
      }
    }
    for (size_t c = 0; c < C; ++c) {
      float* scores = block.scores + (query + c) * block.score_stride + first;
      for (size_t v = 0; v + 1 < kVectors; ++v) {
        sums[c][v].Store(scores + v * V::kLanes);
      }
      sums[c][kVectors - 1].StorePart(scores + (kVectors - 1) * V::kLanes, last);
    }
  }

  template <size_t C>
  static void ScoreQueries(const ScoreBlock& block, size_t query) {
    constexpr size_t kBoth = 2 * V::kLanes;
    size_t first = 0;
    for (; first + V::kLanes < block.positions; first += kBoth) {
      ScoreTile<C, 2>(block, query, first, block.positions - first < kBoth ? block.positions - first : kBoth);
    }
    if (first < block.positions) {
      ScoreTile<C, 1>(block, query, first, block.positions - first);
    }
  }

  static void Score(const ScoreBlock& block) {
    size_t query = 0;
    for (; query + 4 <= block.count; query += 4) {
      ScoreQueries<4>(block, query);
    }
    for (; query + 2 <= block.count; query += 2) {
      ScoreQueries<2>(block, query);
    }
    for (; query < block.count; ++query) {
      ScoreQueries<1>(block, query);
    }
  }

  // C rows of weights against the columns of kVectors vectors from `first` on.
  template <size_t C, size_t kVectors>
  static void WeighTile(const WeighBlock& block, size_t row, size_t first) {
    V sums[C][kVectors];
    for (size_t c = 0; c < C; ++c) {
      for (size_t v = 0; v < kVectors; ++v) {
        sums[c][v] = V::Load(block.sums + (row + c) * block.sum_stride + first + v * V::kLanes);
      }
    }
    for (size_t p = 0; p < block.positions; ++p) {
      const float* values = block.values + p * block.width + first;
      for (size_t c = 0; c < C; ++c) {
        const V weight = V::Broadcast(block.weights[(row + c) * block.weight_stride + p]);
        for (size_t v = 0; v < kVectors; ++v) {
          sums[c][v] = V::MulAdd(weight, V::Load(values + v * V::kLanes), sums[c][v]);
        }
      }
    }
    for (size_t c = 0; c < C; ++c) {
      for (size_t v = 0; v < kVectors; ++v) {
        sums[c][v].Store(block.sums + (row + c) * block.sum_stride + first + v * V::kLanes);
      }
    }
  }

  // The last columns, less than a vector.
  static void WeighRest(const WeighBlock& block, size_t row, size_t first) {
    const size_t count = block.width - first;
    float* to = block.sums + row * block.sum_stride + first;
    V sum = V::LoadPart(to, count);
    for (size_t p = 0; p < block.positions; ++p) {
      const V weight = V::Broadcast(block.weights[row * block.weight_stride + p]);
      sum = V::MulAdd(weight, V::LoadPart(block.values + p * block.width + first, count), sum);
    }
    sum.StorePart(to, count);
  }

  template <size_t C>
  static void WeighRows(const WeighBlock& block, size_t row) {
    size_t first = 0;
    for (; first + 4 * V::kLanes <= block.width; first += 4 * V::kLanes) {
      WeighTile<C, 4>(block, row, first);
    }
    for (; first + V::kLanes <= block.width; first += V::kLanes) {
      WeighTile<C, 1>(block, row, first);
    }
    for (size_t c = 0; c < C && first < block.width; ++c) {
      WeighRest(block, row + c, first);
    }
  }

  static void Weigh(const WeighBlock& block) {
    size_t row = 0;
    for (; row + 2 <= block.count; row += 2) {
      WeighRows<2>(block, row);
    }
    if (row < block.count) {
      WeighRows<1>(block, row);
    }
  }
};

}  // namespace atelier::tensor
