// One answer as it grows: from tokens to the deltas that its reader gets.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
#include "engine/chat/parser.h"
#include "engine/generation.h"
#include "engine/sampling/sampler.h"
#include "engine/sampling/stop_matcher.h"
#include "engine/service/constraint.h"
#include "engine/service/preparation.h"
#include "text/stream_decoder.h"

namespace atelier::engine {

// Of a token, as reports of log probabilities have it.
TokenInfo MakeTokenInfo(const Logprobs& logprobs, const Language& language);

// Not thread-safe. Borrows the prepared request and the language. Deltas carry the tokens (and their log probabilities)
// since the delta before; what no text was shown for comes with kFinish, so that all of them together are all tokens.
class Answer {
 public:
  // Number `choice` of the request. `prepared.stop` must have passed StopMatcher::Make.
  Answer(const PreparedRequest& prepared, const Language& language, int32_t choice);

  const SamplingOptions& sampling() const { return sampling_; }
  bool IsConstrained() const { return prepared_.matcher.has_value(); }
  // What may come next; see Constraint::Mask.
  Result<std::span<const uint64_t>> Mask(std::vector<uint64_t>& buffer) const { return constraint_.Mask(buffer); }
  // The next token. Appends what can be shown. Errors: kInternal.
  Status Take(const SampledToken& token, std::vector<GenerationDelta>& out);
  // Ends it, showing what was held back.
  void Finish(FinishReason reason, std::vector<GenerationDelta>& out);
  bool finished() const { return finished_; }
  int32_t tokens() const { return tokens_; }
  int32_t reasoning_tokens() const { return reasoning_tokens_; }

 private:
  std::string TextOf(int32_t token);
  void Show(const std::string& text, std::vector<GenerationDelta>& out);
  void Put(GenerationDelta delta, std::vector<GenerationDelta>& out);
  void PutChat(std::vector<chat::ChatDelta> deltas, std::vector<GenerationDelta>& out);

  const PreparedRequest& prepared_;
  const Language& language_;
  const int32_t choice_;
  SamplingOptions sampling_;
  Constraint constraint_;
  text::StreamDecoder decoder_;
  StopMatcher stop_;
  std::optional<chat::ChatParser> parser_;
  bool spells_controls_;  // all of them; otherwise those that the parser must see
  bool finished_ = false;
  int32_t tokens_ = 0;
  int32_t reasoning_tokens_ = 0;
  // Since the last delta.
  int32_t new_tokens_ = 0;
  std::vector<int32_t> ids_;
  std::vector<TokenInfo> infos_;
  std::optional<int32_t> stop_token_;
  std::string stop_text_;
};

}  // namespace atelier::engine
