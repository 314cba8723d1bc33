// Random requests to stories260K, and all that their readers are told.
#pragma once

#include <algorithm>
#include <initializer_list>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <vector>

#include "base/rng.h"
#include "engine/service/testing/service.h"

namespace atelier::engine::testing {

inline float Pick(SeededRng& rng, std::initializer_list<float> values) {
  return values.begin()[rng.Below(static_cast<uint32_t>(values.size()))];
}

inline SamplingOptions RandomSampling(SeededRng& rng) {
  SamplingOptions options;
  options.temperature = Pick(rng, {0, 0.3F, 0.8F, 1, 1.5F});
  options.top_k = static_cast<int32_t>(Pick(rng, {0, 1, 5, 40}));
  options.top_p = Pick(rng, {1, 0.9F, 0.5F});
  options.min_p = Pick(rng, {0, 0.05F});
  options.typical_p = Pick(rng, {1, 0.9F});
  options.repetition_penalty = Pick(rng, {1, 1.2F});
  options.presence_penalty = Pick(rng, {0, 0.5F});
  options.frequency_penalty = Pick(rng, {0, -0.2F, 0.5F});
  options.dry.multiplier = Pick(rng, {0, 0.8F});
  options.seed = rng.Next();
  options.min_tokens = static_cast<int32_t>(rng.Below(4));
  options.ignore_eos = rng.Below(4) == 0;
  if (rng.Below(3) == 0) {
    options.top_logprobs = static_cast<int32_t>(rng.Below(4));
  }
  if (rng.Below(4) == 0) {
    options.logit_bias[static_cast<int32_t>(rng.Below(250)) + 3] = 2;
  }
  return options;
}

inline GenerationRequest RandomRequest(SeededRng& rng) {
  static constexpr std::string_view kText =
      "Once upon a time, there was a little girl named Lily. She loved to play outside in the park. One day, she saw a "
      "big, red ball. She wanted to play with it, but it was too high. Lily's mom said, let's go to the park.";
  GenerationRequest request;
  const size_t from = rng.Below(3) == 0 ? rng.Below(100) : 0;  // many begin alike
  request.prompt = TextPrompt{std::string(kText.substr(from, rng.Below(120)))};
  request.sampling = RandomSampling(rng);
  request.max_tokens = static_cast<int32_t>(rng.Below(24)) + 1;
  request.choices = rng.Below(5) == 0 ? static_cast<int32_t>(rng.Below(4)) + 1 : 1;
  request.return_token_ids = true;
  request.skip_special_tokens = rng.Below(2) == 0;
  request.echo = rng.Below(6) == 0;
  if (rng.Below(3) == 0) {
    request.stop = {"the", ". "};
  }
  if (rng.Below(8) == 0) {
    request.prompt_logprobs = 1;
  }
  if (rng.Below(8) == 0) {
    request.constraint = {OutputConstraint::Kind::kJsonObject, ""};
  }
  return request;
}

// Everything that was told, but for when.
inline std::string Summary(const Collector& sink) {
  std::ostringstream text;
  text.precision(9);
  if (!sink.status().ok()) {
    text << "error " << sink.status().error().message;
  }
  std::vector<GenerationDelta> deltas = sink.all();
  std::ranges::stable_sort(deltas, {}, &GenerationDelta::choice);  // choices may be told in other steps
  for (const GenerationDelta& delta : deltas) {
    text << "\n"
         << static_cast<int>(delta.kind) << ' ' << delta.choice << " [" << delta.text << "] "
         << static_cast<int>(delta.finish) << ' ' << delta.stop_token.value_or(-1);
    for (const int32_t id : delta.token_ids) {
      text << ' ' << id;
    }
    for (const TokenInfo& info : delta.logprobs) {
      text << ' ' << info.id << ':' << info.logprob;
      for (const auto& top : info.top) {
        text << ',' << top.id << ':' << top.logprob;
      }
    }
  }
  text << "\n" << sink.usage().completion_tokens << ' ' << sink.usage().prompt_tokens;
  return text.str();
}

inline std::vector<std::string> AskAll(Generator& generator, const std::vector<GenerationRequest>& requests) {
  std::vector<std::shared_ptr<Collector>> sinks;
  for (const GenerationRequest& request : requests) {
    sinks.push_back(Ask(generator, request));
  }
  std::vector<std::string> answers;
  for (const auto& sink : sinks) {
    sink->Wait();
    answers.push_back(Summary(*sink));
  }
  return answers;
}

inline std::vector<GenerationRequest> RandomRequests(size_t count, uint64_t seed) {
  SeededRng rng(seed);
  std::vector<GenerationRequest> requests;
  for (size_t i = 0; i < count; ++i) {
    requests.push_back(RandomRequest(rng));
  }
  return requests;
}

}  // namespace atelier::engine::testing
