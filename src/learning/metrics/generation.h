// Measures of generated text against references.
#pragma once

#include <boost/json.hpp>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace atelier::learning {

struct PrecisionRecall {
  double precision = 0;
  double recall = 0;
  double f1 = 0;
};

// ROUGE's tokens as rouge_score (https://github.com/google-research/google-research/tree/master/rouge) makes them,
// without stems: lower case, runs of a-z and 0-9. Each ideograph is a token, too, so that Chinese counts as English
// does; rouge_score has none there.
std::vector<std::string> RougeTokens(std::string_view text);

// ROUGE-N and ROUGE-L (C.-Y. Lin, "ROUGE: A Package for Automatic Evaluation of Summaries", ACL 2004) of two token
// lists; L takes the longest common subsequence of the whole texts.
PrecisionRecall RougeN(std::span<const std::string> reference, std::span<const std::string> prediction, size_t n);
PrecisionRecall RougeL(std::span<const std::string> reference, std::span<const std::string> prediction);

// Answers to questions as SQuAD scores them (P. Rajpurkar et al., EMNLP 2016): lower case, without ASCII punctuation
// and English articles, single spaces; ideographs are tokens of their own, and Chinese punctuation is left out
// likewise.
std::vector<std::string> AnswerTokens(std::string_view text);
bool ExactMatch(std::string_view reference, std::string_view prediction);
PrecisionRecall TokenOverlap(std::string_view reference, std::string_view prediction);

// exp of the mean negative log-likelihood; nats of `tokens` tokens in all. Infinity where it overflows; 1 of nothing.
double Perplexity(double negative_log_likelihood, int64_t tokens);

// {"bleu","chrf","chrf_plus_plus","exact_match","token_f1","rouge_1","rouge_2","rouge_l","tokenize"}: BLEU and chrF are
// of the corpus (0 to 100), the others means over the rows (0 to 1) of the best reference's F1. BLEU's tokens are
// guessed from the references and named. The spans must be of one length, each row with at least one reference.
boost::json::object GenerationMetrics(std::span<const std::string> predictions,
                                      std::span<const std::vector<std::string>> references);

}  // namespace atelier::learning
