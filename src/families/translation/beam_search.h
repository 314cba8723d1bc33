// Finding a likely translation: beam search over batches.
#pragma once

#include <torch/torch.h>

#include <cstdint>
#include <vector>

#include "families/translation/network.h"

namespace atelier::families {

struct BeamOptions {
  int64_t beam = 4;
  // Hypotheses are compared by log p / ((5 + length) / 6)^penalty (Wu et al., arXiv:1609.08144, equation 14, without
  // its coverage); the length counts the token that ends a text.
  double length_penalty = 0.6;
};

struct Hypothesis {
  std::vector<int32_t> tokens{};  // without the one that ends the text
  double score = 0;               // the quotient above
};

// The best hypothesis of each text, in order; texts may be of any length, those of like length cost least. A hypothesis
// has at most max_length tokens, and twice the text's and ten, the end counted. Padding and unknown tokens are not
// produced. But for rounding, a text's answer does not depend on the others. The network is in evaluation mode.
// texts: ids with `end`, at least one each and at most max_length.
std::vector<Hypothesis> BeamSearch(TranslatorImpl& network, const TranslationConfig& config,
                                   const std::vector<std::vector<int32_t>>& texts, const BeamOptions& options);

}  // namespace atelier::families
