#include "learning/metrics/bleu.h"

#include <algorithm>
#include <cmath>
#include <cstdlib>

#include "learning/metrics/ngrams.h"
#include "learning/metrics/words.h"

namespace atelier::learning {
namespace {

constexpr double kLogOfZero = -9999999999;  // sacrebleu's: the score underflows to 0

std::vector<std::string> TokensOf(std::string_view text, const BleuOptions& options) {
  return Tokenize(options.lowercase ? Lower(text) : text, options.tokens);
}

int64_t Closest(int64_t wanted, const std::vector<int64_t>& lengths) {
  return *std::ranges::min_element(lengths, [wanted](int64_t a, int64_t b) {
    const auto distance_a = std::llabs(a - wanted);
    const auto distance_b = std::llabs(b - wanted);
    return distance_a != distance_b ? distance_a < distance_b : a < b;
  });
}

}  // namespace

BleuStatistics& BleuStatistics::operator+=(const BleuStatistics& other) {
  hypothesis_tokens += other.hypothesis_tokens;
  reference_tokens += other.reference_tokens;
  for (size_t n = 0; n < kBleuOrder; ++n) {
    matches[n] += other.matches[n];
    ngrams[n] += other.ngrams[n];
  }
  return *this;
}

BleuStatistics BleuOf(std::string_view hypothesis, std::span<const std::string> references,
                      const BleuOptions& options) {
  const auto tokens = TokensOf(hypothesis, options);
  std::vector<std::vector<std::string>> targets;
  std::vector<int64_t> lengths;
  for (const auto& reference : references) {
    targets.push_back(TokensOf(reference, options));
    lengths.push_back(static_cast<int64_t>(targets.back().size()));
  }
  BleuStatistics statistics;
  statistics.hypothesis_tokens = static_cast<int64_t>(tokens.size());
  statistics.reference_tokens = lengths.empty() ? 0 : Closest(statistics.hypothesis_tokens, lengths);
  for (size_t n = 1; n <= kBleuOrder; ++n) {
    WordCounts most;  // of each n-gram, in any one reference
    for (const auto& target : targets) {
      for (const auto& [ngram, count] : CountWords(target, n)) {
        most[ngram] = std::max(most[ngram], count);
      }
    }
    const auto counts = CountWords(tokens, n);
    statistics.matches[n - 1] = Matches(counts, most);
    statistics.ngrams[n - 1] = Total(counts);
  }
  return statistics;
}

BleuScore Score(const BleuStatistics& sum, const BleuOptions& options) {
  BleuScore result;
  if (sum.hypothesis_tokens < sum.reference_tokens) {
    const double ratio = static_cast<double>(sum.reference_tokens) / static_cast<double>(sum.hypothesis_tokens);
    result.brevity_penalty = sum.hypothesis_tokens > 0 ? std::exp(1 - ratio) : 0;
  }
  if (std::ranges::all_of(sum.matches, [](int64_t matches) { return matches == 0; })) {
    return result;
  }
  const double value = options.value >= 0 ? options.value : (options.smoothing == Smoothing::kFloor ? 0.1 : 1);
  double halving = 1;
  size_t order = kBleuOrder;
  for (size_t n = 0; n < kBleuOrder; ++n) {
    const double added = options.smoothing == Smoothing::kAddK && n > 0 ? value : 0;
    const double matches = static_cast<double>(sum.matches[n]) + added;
    const double ngrams = static_cast<double>(sum.ngrams[n]) + added;
    if (ngrams == 0) {
      break;
    }
    order = options.effective_order ? n + 1 : kBleuOrder;
    if (matches > 0) {
      result.precisions[n] = 100 * matches / ngrams;
    } else if (options.smoothing == Smoothing::kExp) {
      halving *= 2;
      result.precisions[n] = 100 / (halving * ngrams);
    } else if (options.smoothing == Smoothing::kFloor) {
      result.precisions[n] = 100 * value / ngrams;
    }
  }
  double logarithms = 0;
  for (size_t n = 0; n < order; ++n) {
    logarithms += result.precisions[n] > 0 ? std::log(result.precisions[n]) : kLogOfZero;
  }
  result.score = result.brevity_penalty * std::exp(logarithms / static_cast<double>(order));
  return result;
}

BleuScore CorpusBleu(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                     const BleuOptions& options) {
  BleuStatistics sum;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    sum += BleuOf(hypotheses[i], references[i], options);
  }
  return Score(sum, options);
}

}  // namespace atelier::learning
