#include "engine/service/speculation/step_costs.h"

#include <algorithm>

namespace atelier::engine {
namespace {

constexpr double kGuess = 0.05;  // of the cost of one row, for each one more
// Steps are held up now and then, and never faster than they can be: shorter times count more than longer ones.
struct Pace {
  double shorter;
  double longer;
  double For(double value, double taken) const { return taken < value ? shorter : longer; }
};
constexpr Pace kOwn{0.15, 0.05};
constexpr Pace kAll{0.25, 0.1};
constexpr double kFirst = 1.5;   // what is seen for the first time may cost so much more than was guessed
constexpr double kFade = 0.001;  // at which dear times are forgotten, so that they are tried again

}  // namespace

void StepCosts::Note(size_t rows, int64_t ns) {
  if (rows == 0 || rows > kMostRows || ns <= 0) {
    return;
  }
  auto taken = static_cast<double>(ns);
  if (known()) {
    const double guess = Of(rows);
    taken = ns_[rows] == 0 ? std::min(taken, kFirst * guess) : taken;
    const double scale = 1 + (std::clamp(taken / guess, 0.5, 2.0) - 1) * kAll.For(guess, taken);
    std::ranges::for_each(ns_, [&](double& value) { value *= scale; });
  }
  double& own = ns_[rows];
  own = own == 0 ? taken : own + (taken - own) * kOwn.For(own, taken);
  first_ = known() ? std::min(first_, rows) : rows;
  for (size_t i = first_ + 1; i <= kMostRows; ++i) {
    const double guess = ns_[first_] * (1 + kGuess * static_cast<double>(i - first_));
    ns_[i] -= ns_[i] > guess && i != rows ? (ns_[i] - guess) * kFade : 0;
  }
}

double StepCosts::Of(size_t rows) const {
  rows = std::clamp<size_t>(rows, 1, kMostRows);
  if (!known()) {
    return 1 + kGuess * static_cast<double>(rows - 1);
  }
  if (rows <= first_) {
    return ns_[first_];
  }
  size_t below = rows;
  while (ns_[below] == 0) {
    --below;
  }
  size_t above = rows;
  while (above <= kMostRows && ns_[above] == 0) {
    ++above;
  }
  const auto more = static_cast<double>(rows - below);
  if (above > kMostRows) {
    return ns_[below] + kGuess * ns_[first_] * more;
  }
  return above == below ? ns_[below]
                        : ns_[below] + (ns_[above] - ns_[below]) * more / static_cast<double>(above - below);
}

}  // namespace atelier::engine
