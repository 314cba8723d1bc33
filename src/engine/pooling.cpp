#include "engine/pooling.h"

#include <algorithm>
#include <cmath>

namespace atelier::engine {

void Pool(Pooling pooling, StepOutput& output, size_t item, std::span<float> to) {
  const size_t rows = output.rows(item);
  if (pooling != Pooling::kMean) {
    const bool first = pooling == Pooling::kFirst || pooling == Pooling::kRank;
    std::ranges::copy(output.Row(item, first ? 0 : rows - 1), to.begin());
    return;
  }
  for (size_t i = 0; i < to.size(); ++i) {
    double sum = 0;
    for (size_t row = 0; row < rows; ++row) {
      sum += output.Row(item, row)[i];
    }
    to[i] = static_cast<float>(sum / static_cast<double>(rows));
  }
}

void NormaliseLength(std::span<float> vector) {
  double squares = 0;
  for (const float x : vector) {
    squares += static_cast<double>(x) * x;
  }
  if (squares > 0) {
    const double scale = 1.0 / std::sqrt(squares);
    std::ranges::transform(vector, vector.begin(), [&](float x) { return static_cast<float>(x * scale); });
  }
}

}  // namespace atelier::engine
