#include "tensor/quants/fit.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tensor/quants/blocks.h"

namespace atelier::tensor {
namespace {

constexpr int kRefinements = 2;
// Below this a scale is nothing in F16 either, and its reciprocal may be infinite.
constexpr float kTiny = 1e-15F;

// Sums are kept in so many lanes, which a compiler turns into vectors.
constexpr size_t kLanes = 8;
using Lanes = std::array<float, kLanes>;

double Total(const Lanes& lanes) {
  double total = 0;
  for (const float lane : lanes) {
    total += lane;
  }
  return total;
}

// A value rounded to an integer of the range, as a float: a float of the size of 1.5 * 2^23 has a last bit of one, so
// that adding it rounds, and far faster than the library does.
float RoundWithin(float value, float lowest, float highest) {
  constexpr float kOnes = 0x1.8p23F;
  const float above = value < lowest ? lowest : value;
  const float clamped = above > highest ? highest : above;
  return (clamped + kOnes) - kOnes;
}

// The index of the nearest of kIq4Values to i / 2 - 128: half steps, for the middle between two values is one.
constexpr std::array<uint8_t, 512> kNearestIq4 = [] {
  std::array<uint8_t, 512> nearest{};
  for (int i = 0; i < 512; ++i) {
    for (size_t next = 1; next < kIq4Values.size(); ++next) {
      nearest[static_cast<size_t>(i)] += i - 256 >= kIq4Values[next - 1] + kIq4Values[next] ? 1 : 0;
    }
  }
  return nearest;
}();

// What least squares for one scale needs: the error is sum(w x x) - xl * xl / ll.
struct Sums {
  double xl = 0;
  double ll = 0;

  double gain() const { return ll > 0 ? xl * xl / ll : 0; }
  double scale() const { return ll > 0 ? xl / ll : 0; }
};

// The value of the largest magnitude.
float Peak(std::span<const float> weights) {
  float peak = 0;
  for (const float weight : weights) {
    if (std::fabs(weight) > std::fabs(peak)) {
      peak = weight;
    }
  }
  return peak;
}

// `level` gives the value that stands for a weight divided by the scale.
template <class Level>
Sums SumsAt(std::span<const float> weights, std::span<const float> importances, float inverse, Level level) {
  Lanes xl{};
  Lanes ll{};
  for (size_t i = 0; i < weights.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float at = level(weights[i + lane] * inverse);
      const float weighted = importances[i + lane] * at;
      xl[lane] += weighted * weights[i + lane];
      ll[lane] += weighted * at;
    }
  }
  return {Total(xl), Total(ll)};
}

// The best of the starts, each an inverse scale of (edge + step * k) / peak, refined.
template <class Level>
float SearchScale(std::span<const float> weights, std::span<const float> importances, std::span<const float> edges,
                  Level level) {
  const float peak = Peak(weights);
  if (std::fabs(peak) < kTiny) {
    return 0;
  }
  Sums best;
  for (const float edge : edges) {
    const Sums sums = SumsAt(weights, importances, edge / peak, level);
    if (sums.gain() > best.gain()) {
      best = sums;
    }
  }
  for (int i = 0; i < kRefinements && std::fabs(best.scale()) > kTiny; ++i) {
    const Sums sums = SumsAt(weights, importances, static_cast<float>(1 / best.scale()), level);
    if (sums.gain() <= best.gain()) {
      break;
    }
    best = sums;
  }
  return static_cast<float>(best.scale());
}

struct Regression {
  Line line;
  double error;
};

// Weighted sums that do not depend on levels.
struct Moments {
  double w = 0;
  double x = 0;
  double xx = 0;
};

Moments MomentsOf(std::span<const float> weights, std::span<const float> importances) {
  Moments moments;
  for (size_t i = 0; i < weights.size(); ++i) {
    const double weighted = static_cast<double>(importances[i]) * weights[i];
    moments.w += importances[i];
    moments.x += weighted;
    moments.xx += weighted * weights[i];
  }
  return moments;
}

// Levels by `start`, then the line through them that errs least.
Regression Regress(std::span<const float> weights, std::span<const float> importances, const Moments& moments,
                   Line start, int highest) {
  Lanes l_lanes{};
  Lanes ll_lanes{};
  Lanes xl_lanes{};
  const float inverse = 1 / start.scale;
  const auto top = static_cast<float>(highest);
  for (size_t i = 0; i < weights.size(); i += kLanes) {
    for (size_t lane = 0; lane < kLanes; ++lane) {
      const float at = RoundWithin((weights[i + lane] - start.offset) * inverse, 0, top);
      const float weighted = importances[i + lane] * at;
      l_lanes[lane] += weighted;
      ll_lanes[lane] += weighted * at;
      xl_lanes[lane] += weighted * weights[i + lane];
    }
  }
  const double l = Total(l_lanes);
  const double ll = Total(ll_lanes);
  const double xl = Total(xl_lanes);
  const double determinant = moments.w * ll - l * l;
  double scale = determinant > 0 ? (moments.w * xl - moments.x * l) / determinant : 0;
  double offset = determinant > 0 ? (ll * moments.x - l * xl) / determinant : 0;
  if (offset >= 0) {
    scale = ll > 0 ? xl / ll : 0;
    offset = 0;
  }
  const double error =
      moments.xx + scale * (scale * ll + 2 * offset * l - 2 * xl) + offset * (offset * moments.w - 2 * moments.x);
  return {{static_cast<float>(scale), static_cast<float>(offset)}, error};
}

}  // namespace

int NearestLevel(float value, LevelRange range) {
  return static_cast<int>(RoundWithin(value, static_cast<float>(range.lowest), static_cast<float>(range.highest)));
}

float FitScale(std::span<const float> weights, std::span<const float> importances, LevelRange range) {
  constexpr int kSteps = 9;
  std::array<float, 2 * kSteps + 1> edges{};
  for (int i = -kSteps; i <= kSteps; ++i) {
    edges.at(static_cast<size_t>(i + kSteps)) = static_cast<float>(range.lowest) + 0.1F * static_cast<float>(i);
  }
  const auto lowest = static_cast<float>(range.lowest);
  const auto highest = static_cast<float>(range.highest);
  return SearchScale(weights, importances, edges, [=](float value) { return RoundWithin(value, lowest, highest); });
}

Line FitLine(std::span<const float> weights, std::span<const float> importances, int highest) {
  constexpr int kSteps = 20;
  const auto [least, most] = std::ranges::minmax(weights);
  const float lowest = std::min(least, 0.0F);
  if (most - lowest < kTiny) {
    return {0, lowest};
  }
  const Moments moments = MomentsOf(weights, importances);
  Regression best{{0, lowest}, HUGE_VAL};
  for (int i = 0; i <= kSteps; ++i) {
    const float edge = static_cast<float>(highest) - 1 + 0.1F * static_cast<float>(i);
    const auto found = Regress(weights, importances, moments, {(most - lowest) / edge, lowest}, highest);
    if (found.line.scale > kTiny && found.error < best.error) {
      best = found;
    }
  }
  for (int i = 0; i < kRefinements && best.line.scale > kTiny; ++i) {
    const auto found = Regress(weights, importances, moments, best.line, highest);
    if (found.line.scale <= kTiny || found.error >= best.error) {
      break;
    }
    best = found;
  }
  return best.line;
}

uint8_t NearestIq4(float value) {
  return kNearestIq4[static_cast<size_t>(2 * (value < -128.0F ? -128.0F : value > 127.0F ? 127.0F : value) + 256)];
}

float FitIq4(std::span<const float> weights, std::span<const float> importances) {
  constexpr int kSteps = 7;
  std::array<float, 2 * (2 * kSteps + 1)> edges{};  // the peak at either end of the values
  for (int i = -kSteps; i <= kSteps; ++i) {
    const auto place = static_cast<size_t>(2 * (i + kSteps));
    edges.at(place) = static_cast<float>(kIq4Values.front() + i);
    edges.at(place + 1) = static_cast<float>(kIq4Values.back() + i);
  }
  return SearchScale(weights, importances, edges,
                     [](float value) { return static_cast<float>(kIq4Values[NearestIq4(value)]); });
}

}  // namespace atelier::tensor
