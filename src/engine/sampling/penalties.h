// Penalties on what was said before. Each changes logits in place, is a pure function of its arguments, ignores ids
// outside the vocabulary, and leaves -infinity and finite values what they are: never gone, never infinite.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "engine/sampling/options.h"

namespace atelier::engine {

// Counts of tokens; memory that is kept between uses. Not thread-safe.
class TokenCounts {
 public:
  // Forgets everything; ids in [0, vocabulary_size) count from now on.
  void Reset(size_t vocabulary_size);
  void Add(std::span<const int32_t> tokens);
  const std::vector<int32_t>& tokens() const { return tokens_; }  // each that was counted, once
  uint32_t count(int32_t token) const { return counts_[static_cast<size_t>(token)]; }

 private:
  std::vector<uint32_t> counts_;  // [vocabulary]
  std::vector<int32_t> tokens_;
};

// The last `last_n` tokens of `history`; all when last_n is -1 or larger than there are.
std::span<const int32_t> LastTokens(std::span<const int32_t> history, int32_t last_n);

// Each token of `window`: a positive logit is divided by `penalty`, another multiplied (N. Keskar et al., "CTRL",
// arXiv:1909.05858, with the sign as Hugging Face has it).
void ApplyRepetitionPenalty(float penalty, std::span<const int32_t> window, TokenCounts& counts,
                            std::span<float> logits);

// logit -= frequency * count + presence * (count > 0), over the tokens generated so far.
void ApplyCountPenalties(const SamplingOptions& options, std::span<const int32_t> generated, TokenCounts& counts,
                         std::span<float> logits);

// A token that would continue a repetition of the end of the history is made less likely. The repetition's length is
// that of the longest end of `history` that also stands before an earlier occurrence of the token; it does not reach
// across a sequence breaker, and sequence breakers themselves are not penalised. Found for all tokens at once by the
// Z function of the reversed history: O(history).
void ApplyDry(const DryOptions& options, std::span<const int32_t> history, std::span<float> logits);

}  // namespace atelier::engine
