#include "families/word_vectors/agreement.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <numeric>

namespace atelier::families::word_vectors {
namespace {

constexpr size_t kQuestionsAtOnce = 480;

struct Asked {
  AnalogyAccuracy* section;
  AnalogyAccuracy* total;
  int32_t answer;
};

void Grade(const WordIndex& index, std::vector<Query>& queries, std::vector<Asked>& asked) {
  const auto answers = index.Nearest(queries);
  for (size_t i = 0; i < asked.size(); ++i) {
    const bool correct = !answers[i].empty() && answers[i].front().word == asked[i].answer;
    for (AnalogyAccuracy* accuracy : {asked[i].section, asked[i].total}) {
      accuracy->correct += correct ? 1 : 0;
      ++accuracy->asked;
    }
  }
  queries.clear();
  asked.clear();
}

}  // namespace

std::vector<double> Ranks(std::span<const double> values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::ranges::sort(order, [&](size_t a, size_t b) { return values[a] < values[b]; });
  std::vector<double> ranks(values.size());
  for (size_t first = 0; first < order.size();) {
    size_t last = first;
    while (last + 1 < order.size() && values[order[last + 1]] == values[order[first]]) {
      ++last;
    }
    for (size_t i = first; i <= last; ++i) {
      ranks[order[i]] = static_cast<double>(first + last) / 2 + 1;
    }
    first = last + 1;
  }
  return ranks;
}

double Correlation(std::span<const double> a, std::span<const double> b) {
  const auto count = static_cast<double>(a.size());
  const double mean_a = std::accumulate(a.begin(), a.end(), 0.0) / count;
  const double mean_b = std::accumulate(b.begin(), b.end(), 0.0) / count;
  double products = 0;
  double squares_a = 0;
  double squares_b = 0;
  for (size_t i = 0; i < a.size(); ++i) {
    products += (a[i] - mean_a) * (b[i] - mean_b);
    squares_a += (a[i] - mean_a) * (a[i] - mean_a);
    squares_b += (b[i] - mean_b) * (b[i] - mean_b);
  }
  return squares_a > 0 && squares_b > 0 ? products / std::sqrt(squares_a * squares_b)
                                        : std::numeric_limits<double>::quiet_NaN();
}

PairAgreement CompareSimilarities(const WordIndex& index, std::span<const ScoredPair> pairs) {
  PairAgreement agreement;
  std::vector<double> scores;
  std::vector<double> similarities;
  for (const ScoredPair& pair : pairs) {
    const auto first = FindWord(index.vocabulary(), pair.first);
    const auto second = FindWord(index.vocabulary(), pair.second);
    if (!first.has_value() || !second.has_value()) {
      ++agreement.unknown;
      continue;
    }
    scores.push_back(pair.score);
    similarities.push_back(index.Similarity(*first, *second));
  }
  agreement.pairs = static_cast<int64_t>(scores.size());
  agreement.spearman = Correlation(Ranks(scores), Ranks(similarities));
  agreement.pearson = Correlation(scores, similarities);
  return agreement;
}

std::map<std::string, AnalogyAccuracy> AnswerAnalogies(const WordIndex& index,
                                                       std::span<const AnalogyQuestion> questions, size_t among) {
  std::map<std::string, AnalogyAccuracy> accuracies;
  AnalogyAccuracy total;
  std::vector<Query> queries;
  std::vector<Asked> asked;
  for (const AnalogyQuestion& question : questions) {
    AnalogyAccuracy& section = accuracies[question.section];
    std::array<int32_t, 4> words{};
    const bool known = std::ranges::all_of(std::array{0, 1, 2, 3}, [&](int i) {
      const auto found = FindWord(index.vocabulary(), question.words.at(static_cast<size_t>(i)));
      words.at(static_cast<size_t>(i)) = found.value_or(0);
      return found.has_value();
    });
    if (!known) {
      ++section.unknown;
      ++total.unknown;
      continue;
    }
    Query query = index.Analogy(words[0], words[1], words[2]);
    query.top = 1;
    query.among = among;
    queries.push_back(std::move(query));
    asked.push_back({&section, &total, words[3]});
    if (queries.size() == kQuestionsAtOnce) {
      Grade(index, queries, asked);
    }
  }
  Grade(index, queries, asked);
  accuracies[""] = total;
  return accuracies;
}

}  // namespace atelier::families::word_vectors
