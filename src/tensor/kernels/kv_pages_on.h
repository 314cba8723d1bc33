// Reading and writing the pages of a cache on a vector type V. Included like float_kernels_on.h.
#pragma once

#include <cstddef>
#include <cstdint>

#include "tensor/kernels/float_kernels.h"
#include "tensor/quants/half.h"

namespace atelier::tensor {

// Goes through a run page by page, fetching the next one beforehand: pages lie anywhere, so the processor cannot guess.
// V: only so that no two instruction sets share code.
template <class V>
class PageWalk {
 public:
  PageWalk(const PageRun& run, KvFormat format, size_t width)
      : run_(run), page_(run.pages), first_(run.first), lines_(Lines(format, width, run.page_positions)) {
    Enter();
  }

  bool more() const { return at_ < run_.positions; }
  void Next() {
    at_ += positions_;
    ++page_;
    first_ = 0;
    Enter();
  }
  const std::byte* page() const { return *page_; }
  size_t first() const { return first_; }          // position within the page
  size_t positions() const { return positions_; }  // of the run in the page
  size_t at() const { return at_; }                // positions of the run before it

 private:
  static constexpr size_t kLine = 64;  // bytes

  static size_t Lines(KvFormat format, size_t width, size_t positions) {
    size_t bytes = 0;
    static_cast<void>(KvBytes(format, width, positions, bytes));  // there are such pages
    return bytes / kLine;
  }

  void Enter() {
    const size_t left = run_.positions - at_;
    const size_t here = run_.page_positions - first_;
    positions_ = left < here ? left : here;
    const std::byte* next = left > here ? page_[1] : run_.next;
    for (size_t line = 0; next != nullptr && line < lines_; ++line) {
      __builtin_prefetch(next + line * kLine);
    }
  }

  const PageRun& run_;
  const std::byte* const* page_;
  size_t first_;
  size_t lines_;  // of a page
  size_t positions_ = 0;
  size_t at_ = 0;
};

template <KvFormat F>
struct KvNumber {
  using Type = float;
};
template <>
struct KvNumber<KvFormat::kF16> {
  using Type = StoredHalf;
};
template <>
struct KvNumber<KvFormat::kBF16> {
  using Type = StoredBfloat16;
};
template <>
struct KvNumber<KvFormat::kQ8_0> {
  using Type = int8_t;
};

// One head's keys of a page ([width, positions]) or its values ([positions, width]), see kv_format.h. Load takes what
// stands in a row: of keys (number, position), of values (position, number).
template <class V, KvFormat F, bool kKeys>
class KvPageOn {
 public:
  using Number = typename KvNumber<F>::Type;
  static constexpr bool kIsScaled = F == KvFormat::kQ8_0;

  KvPageOn(const std::byte* page, size_t width, size_t positions)
      : numbers_(reinterpret_cast<const Number*>(page)),
        stride_(kKeys ? positions : width),
        scales_(reinterpret_cast<const float*>(page + ScalesAt(width, positions))),
        scale_stride_(kKeys ? positions : ScaleRuns(width)) {}

  V Load(size_t row, size_t column) const {
    const V number = V::Load(numbers_ + row * stride_ + column);
    if constexpr (!kIsScaled) {
      return number;
    } else if constexpr (kKeys) {
      return V::Multiply(number, V::Load(scales_ + row / kScaled * scale_stride_ + column));
    } else {
      return V::Multiply(number, V::Broadcast(scales_[row * scale_stride_ + column / kScaled]));
    }
  }
  // The first `count` of a vector, zeros behind them; reads nothing else.
  V LoadPart(size_t row, size_t column, size_t count) const {
    const V number = V::LoadPart(numbers_ + row * stride_ + column, count);
    if constexpr (!kIsScaled) {
      return number;
    } else if constexpr (kKeys) {
      return V::Multiply(number, V::LoadPart(scales_ + row / kScaled * scale_stride_ + column, count));
    } else {
      return V::Multiply(number, V::Broadcast(scales_[row * scale_stride_ + column / kScaled]));
    }
  }

  static void Store(const KvPlace& place) {
    for (size_t first = 0; first < place.width; first += kScaled) {
      const size_t count = place.width - first < kScaled ? place.width - first : kScaled;
      Number numbers[kScaled];
      if constexpr (kIsScaled) {
        StoreScale(place, first / kScaled, Round(place.numbers + first, count, numbers));
      } else {
        Convert(place.numbers + first, count, numbers);
      }
      auto* to = reinterpret_cast<Number*>(place.page) +
                 (kKeys ? first * place.page_positions + place.position : place.position * place.width + first);
      for (size_t i = 0; i < count; ++i) {
        to[kKeys ? i * place.page_positions : i] = numbers[i];
      }
    }
  }

 private:
  static size_t ScalesAt(size_t width, size_t positions) {
    const size_t bytes = width * positions * sizeof(Number);
    return (bytes + sizeof(float) - 1) / sizeof(float) * sizeof(float);
  }

  // Writes whole vectors.
  static void Convert(const float* from, size_t count, Number (&to)[kScaled]) {
    for (size_t i = 0; i < count; i += V::kLanes) {
      const size_t lanes = count - i;
      V value = lanes < V::kLanes ? V::LoadPart(from + i, lanes) : V::Load(from + i);
      if constexpr (F == KvFormat::kF16) {
        value = V::Max(V::Min(value, V::Broadcast(65504)), V::Broadcast(-65504));
      }
      value.Store(to + i);
    }
  }

  // To the nearest of 255 steps; returns the size of one. What is not finite makes all NaN.
  static float Round(const float* from, size_t count, int8_t* to) {
    float largest = 0;
    float nothing = 0;
    for (size_t i = 0; i < count; ++i) {
      const float magnitude = from[i] < 0 ? -from[i] : from[i];
      largest = magnitude > largest ? magnitude : largest;
      nothing += from[i] * 0;
    }
    const float scale = largest / 127;
    const bool zeros = !(nothing == 0) || largest < 1e-30F;
    for (size_t i = 0; i < count; ++i) {
      const float steps = zeros ? 0 : from[i] / scale;
      to[i] = static_cast<int8_t>(steps < 0 ? steps - 0.5F : steps + 0.5F);
    }
    return nothing == 0 ? scale : nothing;
  }

  static void StoreScale(const KvPlace& place, size_t run, float scale) {
    const size_t runs = ScaleRuns(place.width);
    auto* scales = reinterpret_cast<float*>(place.page + ScalesAt(place.width, place.page_positions));
    scales[kKeys ? run * place.page_positions + place.position : place.position * runs + run] = scale;
  }

  const Number* numbers_;
  size_t stride_;
  const float* scales_;
  size_t scale_stride_;
};

}  // namespace atelier::tensor
