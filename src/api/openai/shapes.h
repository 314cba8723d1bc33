// Pieces of OpenAI's answers, and vLLM's additions to them.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/services.h"
#include "api/text/answer.h"
#include "base/json.h"
#include "engine/generation.h"
#include "serving/language_model.h"

namespace atelier::api::openai {

// What all parts of one answer say.
struct Envelope {
  std::string id;
  int64_t created = 0;
  std::string model;        // as the client named it
  std::string fingerprint;  // "": none
};
Envelope MakeEnvelope(std::string_view prefix, const Services& services, std::string model,
                      const serving::LanguageModel& pinned);

// {"id", "object", "created", "model", "system_fingerprint"}
json::object Head(const Envelope& envelope, std::string_view object);

std::string_view FinishName(engine::FinishReason reason);
// The stop string, or the id of one of the request's stop tokens; null else.
json::value StopReason(const std::string& text, const std::optional<int32_t>& token,
                       const std::vector<int32_t>& stop_tokens);
json::object UsageObject(const engine::GenerationUsage& usage);

// JSON has no infinity: what is impossible is -9999.
double Finite(float logprob);
// The bytes as text, what is not UTF-8 replaced.
std::string TokenText(const std::string& bytes);
json::array IdArray(const std::vector<int32_t>& ids);

// {"content": [{"token", "logprob", "bytes", "top_logprobs"}], "refusal": null}
json::object ChatLogprobs(const std::vector<engine::TokenInfo>& tokens);
// vLLM's: one object a token, from id to {"logprob", "rank", "decoded_token"}; the first token has null.
json::array PromptLogprobs(const std::vector<engine::TokenInfo>& tokens);

// {"tokens", "token_logprobs", "top_logprobs", "text_offset"} of one answer, piece by piece.
class CompletionLogprobs {
 public:
  // `first_is_given`: the first token begins an echoed prompt, so it has no probability.
  explicit CompletionLogprobs(bool first_is_given = false) : first_is_given_(first_is_given) {}
  json::object Next(const std::vector<engine::TokenInfo>& tokens);

 private:
  bool first_is_given_;
  int64_t offset_ = 0;  // in code points
};

// "data: ...\n\n"
void AppendData(const json::value& value, std::string& out);
inline constexpr std::string_view kDoneEvent = "data: [DONE]\n\n";

}  // namespace atelier::api::openai
