#include "engine/sampling/candidates.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <numeric>
#include <optional>

#include "engine/sampling/selection.h"
#include "tensor/kernels/float_kernels.h"

namespace atelier::engine {
namespace {

constexpr float kNever = -std::numeric_limits<float>::infinity();
constexpr size_t kBlock = 64;
constexpr size_t kFew = 32;
constexpr size_t kBuckets = 512;
constexpr size_t kNearBuckets = 128;
constexpr float kBucketsPerUnit = 16;  // of the key

struct Entry {
  float key;
  int32_t index;
};

bool HasNever(std::span<const float> logits) {
  int any = 0;
  size_t start = 0;
  for (; start + kBlock <= logits.size(); start += kBlock) {
    for (size_t i = 0; i < kBlock; ++i) {  // a fixed length: vector instructions
      any |= static_cast<int>(logits[start + i] == kNever);
    }
  }
  return any != 0 || std::ranges::find(logits.subspan(start), kNever) != logits.end();
}

bool Before(const Entry& a, const Entry& b) { return a.key != b.key ? a.key > b.key : a.index < b.index; }

// Of `entries` in order (Before), the one with which their weights reach `mass`, or the last: quickselect by mass.
Entry Reach(std::span<Entry> entries, std::span<const float> weights, double mass) {
  const auto weight = [&](const Entry& entry) { return weights[static_cast<size_t>(entry.index)]; };
  while (entries.size() > kFew) {
    const size_t half = entries.size() / 2;
    std::nth_element(entries.begin(), entries.begin() + static_cast<std::ptrdiff_t>(half), entries.end(), Before);
    double sum = 0;
    for (const Entry& entry : entries.first(half)) {
      sum += weight(entry);
    }
    const bool enough = sum >= mass;
    entries = enough ? entries.first(half) : entries.subspan(half);
    mass -= enough ? 0 : sum;
  }
  std::sort(entries.begin(), entries.end(), Before);
  for (const Entry& entry : entries) {
    mass -= weight(entry);
    if (mass <= 0) {
      return entry;
    }
  }
  return entries.back();
}

// Keys by how far they are from the largest: only those of one bucket must be put in order.
class Buckets {
 public:
  Buckets(std::span<const float> keys, std::span<const float> weights)
      : keys_(keys), weights_(weights), largest_(keys[static_cast<size_t>(std::max(LargestIndex(keys), 0))]) {}

  // As Reach, for all keys.
  Entry ReachAll(double mass) const;
  // The same answer from the first buckets alone; nothing where these do not have the mass. Quick where few keys are in
  // them.
  std::optional<Entry> ReachNear(double mass) const;

 private:
  size_t Of(float key) const {
    return static_cast<size_t>(std::min((largest_ - key) * kBucketsPerUnit, static_cast<float>(kBuckets - 1)));
  }
  // Whatever is in one of the first `buckets` is above this.
  float Below(size_t buckets) const {
    const float border = largest_ - static_cast<float>(buckets + 1) / kBucketsPerUnit;  // and one more: of rounding
    return buckets < kBuckets ? std::nextafter(border, kNever) : kNever;
  }

  std::span<const float> keys_;
  std::span<const float> weights_;
  float largest_;
};

Entry Buckets::ReachAll(double mass) const {
  std::array<double, kBuckets> sums{};
  size_t last = 0;  // that is not empty
  for (size_t i = 0; i < keys_.size(); ++i) {
    const size_t bucket = Of(keys_[i]);
    sums[bucket] += weights_[i];
    last = std::max(last, bucket);
  }
  size_t bucket = 0;
  while (bucket < last && sums[bucket] < mass) {
    mass -= sums[bucket++];
  }
  std::vector<Entry> entries;
  VisitAbove(keys_, Below(bucket + 1), [&](size_t i) {
    if (Of(keys_[i]) == bucket) {
      entries.push_back({keys_[i], static_cast<int32_t>(i)});
    }
  });
  return Reach(entries, weights_, mass);
}

std::optional<Entry> Buckets::ReachNear(double mass) const {
  std::array<double, kNearBuckets> sums{};
  std::vector<Entry> entries;
  VisitAbove(keys_, Below(kNearBuckets), [&](size_t i) {
    if (const size_t bucket = Of(keys_[i]); bucket < kNearBuckets) {
      sums[bucket] += weights_[i];
      entries.push_back({keys_[i], static_cast<int32_t>(i)});
    }
  });
  size_t bucket = 0;
  while (bucket < kNearBuckets && sums[bucket] < mass) {
    mass -= sums[bucket++];
  }
  std::erase_if(entries, [&](const Entry& entry) { return Of(entry.key) != bucket; });
  return entries.empty() ? std::nullopt : std::optional(Reach(entries, weights_, mass));
}

}  // namespace

void Candidates::Set(std::span<const float> logits, int32_t top_k) {
  sorted_ = false;
  if (top_k > 0 && static_cast<size_t>(top_k) < logits.size()) {
    ids_ = LargestIndexes(logits, static_cast<size_t>(top_k));
    sorted_ = true;
    logits_.clear();
    logits_.reserve(ids_.size());
    for (const int32_t id : ids_) {
      logits_.push_back(logits[static_cast<size_t>(id)]);
    }
    return;
  }
  ids_.resize(logits.size());
  if (!HasNever(logits)) {
    logits_.assign(logits.begin(), logits.end());
    std::iota(ids_.begin(), ids_.end(), 0);
    return;
  }
  logits_.resize(logits.size());
  size_t count = 0;
  for (size_t i = 0; i < logits.size(); ++i) {
    ids_[count] = static_cast<int32_t>(i);
    logits_[count] = logits[i];
    count += logits[i] > kNever ? 1 : 0;
  }
  ids_.resize(count);
  logits_.resize(count);
}

float Candidates::Largest() const {
  return sorted_ ? logits_.front() : logits_[static_cast<size_t>(LargestIndex(logits_))];
}

double Candidates::Weigh(float temperature) {
  weights_.resize(logits_.size());
  const float scale = std::min(1 / temperature, std::numeric_limits<float>::max());
  return tensor::BestFloatKernels().exponentials({logits_.data(), logits_.size(), Largest(), scale, weights_.data()});
}

void Candidates::KeepUntil(std::span<const float> keys, double mass) {
  const Buckets buckets(keys, weights_);
  const auto near = keys.data() == logits_.data() ? buckets.ReachNear(mass) : std::nullopt;
  const Entry reached = near ? *near : buckets.ReachAll(mass);
  size_t count = 0;
  VisitAbove(keys, std::nextafter(reached.key, kNever), [&](size_t i) {
    if (!Before(reached, {keys[i], static_cast<int32_t>(i)})) {
      ids_[count] = ids_[i];
      logits_[count] = logits_[i];  // count <= i: `keys` may be logits_ itself
      ++count;
    }
  });
  ids_.resize(count);
  logits_.resize(count);
}

void Candidates::KeepTypical(float p) {
  if (p >= 1 || ids_.size() <= 1) {
    return;
  }
  const double total = Weigh(1);
  const double largest = Largest();
  const double log_total = std::log(total);
  double entropy = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    entropy -= weights_[i] / total * (logits_[i] - largest - log_total);
  }
  keys_.resize(weights_.size());
  for (size_t i = 0; i < weights_.size(); ++i) {
    keys_[i] = -static_cast<float>(std::abs(entropy + (logits_[i] - largest - log_total)));
  }
  KeepUntil(keys_, p * total);
}

void Candidates::KeepTopP(float p) {
  if (p >= 1 || ids_.size() <= 1) {
    return;
  }
  const double total = Weigh(1);
  KeepUntil(logits_, p * total);
}

void Candidates::KeepMinP(float p) {
  if (p <= 0 || ids_.size() <= 1) {
    return;
  }
  const double least = Largest() + std::log(static_cast<double>(p));
  size_t count = 0;
  VisitAbove(logits_, std::nextafter(static_cast<float>(least), kNever), [&](size_t i) {
    if (logits_[i] >= least) {
      ids_[count] = ids_[i];
      logits_[count] = logits_[i];
      ++count;
    }
  });
  ids_.resize(count);
  logits_.resize(count);
}

int32_t Candidates::Draw(float temperature, double uniform) {
  const double target = uniform * Weigh(temperature);
  double sum = 0;
  size_t drawn = 0;
  for (size_t i = 0; i < weights_.size(); ++i) {
    if (sum + weights_[i] > sum) {
      drawn = i;  // the last one that counts, should rounding leave the sum below the target
      sum += weights_[i];
      if (target < sum) {
        break;
      }
    }
  }
  return ids_[drawn];
}

}  // namespace atelier::engine
