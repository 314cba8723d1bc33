// How many tokens of prompts go into a step beside what is decoded: as many as a step's time allows, as measured.
// (Agrawal et al., "Sarathi-Serve", arXiv:2403.02310, has a fixed number of tokens; here it is a time.)
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace atelier::engine {

// What a step costs on this machine with this model; 0: not known yet.
struct StepCost {
  double decode_ns = 0;  // of a step for what it decodes
  double token_ns = 0;   // more, for every token of a prompt
};

struct StepSample {
  size_t decoded = 0;        // answers that took a token
  size_t prompt_tokens = 0;  // of all prompts
  int64_t ns = 0;
};

struct StepTargets {
  int64_t shared_ns = 40'000'000;  // of a step in which something is decoded: the time between two tokens
  int64_t alone_ns = 200'000'000;  // of any other step: what a newcomer waits at most
  // Tokens of prompts, however slow or fast the machine is. Few at a time cost more each: the weights are read anyway.
  size_t least_shared_tokens = 16;
  size_t least_alone_tokens = 128;
  size_t step_tokens = 512;  // at most
};

// The cost after one more step: what was wrong about the prediction is corrected by a part, so that one disturbed step
// changes little and a lasting change is followed within some steps.
StepCost Learn(StepCost cost, const StepSample& sample);

// Tokens of prompts for the next step, in which so many answers decode and so many prompts wait. Beside decoding,
// prompts get the time that is left of the target, but at least a third of what decoding takes, and where more wait
// than decode more of it, at most as long as a newcomer waits: many that wait for few would be as much of a stall.
size_t PromptTokens(const StepCost& cost, size_t decoding, size_t waiting, const StepTargets& targets);

// Whose prompt is computed first: the one that would be done first if each had been alone since it came, so short
// prompts pass long ones, but nobody passes one that has waited as long as it takes. Less goes first.
double ServiceTime(int64_t came_ns, size_t tokens_left, const StepCost& cost);

}  // namespace atelier::engine
