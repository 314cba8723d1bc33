// How many tokens to draft for each answer of a step.
#pragma once

#include <cstddef>
#include <span>
#include <vector>

#include "engine/service/speculation/step_costs.h"

namespace atelier::engine {

// What could be drafted for an answer.
struct DraftOffer {
  double rate = 0;        // chance that a drafted token is taken when those before it were
  size_t most = 0;        // tokens; 0: nothing can be drafted
  bool by_model = false;  // a model drafts them, each of them in a pass of its own
};

// Takes the tokens that are likeliest to be right first, and as many as give the most tokens a second, where that is
// clearly more than without drafts: a step with `k` drafts of rate `a` is expected to give 1 + a + ... + a^k tokens
// (Leviathan et al. 2023, https://arxiv.org/abs/2211.17192, section 3). No answer is slowed down by more than a tenth
// for the sake of others. `offers`: of all answers in the step, one row each. `pass`: what a pass of the drafting model
// costs, in the unit of `costs`. A pure function.
std::vector<size_t> ChooseLengths(std::span<const DraftOffer> offers, const StepCosts& costs, double pass);

}  // namespace atelier::engine
