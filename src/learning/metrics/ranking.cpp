#include "learning/metrics/ranking.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <numeric>
#include <string>

namespace atelier::learning {
namespace {

double Dcg(std::span<const double> ranked, size_t k) {
  double sum = 0;
  for (size_t i = 0; i < std::min(k, ranked.size()); ++i) {
    sum += ranked[i] / std::log2(static_cast<double>(i) + 2);
  }
  return sum;
}

double CountRelevant(std::span<const double> ranked) {
  return static_cast<double>(std::ranges::count_if(ranked, [](double relevance) { return relevance > 0; }));
}

template <class Measure>
double Mean(std::span<const RankedRelevance> queries, const Measure& measure) {
  double sum = 0;
  for (const auto& query : queries) {
    sum += measure(query);
  }
  return queries.empty() ? 0 : sum / static_cast<double>(queries.size());
}

}  // namespace

RankedRelevance RankByScore(std::span<const double> relevance, std::span<const float> scores) {
  std::vector<size_t> order(scores.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::stable_sort(order, [&](size_t a, size_t b) { return scores[a] > scores[b]; });
  RankedRelevance ranked;
  for (const size_t i : order) {
    ranked.push_back(relevance[i]);
  }
  return ranked;
}

double ReciprocalRank(std::span<const double> ranked) {
  const auto first = std::ranges::find_if(ranked, [](double relevance) { return relevance > 0; });
  return first == ranked.end() ? 0 : 1.0 / static_cast<double>(first - ranked.begin() + 1);
}

double AveragePrecision(std::span<const double> ranked) {
  double relevant = 0;
  double sum = 0;
  for (size_t i = 0; i < ranked.size(); ++i) {
    if (ranked[i] > 0) {
      ++relevant;
      sum += relevant / static_cast<double>(i + 1);
    }
  }
  return relevant > 0 ? sum / relevant : 0;
}

double RecallAt(std::span<const double> ranked, size_t k) {
  const double all = CountRelevant(ranked);
  return all > 0 ? CountRelevant(ranked.first(std::min(k, ranked.size()))) / all : 0;
}

double NdcgAt(std::span<const double> ranked, size_t k) {
  RankedRelevance ideal(ranked.begin(), ranked.end());
  std::ranges::sort(ideal, std::greater());
  const double best = Dcg(ideal, k);
  return best > 0 ? Dcg(ranked, k) / best : 0;
}

boost::json::object RankingMetrics(std::span<const RankedRelevance> queries) {
  boost::json::object metrics{{"mrr", Mean(queries, [](const auto& query) { return ReciprocalRank(query); })},
                              {"map", Mean(queries, [](const auto& query) { return AveragePrecision(query); })}};
  for (const size_t k : {5, 10}) {
    metrics["ndcg_at_" + std::to_string(k)] = Mean(queries, [k](const auto& query) { return NdcgAt(query, k); });
  }
  for (const size_t k : {1, 5, 10}) {
    metrics["recall_at_" + std::to_string(k)] = Mean(queries, [k](const auto& query) { return RecallAt(query, k); });
  }
  return metrics;
}

}  // namespace atelier::learning
