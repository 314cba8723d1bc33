#include "engine/sampling/candidates.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "engine/sampling/selection.h"

namespace atelier::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr size_t kFirstSelection = 128;
constexpr size_t kSelectionGrowth = 8;

}  // namespace

Candidates::Candidates(std::span<const float> logits, int32_t top_k) {
  if (top_k > 0 && static_cast<size_t>(top_k) < logits.size()) {
    ids_ = LargestIndexes(logits, static_cast<size_t>(top_k));
    sorted_ = true;
    logits_.reserve(ids_.size());
    for (const int32_t id : ids_) {
      logits_.push_back(logits[static_cast<size_t>(id)]);
    }
    return;
  }
  ids_.reserve(logits.size());
  logits_.reserve(logits.size());
  for (size_t i = 0; i < logits.size(); ++i) {
    if (logits[i] > kNever) {
      ids_.push_back(static_cast<int32_t>(i));
      logits_.push_back(logits[i]);
    }
  }
}

float Candidates::Largest() const {
  return sorted_ ? logits_.front() : *std::max_element(logits_.begin(), logits_.end());
}

double Candidates::Weigh(double temperature, std::vector<double>& weights) const {
  const double largest = Largest();
  weights.resize(logits_.size());
  double total = 0;
  for (size_t i = 0; i < logits_.size(); ++i) {
    weights[i] = std::exp((logits_[i] - largest) / temperature);
    total += weights[i];
  }
  return total;
}

std::vector<int32_t> Candidates::UntilMass(std::span<const float> keys, std::span<const double> weights, double mass) {
  // Few tokens hold most of the mass, as a rule: a short selection first.
  for (size_t k = kFirstSelection;; k *= kSelectionGrowth) {
    std::vector<int32_t> indexes = LargestIndexes(keys, k);
    double sum = 0;
    for (size_t i = 0; i < indexes.size(); ++i) {
      sum += weights[static_cast<size_t>(indexes[i])];
      if (sum >= mass) {
        indexes.resize(i + 1);
        return indexes;
      }
    }
    if (k >= keys.size()) {
      return indexes;
    }
  }
}

void Candidates::Keep(const std::vector<int32_t>& indexes) {
  std::vector<int32_t> ids;
  std::vector<float> logits;
  ids.reserve(indexes.size());
  logits.reserve(indexes.size());
  for (const int32_t index : indexes) {
    ids.push_back(ids_[static_cast<size_t>(index)]);
    logits.push_back(logits_[static_cast<size_t>(index)]);
  }
  ids_ = std::move(ids);
  logits_ = std::move(logits);
}

void Candidates::KeepTypical(float p) {
  if (p >= 1 || ids_.size() <= 1) {
    return;
  }
  std::vector<double> weights;
  const double total = Weigh(1, weights);
  const double largest = Largest();
  const double log_total = std::log(total);
  double entropy = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    entropy -= weights[i] / total * (logits_[i] - largest - log_total);
  }
  std::vector<float> keys(weights.size());
  for (size_t i = 0; i < weights.size(); ++i) {
    keys[i] = -static_cast<float>(std::abs(entropy + (logits_[i] - largest - log_total)));
  }
  std::vector<int32_t> kept = UntilMass(keys, weights, p * total);
  // Back to the order that they had: by likelihood or by id, which both are the order of indexes.
  std::sort(kept.begin(), kept.end());
  Keep(kept);
}

void Candidates::KeepTopP(float p) {
  if (p >= 1 || ids_.size() <= 1) {
    return;
  }
  std::vector<double> weights;
  const double total = Weigh(1, weights);
  Keep(UntilMass(logits_, weights, p * total));
  sorted_ = true;
}

void Candidates::KeepMinP(float p) {
  if (p <= 0 || ids_.size() <= 1) {
    return;
  }
  const double least = Largest() + std::log(static_cast<double>(p));
  std::vector<int32_t> kept;
  for (size_t i = 0; i < logits_.size(); ++i) {
    if (logits_[i] >= least) {
      kept.push_back(static_cast<int32_t>(i));
    }
  }
  Keep(kept);
}

int32_t Candidates::Draw(float temperature, double uniform) const {
  std::vector<double> weights;
  const double target = uniform * Weigh(temperature, weights);
  double sum = 0;
  size_t drawn = 0;
  for (size_t i = 0; i < weights.size(); ++i) {
    if (weights[i] > 0) {
      drawn = i;  // the last one, should rounding leave the sum below the target
      sum += weights[i];
      if (target < sum) {
        break;
      }
    }
  }
  return ids_[drawn];
}

}  // namespace atelier::engine
