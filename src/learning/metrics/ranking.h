// Measures of ranked lists: retrieval, reranking, recommendation.
#pragma once

#include <boost/json.hpp>
#include <cstddef>
#include <span>
#include <vector>

namespace atelier::learning {

// One query's results from the best to the worst: how relevant each is, 0 for not at all. All judged results are in it.
using RankedRelevance = std::vector<double>;

// The relevances in order of falling scores; of equal scores the earlier comes first. The spans must be of one length.
RankedRelevance RankByScore(std::span<const double> relevance, std::span<const float> scores);

double ReciprocalRank(std::span<const double> ranked);  // 1 / place of the first relevant one; 0 where there is none
double AveragePrecision(
    std::span<const double> ranked);  // mean precision at the relevant places; 0 where there are none
double RecallAt(std::span<const double> ranked, size_t k);
// DCG@k / ideal DCG@k with DCG = sum rel_i / log2(i + 1) (K. Jarvelin, J. Kekalainen, TOIS 2002, with linear gains as
// scikit-learn's ndcg_score); 0 where nothing is relevant.
double NdcgAt(std::span<const double> ranked, size_t k);

// Means over the queries: {"mrr","map","ndcg_at_5","ndcg_at_10","recall_at_1","recall_at_5","recall_at_10"}. Queries
// without a relevant result count as 0.
boost::json::object RankingMetrics(std::span<const RankedRelevance> queries);

}  // namespace atelier::learning
