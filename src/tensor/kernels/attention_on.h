// The two products of attention on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>

#include "tensor/kernels/float_kernels.h"
#include "tensor/kernels/kv_pages_on.h"

namespace atelier::tensor {

// F: the KvFormat of the pages. Tiles are as wide as sums fit V's registers and hide the latency of adding to them.
template <class V, KvFormat F>
struct AttentionOn {
  using Keys = KvPageOn<V, F, true>;
  using Values = KvPageOn<V, F, false>;

  static constexpr size_t kTile = 16;  // positions
  static constexpr size_t kTileVectors = V::kLanes < kTile ? kTile / V::kLanes : 1;
  static constexpr size_t kMostRows = kTileVectors == 1 ? 12 : 6;

  // The rows of a tile, of as many as are left: about as many in each.
  static size_t Share(size_t left) {
    const size_t tiles = (left + kMostRows - 1) / kMostRows;
    return (left + tiles - 1) / tiles;
  }

  // Where a tile is: from which query or row on, and at which positions.
  struct Place {
    size_t row;
    size_t first;  // position within the page
    size_t count;  // of positions
    size_t at;     // of the first position, in the block
  };

  // C queries against N vectors of positions of a page; the last may be in part.
  template <size_t C, size_t N>
  static void ScoreTile(const ScoreBlock& block, const Keys& page, const Place& place) {
    const float* queries = block.queries + place.row * block.query_stride;
    const size_t first = place.first;
    const size_t last = place.count - (N - 1) * V::kLanes;
    V sums[C][N];
    for (size_t c = 0; c < C; ++c) {
      for (size_t v = 0; v < N; ++v) {
        sums[c][v] = V::Zero();
      }
    }
    for (size_t k = 0; k < block.width; ++k) {
      V key[N];
      for (size_t v = 0; v + 1 < N; ++v) {
        key[v] = page.Load(k, first + v * V::kLanes);
      }
      const size_t rest = first + (N - 1) * V::kLanes;
      key[N - 1] = last == V::kLanes ? page.Load(k, rest) : page.LoadPart(k, rest, last);
      for (size_t c = 0; c < C; ++c) {
        const V weight = V::Broadcast(queries[c * block.query_stride + k]);
        for (size_t v = 0; v < N; ++v) {
          sums[c][v] = V::MulAdd(weight, key[v], sums[c][v]);
        }
      }
    }
    for (size_t c = 0; c < C; ++c) {
      float* scores = block.scores + (place.row + c) * block.score_stride + place.at;
      for (size_t v = 0; v + 1 < N; ++v) {
        sums[c][v].Store(scores + v * V::kLanes);
      }
      sums[c][N - 1].StorePart(scores + (N - 1) * V::kLanes, last);
    }
  }

  template <size_t C, size_t N = kTileVectors>
  static void ScoreLanes(const ScoreBlock& block, const Keys& page, const Place& place) {
    if constexpr (N > 1) {
      if (place.count <= (N - 1) * V::kLanes) {
        return ScoreLanes<C, N - 1>(block, page, place);
      }
    }
    ScoreTile<C, N>(block, page, place);
  }

  // As many as C queries, `count` of them.
  template <size_t C = kMostRows>
  static void ScoreQueries(size_t count, const ScoreBlock& block, const Keys& page, const Place& place) {
    if constexpr (C > 1) {
      if (count < C) {
        return ScoreQueries<C - 1>(count, block, page, place);
      }
    }
    ScoreLanes<C>(block, page, place);
  }

  static void Score(const ScoreBlock& block) {
    for (PageWalk<V> walk(block.keys, F, block.width); walk.more(); walk.Next()) {
      const Keys page(walk.page(), block.width, block.keys.page_positions);
      for (size_t i = 0; i < walk.positions(); i += kTile) {
        const size_t lanes = walk.positions() - i < kTile ? walk.positions() - i : kTile;
        for (size_t query = 0; query < block.count;) {
          const size_t count = Share(block.count - query);
          ScoreQueries(count, block, page, {query, walk.first() + i, lanes, walk.at() + i});
          query += count;
        }
      }
    }
  }

  // C rows of weights against the columns of N vectors from `column` on.
  template <size_t C, size_t N>
  static void WeighTile(const WeighBlock& block, const Values& page, const Place& place, size_t column) {
    const float* weights = block.weights + place.row * block.weight_stride + place.at;
    float* to = block.sums + place.row * block.sum_stride + column;
    V sums[C][N];
    for (size_t c = 0; c < C; ++c) {
      for (size_t v = 0; v < N; ++v) {
        sums[c][v] = V::Load(to + c * block.sum_stride + v * V::kLanes);
      }
    }
    for (size_t p = 0; p < place.count; ++p) {
      V value[N];
      for (size_t v = 0; v < N; ++v) {
        value[v] = page.Load(place.first + p, column + v * V::kLanes);
      }
      for (size_t c = 0; c < C; ++c) {
        const V weight = V::Broadcast(weights[c * block.weight_stride + p]);
        for (size_t v = 0; v < N; ++v) {
          sums[c][v] = V::MulAdd(weight, value[v], sums[c][v]);
        }
      }
    }
    for (size_t c = 0; c < C; ++c) {
      for (size_t v = 0; v < N; ++v) {
        sums[c][v].Store(to + c * block.sum_stride + v * V::kLanes);
      }
    }
  }

  // The last columns of C rows, less than a vector.
  template <size_t C>
  static void WeighRest(const WeighBlock& block, const Values& page, const Place& place, size_t column) {
    const size_t count = block.width - column;
    for (size_t row = place.row; row < place.row + C; ++row) {
      float* to = block.sums + row * block.sum_stride + column;
      V sum = V::LoadPart(to, count);
      for (size_t p = 0; p < place.count; ++p) {
        const V weight = V::Broadcast(block.weights[row * block.weight_stride + place.at + p]);
        sum = V::MulAdd(weight, page.LoadPart(place.first + p, column, count), sum);
      }
      sum.StorePart(to, count);
    }
  }

  // As many as C rows, `count` of them.
  template <size_t C = kMostRows>
  static void WeighRows(size_t count, const WeighBlock& block, const Values& page, const Place& place) {
    if constexpr (C > 1) {
      if (count < C) {
        return WeighRows<C - 1>(count, block, page, place);
      }
    }
    constexpr size_t kVectors = C > 2 ? kTileVectors : 4;
    size_t column = 0;
    for (; column + kVectors * V::kLanes <= block.width; column += kVectors * V::kLanes) {
      WeighTile<C, kVectors>(block, page, place, column);
    }
    for (; column + V::kLanes <= block.width; column += V::kLanes) {
      WeighTile<C, 1>(block, page, place, column);
    }
    if (column < block.width) {
      WeighRest<C>(block, page, place, column);
    }
  }

  static void Weigh(const WeighBlock& block) {
    for (PageWalk<V> walk(block.values, F, block.width); walk.more(); walk.Next()) {
      const Values page(walk.page(), block.width, block.values.page_positions);
      for (size_t row = 0; row < block.count;) {
        const size_t count = Share(block.count - row);
        WeighRows(count, block, page, {row, walk.first(), walk.positions(), walk.at()});
        row += count;
      }
    }
  }

  static constexpr KvKernels Kernels() { return {&Keys::Store, &Values::Store, &Score, &Weigh}; }
};

}  // namespace atelier::tensor
