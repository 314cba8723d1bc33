#include "learning/metrics/generation.h"

#include <unicode/uchar.h>

#include <algorithm>
#include <cmath>

#include "learning/metrics/bleu.h"
#include "learning/metrics/chrf.h"
#include "learning/metrics/ngrams.h"
#include "learning/metrics/words.h"

namespace atelier::learning {
namespace {

PrecisionRecall FromCounts(int64_t hits, int64_t predicted, int64_t wanted) {
  PrecisionRecall result;
  result.precision = static_cast<double>(hits) / static_cast<double>(std::max<int64_t>(predicted, 1));
  result.recall = static_cast<double>(hits) / static_cast<double>(std::max<int64_t>(wanted, 1));
  const double sum = result.precision + result.recall;
  result.f1 = sum > 0 ? 2 * result.precision * result.recall / sum : 0;
  return result;
}

bool IsAsciiLetterOrDigit(char32_t c) { return (c >= U'a' && c <= U'z') || (c >= U'0' && c <= U'9'); }

bool IsPunctuation(char32_t c) {
  if (c < 0x80) {
    return u_ispunct(static_cast<UChar32>(c)) != 0 || c == U'$' || c == U'+' || c == U'<' || c == U'=' || c == U'>' ||
           c == U'^' || c == U'`' || c == U'|' || c == U'~';
  }
  // CJK punctuation and the full-width forms of ASCII's
  return (c >= 0x3000 && c <= 0x303F) || (c >= 0xFF00 && c <= 0xFF65 && u_isalnum(static_cast<UChar32>(c)) == 0) ||
         (c >= 0x2010 && c <= 0x2027);
}

// The text in words: what `keep` refuses separates or vanishes, ideographs stand alone.
std::vector<std::string> WordsOf(const std::u32string& text, bool (*keep)(char32_t), bool separates) {
  std::u32string spaced;
  for (const char32_t c : text) {
    if (IsIdeograph(c)) {
      spaced += {U' ', c, U' '};
    } else if (keep(c)) {
      spaced += c;
    } else if (separates) {
      spaced += U' ';
    }
  }
  std::vector<std::string> words;
  for (const auto& word : SplitWords(spaced)) {
    words.push_back(ToUtf8(word));
  }
  return words;
}

// The best F1 that `score` gives over the references.
template <class Score>
double Best(const std::vector<std::string>& references, const Score& score) {
  double best = 0;
  for (const auto& reference : references) {
    best = std::max(best, score(reference));
  }
  return best;
}

struct RowSums {
  double exact = 0, overlap = 0, rouge_1 = 0, rouge_2 = 0, rouge_l = 0;

  void Add(const std::string& prediction, const std::vector<std::string>& references) {
    const auto tokens = RougeTokens(prediction);
    exact += Best(references, [&](const auto& r) { return ExactMatch(r, prediction) ? 1.0 : 0.0; });
    overlap += Best(references, [&](const auto& r) { return TokenOverlap(r, prediction).f1; });
    rouge_1 += Best(references, [&](const auto& r) { return RougeN(RougeTokens(r), tokens, 1).f1; });
    rouge_2 += Best(references, [&](const auto& r) { return RougeN(RougeTokens(r), tokens, 2).f1; });
    rouge_l += Best(references, [&](const auto& r) { return RougeL(RougeTokens(r), tokens).f1; });
  }
};

}  // namespace

std::vector<std::string> RougeTokens(std::string_view text) {
  return WordsOf(ToCharacters(Lower(text)), IsAsciiLetterOrDigit, true);
}

PrecisionRecall RougeN(std::span<const std::string> reference, std::span<const std::string> prediction, size_t n) {
  const auto wanted = CountWords(reference, n);
  const auto predicted = CountWords(prediction, n);
  return FromCounts(Matches(wanted, predicted), Total(predicted), Total(wanted));
}

PrecisionRecall RougeL(std::span<const std::string> reference, std::span<const std::string> prediction) {
  std::vector<int64_t> row(prediction.size() + 1);
  for (const auto& word : reference) {
    int64_t diagonal = 0;
    for (size_t j = 0; j < prediction.size(); ++j) {
      const int64_t above = row[j + 1];
      row[j + 1] = word == prediction[j] ? diagonal + 1 : std::max(above, row[j]);
      diagonal = above;
    }
  }
  return FromCounts(row.back(), static_cast<int64_t>(prediction.size()), static_cast<int64_t>(reference.size()));
}

std::vector<std::string> AnswerTokens(std::string_view text) {
  auto words = WordsOf(
      ToCharacters(Lower(text)), [](char32_t c) { return !IsPunctuation(c); }, false);
  std::erase_if(words, [](const std::string& word) { return word == "a" || word == "an" || word == "the"; });
  return words;
}

bool ExactMatch(std::string_view reference, std::string_view prediction) {
  return AnswerTokens(reference) == AnswerTokens(prediction);
}

PrecisionRecall TokenOverlap(std::string_view reference, std::string_view prediction) {
  const auto wanted = AnswerTokens(reference);
  const auto predicted = AnswerTokens(prediction);
  if (wanted.empty() || predicted.empty()) {
    const double both = wanted.empty() && predicted.empty() ? 1 : 0;
    return {both, both, both};
  }
  return FromCounts(Matches(CountWords(wanted, 1), CountWords(predicted, 1)), static_cast<int64_t>(predicted.size()),
                    static_cast<int64_t>(wanted.size()));
}

double Perplexity(double negative_log_likelihood, int64_t tokens) {
  return tokens > 0 ? std::exp(negative_log_likelihood / static_cast<double>(tokens)) : 1;
}

boost::json::object GenerationMetrics(std::span<const std::string> predictions,
                                      std::span<const std::vector<std::string>> references) {
  std::string sample;
  RowSums sums;
  for (size_t i = 0; i < predictions.size(); ++i) {
    sums.Add(predictions[i], references[i]);
    if (sample.size() < 65536) {
      sample += references[i].front();
    }
  }
  BleuOptions bleu;
  bleu.tokens = GuessBleuTokens(sample);
  const auto rows = static_cast<double>(std::max<size_t>(predictions.size(), 1));
  return {{"bleu", CorpusBleu(predictions, references, bleu).score},
          {"chrf", CorpusChrf(predictions, references, {})},
          {"chrf_plus_plus", CorpusChrf(predictions, references, {.word_order = 2})},
          {"exact_match", sums.exact / rows},
          {"token_f1", sums.overlap / rows},
          {"rouge_1", sums.rouge_1 / rows},
          {"rouge_2", sums.rouge_2 / rows},
          {"rouge_l", sums.rouge_l / rows},
          {"tokenize", Name(bleu.tokens)}};
}

}  // namespace atelier::learning
