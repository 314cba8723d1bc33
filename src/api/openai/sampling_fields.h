// How an answer is drawn, as OpenAI's and vLLM's fields say it.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "base/rng.h"
#include "engine/generation.h"

namespace atelier::api::openai {

inline constexpr size_t kMaxModelBytes = 300;
inline constexpr int64_t kMaxTokens = 1'000'000'000;

// Reads the fields that all requests for text share: temperature, top_p, top_k, min_p, typical_p, n, best_of, stop, the
// penalties, logit_bias, seed, min_tokens, ignore_eos, stop_token_ids and the rest of vLLM's. Errors: kInvalidArgument
// on the field.
Status ReadSampling(Fields& fields, const json::object& body, Rng& rng, engine::GenerationRequest& request);

// "stop": a string or a list of them; where `name` is another name, that of the field.
Result<std::vector<std::string>> ReadStop(const json::object& body, std::string_view name);

// A random seed where the client gave none.
uint64_t RandomSeed(Rng& rng);

struct StreamFields {
  bool stream = false;
  bool include_usage = false;
};
Result<StreamFields> ReadStream(Fields& fields);

// `value` is a list of token ids. Errors: kInvalidArgument on `param`.
Result<std::vector<int32_t>> ReadTokens(const json::array& value, const std::string& param);

}  // namespace atelier::api::openai
