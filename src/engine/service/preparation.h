// Everything of a request that can be done before a model is at hand: checks, the prompt's tokens, the grammar.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "engine/chat/parser.h"
#include "engine/generation.h"
#include "engine/sampling/stop_matcher.h"
#include "engine/service/constraint.h"
#include "engine/service/grammars.h"
#include "engine/service/language.h"
#include "engine/service/speculation/ngram_index.h"

namespace atelier::engine {

// A request that can run. Plain data, read only from then on.
struct PreparedRequest {
  GenerationRequest request{};  // its prompt, prediction, stop and constraint are used up
  EncodedPrompt prompt{};
  int32_t max_tokens = 0;  // of each answer; 0: none is wanted
  StopOptions stop{};
  std::optional<grammar::Matcher> matcher{};  // at the start of its grammar
  std::optional<Thoughts> thoughts{};         // before what the grammar binds
  std::optional<chat::ChatParserOptions> parser{};
  NgramIndex prediction{};                 // the tokens of request.prediction
  std::optional<int32_t> decoder_start{};  // of an encoder-decoder model: its answers begin with it, not the prompt

  // The tokens that an answer goes on from.
  std::span<const int32_t> Opening() const {
    return decoder_start ? std::span(&*decoder_start, 1) : std::span(prompt.tokens);
  }

  bool WantsPromptRows() const {  // log probabilities of the prompt
    return request.prompt_logprobs.has_value() || (request.echo && request.sampling.top_logprobs.has_value());
  }
};

// What all preparations share; borrowed. Thread-safe.
struct PreparationParts {
  const Language& language;
  Grammars& grammars;
  const Clock& clock;
  int64_t max_context;  // the longest sequence
  std::optional<int32_t> decoder_start{};
};

// Errors: kInvalidArgument naming the field, "context_length_exceeded" with OpenAI's words; those of Language::Encode,
// Grammars and ForceToolCall.
Result<PreparedRequest> Prepare(GenerationRequest request, const PreparationParts& parts);

}  // namespace atelier::engine
