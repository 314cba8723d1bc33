// BLEU (K. Papineni et al., "BLEU: a Method for Automatic Evaluation of Machine Translation", ACL 2002), equal to
// sacrebleu 2's figures:
//   BLEU = 100 BP exp(1/N sum_{n=1..N} log p_n),  N = 4
//   p_n  = clipped matches / n-grams of the hypotheses, summed over the corpus; BP = min(1, exp(1 - r / h)), with h and
//   r the lengths of hypotheses and of the references closest in length (of two as close, the shorter).
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "learning/metrics/bleu_tokens.h"

namespace atelier::learning {

inline constexpr size_t kBleuOrder = 4;

// What a segment adds to the corpus; sums of these are enough for the score.
struct BleuStatistics {
  int64_t hypothesis_tokens = 0;
  int64_t reference_tokens = 0;
  std::array<int64_t, kBleuOrder> matches{};
  std::array<int64_t, kBleuOrder> ngrams{};  // of the hypothesis

  BleuStatistics& operator+=(const BleuStatistics& other);
};

// How an order without a match counts (B. Chen, C. Cherry, "A Systematic Comparison of Smoothing Techniques for
// Sentence-Level BLEU", WMT 2014).
enum class Smoothing {
  kNone,   // the score is 0
  kFloor,  // as `value` matches
  kAddK,   // `value` is added to matches and n-grams of the orders above 1
  kExp,    // as 1/2, 1/4, 1/8 ... of a match, one after another (mteval-v13a)
};

struct BleuOptions {
  BleuTokens tokens = BleuTokens::k13a;
  Smoothing smoothing = Smoothing::kExp;
  double value = -1;             // of kFloor and kAddK; below 0: 0.1 and 1
  bool effective_order = false;  // orders that the hypotheses are too short for do not count; for single sentences
  bool lowercase = false;
};

struct BleuScore {
  double score = 0;  // 0 to 100
  std::array<double, kBleuOrder> precisions{};
  double brevity_penalty = 1;
};

BleuStatistics BleuOf(std::string_view hypothesis, std::span<const std::string> references, const BleuOptions& options);
BleuScore Score(const BleuStatistics& sum, const BleuOptions& options);

// One hypothesis a segment, one or more references each. The spans must be of one length.
BleuScore CorpusBleu(std::span<const std::string> hypotheses, std::span<const std::vector<std::string>> references,
                     const BleuOptions& options);

}  // namespace atelier::learning
