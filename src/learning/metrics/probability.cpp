#include "learning/metrics/probability.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <string>
#include <vector>

namespace atelier::learning {
namespace {

namespace json = boost::json;

constexpr int64_t kMaxClasses = 200;
constexpr int kBins = 15;
constexpr double kSmallest = 0x1p-23;

// Row numbers in order of falling scores.
std::vector<uint32_t> Order(std::span<const float> scores) {
  std::vector<uint32_t> order(scores.size());
  std::iota(order.begin(), order.end(), 0U);
  std::ranges::sort(order, [&](uint32_t a, uint32_t b) { return scores[a] > scores[b]; });
  return order;
}

// Calls `use(hits, misses)` with what has a score at or above each distinct one, from the highest.
template <class Use>
void ForEachThreshold(std::span<const uint8_t> positive, std::span<const float> scores, const Use& use) {
  const auto order = Order(scores);
  int64_t hits = 0;
  for (size_t i = 0; i < order.size(); ++i) {
    hits += positive[order[i]] != 0 ? 1 : 0;
    if (i + 1 == order.size() || scores[order[i + 1]] != scores[order[i]]) {
      use(static_cast<double>(hits), static_cast<double>(i + 1) - static_cast<double>(hits));
    }
  }
}

double CountPositive(std::span<const uint8_t> positive) {
  return static_cast<double>(std::ranges::count_if(positive, [](uint8_t flag) { return flag != 0; }));
}

// A mean over classes that have a value, plain and by support.
struct ClassMean {
  double sum = 0, weighted = 0, classes = 0, support = 0;

  void Add(std::optional<double> value, double rows) {
    if (value.has_value()) {
      sum += *value;
      weighted += *value * rows;
      ++classes;
      support += rows;
    }
  }
  void Write(json::object& metrics, const std::string& name) const {
    if (classes > 0) {
      metrics[name + "_macro"] = sum / classes;
      metrics[name + "_weighted"] = support > 0 ? weighted / support : 0;
    }
  }
};

void AddAreas(json::object& metrics, const ClassScores& scores) {
  const size_t rows = scores.truth.size();
  const auto classes = static_cast<size_t>(scores.classes);
  std::vector<uint8_t> positive(rows);
  std::vector<float> column(rows);
  ClassMean roc;
  ClassMean precision_recall;
  for (size_t c = classes == 2 ? 1 : 0; c < classes; ++c) {
    for (size_t row = 0; row < rows; ++row) {
      positive[row] = scores.truth[row] == static_cast<int64_t>(c) ? 1 : 0;
      column[row] = scores.scores[row * classes + c];
    }
    roc.Add(RocAuc(positive, column), CountPositive(positive));
    precision_recall.Add(PrecisionRecallAuc(positive, column), CountPositive(positive));
  }
  if (classes != 2) {
    roc.Write(metrics, "roc_auc");
    precision_recall.Write(metrics, "pr_auc");
    return;
  }
  if (roc.classes > 0) {
    metrics["roc_auc"] = roc.sum;
  }
  if (precision_recall.classes > 0) {
    metrics["pr_auc"] = precision_recall.sum;
  }
}

struct Bin {
  double confidence = 0, hits = 0, rows = 0;
};

void AddCalibration(json::object& metrics, const std::array<Bin, kBins>& bins, double rows) {
  double error = 0;
  json::array table;
  for (const Bin& bin : bins) {
    if (bin.rows > 0) {
      error += std::abs(bin.hits - bin.confidence) / rows;
      table.push_back({{"confidence", bin.confidence / bin.rows},
                       {"accuracy", bin.hits / bin.rows},
                       {"rows", std::llround(bin.rows)}});
    }
  }
  metrics["calibration_error"] = error;
  metrics["calibration"] = std::move(table);
}

}  // namespace

std::optional<double> RocAuc(std::span<const uint8_t> positive, std::span<const float> scores) {
  const double positives = CountPositive(positive);
  const double negatives = static_cast<double>(positive.size()) - positives;
  if (positives == 0 || negatives == 0) {
    return std::nullopt;
  }
  double area = 0;  // by the trapezoid rule, in hits times misses
  double last_hits = 0;
  double last_misses = 0;
  ForEachThreshold(positive, scores, [&](double hits, double misses) {
    area += (misses - last_misses) * (hits + last_hits) / 2;
    last_hits = hits;
    last_misses = misses;
  });
  return area / (positives * negatives);
}

std::optional<double> PrecisionRecallAuc(std::span<const uint8_t> positive, std::span<const float> scores) {
  const double positives = CountPositive(positive);
  if (positives == 0) {
    return std::nullopt;
  }
  double area = 0;
  double last_hits = 0;
  ForEachThreshold(positive, scores, [&](double hits, double misses) {
    area += (hits - last_hits) / positives * (hits / (hits + misses));
    last_hits = hits;
  });
  return area;
}

json::object ProbabilityMetrics(const ClassScores& scores) {
  const auto classes = static_cast<size_t>(scores.classes);
  const auto rows = static_cast<double>(std::max<size_t>(scores.truth.size(), 1));
  double loss = 0;
  double brier = 0;
  std::array<Bin, kBins> bins{};
  for (size_t row = 0; row < scores.truth.size(); ++row) {
    const auto line = scores.scores.subspan(row * classes, classes);
    const auto truth = static_cast<size_t>(scores.truth[row]);
    loss -= std::log(std::clamp<double>(line[truth], kSmallest, 1 - kSmallest));
    for (size_t c = classes == 2 ? 1 : 0; c < classes; ++c) {
      const double difference = line[c] - (c == truth ? 1.0 : 0.0);
      brier += difference * difference;
    }
    const auto best = std::ranges::max_element(line);
    const int bin = std::clamp(static_cast<int>(std::ceil(static_cast<double>(*best) * kBins)) - 1, 0, kBins - 1);
    auto& one = bins[static_cast<size_t>(bin)];
    one.confidence += *best;
    one.hits += static_cast<size_t>(best - line.begin()) == truth ? 1 : 0;
    ++one.rows;
  }
  json::object metrics{{"log_loss", loss / rows}, {"brier", brier / rows}};
  if (scores.classes <= kMaxClasses) {
    AddAreas(metrics, scores);
  }
  AddCalibration(metrics, bins, rows);
  return metrics;
}

}  // namespace atelier::learning
