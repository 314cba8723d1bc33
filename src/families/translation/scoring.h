// What a translation model makes of many texts.
#pragma once

#include <functional>
#include <vector>

#include "families/learner.h"
#include "families/translation/beam_search.h"
#include "families/translation/pairs.h"

namespace atelier::families {

// Adds the losses of the pairs' targets: a term a token, without smoothing; the score is the tokens that are likeliest
// at their place. `cancelled` may be empty. Leaves the network in evaluation mode. Errors: kCancelled, CatchTorch's.
Status SumLosses(TranslatorImpl& network, const TranslationConfig& config, const std::vector<TokenPair>& pairs,
                 const std::function<bool()>& cancelled, Sums& sums);

// Beam search in batches of texts of like length; an answer for each text, in order. Where it is cancelled, some are
// empty. LibTorch's exceptions may leave.
std::vector<Hypothesis> Translate(TranslatorImpl& network, const TranslationConfig& config,
                                  const std::vector<std::vector<int32_t>>& texts,
                                  const std::function<bool()>& cancelled);

}  // namespace atelier::families
