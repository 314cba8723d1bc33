#include <algorithm>
#include <cmath>

#include "learning/metrics/metrics.h"

namespace atelier::learning {
namespace {

namespace json = boost::json;

constexpr int64_t kMaxTableClasses = 200;

struct ClassCounts {
  int64_t hits = 0;  // predicted and true
  int64_t predicted = 0;
  int64_t support = 0;  // true
};

struct Ratios {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

double Ratio(int64_t part, int64_t whole) {
  return whole == 0 ? 0.0 : static_cast<double>(part) / static_cast<double>(whole);
}

Ratios RatiosOf(const ClassCounts& counts) {
  // F1 = 2 PR / (P + R) = 2 hits / (predicted + support)
  return {Ratio(counts.hits, counts.predicted), Ratio(counts.hits, counts.support),
          Ratio(2 * counts.hits, counts.predicted + counts.support)};
}

int64_t Best(const float* scores, int64_t classes) { return std::max_element(scores, scores + classes) - scores; }

void AddAverages(json::object& metrics, const char* kind, const Ratios& ratios) {
  metrics[std::string("precision_") + kind] = ratios.precision;
  metrics[std::string("recall_") + kind] = ratios.recall;
  metrics[std::string("f1_") + kind] = ratios.f1;
}

void AddAllAverages(json::object& metrics, const std::vector<ClassCounts>& counts) {
  Ratios macro;
  Ratios weighted;
  ClassCounts total;
  int64_t present = 0;
  for (const auto& one : counts) {
    if (one.predicted == 0 && one.support == 0) {
      continue;
    }
    const Ratios ratios = RatiosOf(one);
    ++present;
    const auto weight = static_cast<double>(one.support);
    macro.precision += ratios.precision;
    macro.recall += ratios.recall;
    macro.f1 += ratios.f1;
    weighted.precision += weight * ratios.precision;
    weighted.recall += weight * ratios.recall;
    weighted.f1 += weight * ratios.f1;
    total.hits += one.hits;
    total.predicted += one.predicted;
    total.support += one.support;
  }
  const auto divide = [](Ratios sum, double by) {
    return by > 0 ? Ratios{sum.precision / by, sum.recall / by, sum.f1 / by} : Ratios{};
  };
  AddAverages(metrics, "macro", divide(macro, static_cast<double>(present)));
  AddAverages(metrics, "micro", RatiosOf(total));
  AddAverages(metrics, "weighted", divide(weighted, static_cast<double>(total.support)));
}

// Balanced accuracy: the mean recall of the classes that occur in truth. Matthews' coefficient of several classes
// (J. Gorodkin, "Comparing two K-category assignments by a K-category correlation coefficient", 2004) and Cohen's kappa
// (J. Cohen, 1960), from hits h, rows n, and per class the predicted p_k and true t_k:
//   MCC = (h n - sum p_k t_k) / sqrt((n^2 - sum p_k^2) (n^2 - sum t_k^2));  kappa = (h n - e) / (n^2 - e), e = sum p_k
//   t_k
void AddAgreement(json::object& metrics, const std::vector<ClassCounts>& counts) {
  double hits = 0, rows = 0, products = 0, predicted_squares = 0, true_squares = 0, recalls = 0, present = 0;
  for (const auto& one : counts) {
    const auto predicted = static_cast<double>(one.predicted);
    const auto support = static_cast<double>(one.support);
    hits += static_cast<double>(one.hits);
    rows += support;
    products += predicted * support;
    predicted_squares += predicted * predicted;
    true_squares += support * support;
    recalls += RatiosOf(one).recall;
    present += one.support > 0 ? 1 : 0;
  }
  const double all = rows * rows;
  const double spread = std::sqrt((all - predicted_squares) * (all - true_squares));
  metrics["balanced_accuracy"] = present > 0 ? recalls / present : 0;
  metrics["mcc"] = spread > 0 ? (hits * rows - products) / spread : 0;
  metrics["cohen_kappa"] = all > products ? (hits * rows - products) / (all - products) : 0;
}

void AddTables(json::object& metrics, const ClassScores& scores, const std::vector<ClassCounts>& counts,
               const std::vector<int64_t>& confusion) {
  json::array per_class;
  json::array matrix;
  for (int64_t i = 0; i < scores.classes; ++i) {
    const auto at = static_cast<size_t>(i);
    const Ratios ratios = RatiosOf(counts[at]);
    json::object row{
        {"precision", ratios.precision}, {"recall", ratios.recall}, {"f1", ratios.f1}, {"support", counts[at].support}};
    row["label"] = scores.labels != nullptr && at < scores.labels->size() ? (*scores.labels)[at] : std::to_string(i);
    per_class.push_back(std::move(row));
    json::array line;
    for (int64_t j = 0; j < scores.classes; ++j) {
      line.emplace_back(confusion[static_cast<size_t>(i * scores.classes + j)]);
    }
    matrix.push_back(std::move(line));
  }
  metrics["per_class"] = std::move(per_class);
  metrics["confusion_matrix"] = std::move(matrix);
}

}  // namespace

double TopKAccuracy(const ClassScores& scores, int64_t k) {
  int64_t hits = 0;
  for (size_t row = 0; row < scores.truth.size(); ++row) {
    const float* values = scores.scores.data() + row * static_cast<size_t>(scores.classes);
    const int64_t truth = scores.truth[row];
    int64_t before = 0;
    for (int64_t i = 0; i < scores.classes; ++i) {
      before += values[i] > values[truth] || (values[i] == values[truth] && i < truth) ? 1 : 0;
    }
    hits += before < k ? 1 : 0;
  }
  return Ratio(hits, static_cast<int64_t>(scores.truth.size()));
}

json::object ClassificationMetrics(const ClassScores& scores) {
  const int64_t classes = scores.classes;
  const bool tables = classes <= kMaxTableClasses;
  std::vector<ClassCounts> counts(static_cast<size_t>(classes));
  std::vector<int64_t> confusion(tables ? static_cast<size_t>(classes * classes) : 0);
  int64_t hits = 0;
  for (size_t row = 0; row < scores.truth.size(); ++row) {
    const int64_t truth = scores.truth[row];
    const int64_t best = Best(scores.scores.data() + row * static_cast<size_t>(classes), classes);
    counts[static_cast<size_t>(truth)].support += 1;
    counts[static_cast<size_t>(best)].predicted += 1;
    counts[static_cast<size_t>(best)].hits += best == truth ? 1 : 0;
    hits += best == truth ? 1 : 0;
    if (tables) {
      confusion[static_cast<size_t>(truth * classes + best)] += 1;
    }
  }
  json::object metrics{{"accuracy", Ratio(hits, static_cast<int64_t>(scores.truth.size()))}};
  if (classes > 5) {
    metrics["top_5_accuracy"] = TopKAccuracy(scores, 5);
  }
  AddAllAverages(metrics, counts);
  AddAgreement(metrics, counts);
  if (tables) {
    AddTables(metrics, scores, counts, confusion);
  }
  return metrics;
}

}  // namespace atelier::learning
