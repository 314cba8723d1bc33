#include "learning/metrics/chrf.h"

#include "learning/metrics/ngrams.h"
#include "learning/metrics/words.h"

namespace atelier::learning {
namespace {

constexpr double kBetaSquared = 4;

bool IsMark(char32_t c) {
  return (c >= U'!' && c <= U'/') || (c >= U':' && c <= U'@') || (c >= U'[' && c <= U'`') || (c >= U'{' && c <= U'~');
}

struct Prepared {
  std::u32string characters;       // without white space
  std::vector<std::string> words;  // marks apart
};

Prepared Prepare(std::string_view text, const ChrfOptions& options) {
  Prepared prepared;
  for (auto& word : SplitWords(ToCharacters(options.lowercase ? Lower(text) : std::string(text)))) {
    prepared.characters += word;
    if (options.word_order == 0) {
      continue;
    }
    if (word.size() > 1 && IsMark(word.back())) {
      prepared.words.push_back(ToUtf8(word.substr(0, word.size() - 1)));
      prepared.words.push_back(ToUtf8(word.substr(word.size() - 1)));
    } else if (word.size() > 1 && IsMark(word.front())) {
      prepared.words.push_back(ToUtf8(word.substr(0, 1)));
      prepared.words.push_back(ToUtf8(word.substr(1)));
    } else {
      prepared.words.push_back(ToUtf8(word));
    }
  }
  return prepared;
}

template <class Counts>
ChrfStatistics::Order Compare(const Counts& hypothesis, const Counts& reference) {
  // N-grams of an order that the reference is too short for do not count against the hypothesis.
  return {reference.empty() ? 0 : Total(hypothesis), Total(reference), Matches(hypothesis, reference)};
}

ChrfStatistics Compare(const Prepared& hypothesis, const Prepared& reference, const ChrfOptions& options) {
  ChrfStatistics statistics;
  for (size_t n = 1; n <= kChrfCharacterOrder; ++n) {
    statistics.orders[n - 1] =
        Compare(CountCharacters(hypothesis.characters, n), CountCharacters(reference.characters, n));
  }
  for (size_t n = 1; n <= options.word_order; ++n) {
    statistics.orders[kChrfCharacterOrder + n - 1] =
        Compare(CountWords(hypothesis.words, n), CountWords(reference.words, n));
  }
  return statistics;
}

}  // namespace

ChrfStatistics& ChrfStatistics::operator+=(const ChrfStatistics& other) {
  for (size_t i = 0; i < orders.size(); ++i) {
    orders[i].hypothesis += other.orders[i].hypothesis;
    orders[i].reference += other.orders[i].reference;
    orders[i].matches += other.orders[i].matches;
  }
  return *this;
}

ChrfStatistics ChrfOf(std::string_view hypothesis, std::span<const std::string> references,
                      const ChrfOptions& options) {
  const Prepared prepared = Prepare(hypothesis, options);
  ChrfStatistics best;
  double best_score = -1;
  for (const auto& reference : references) {
    const ChrfStatistics statistics = Compare(prepared, Prepare(reference, options), options);
    if (const double score = Score(statistics, options); score > best_score) {
      best = statistics;
      best_score = score;
    }
  }
  return best;
}

double Score(const ChrfStatistics& sum, const ChrfOptions& options) {
  double precision = 0;
  double recall = 0;
  int orders = 0;
  for (size_t i = 0; i < kChrfCharacterOrder + options.word_order; ++i) {
    const auto& order = sum.orders[i];
    if (order.hypothesis > 0 && order.reference > 0) {
      precision += static_cast<double>(order.matches) / static_cast<double>(order.hypothesis);
      recall += static_cast<double>(order.matches) / static_cast<double>(order.reference);
      ++orders;
    }
  }
  if (precision + recall == 0) {
    return 0;
  }
  precision /= orders;
  recall /= orders;
  return 100 * (1 + kBetaSquared) * precision * recall / (kBetaSquared * precision + recall);
}

double CorpusChrf(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                  const ChrfOptions& options) {
  ChrfStatistics sum;
  for (size_t i = 0; i < hypotheses.size(); ++i) {
    sum += ChrfOf(hypotheses[i], references[i], options);
  }
  return Score(sum, options);
}

}  // namespace atelier::learning
