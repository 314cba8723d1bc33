#include "api/openai/sampling_fields.h"

#include <array>
#include <charconv>
#include <cstddef>

namespace atelier::api::openai {
namespace {

constexpr int64_t kMaxChoices = 128;
constexpr double kMaxPenalty = 2;

Status ReadLogitBias(Fields& fields, std::map<int32_t, float>& out) {
  ATELIER_ASSIGN(given, fields.ObjectOr("logit_bias"));
  if (given == nullptr) {
    return {};
  }
  if (given->size() > engine::kMaxLogitBiases) {
    return InvalidArgument("'logit_bias' may have at most " + std::to_string(engine::kMaxLogitBiases) + " tokens",
                           "logit_bias");
  }
  Fields biases(*given, "logit_bias");
  for (const auto& member : *given) {
    const std::string_view key = member.key();
    int32_t token = 0;
    const auto [end, error] = std::from_chars(key.data(), key.data() + key.size(), token);
    if (error != std::errc() || end != key.data() + key.size() || token < 0) {
      return InvalidArgument("the names in 'logit_bias' must be token ids", "logit_bias");
    }
    ATELIER_ASSIGN(bias, biases.Number(key, -100, 100));
    out[token] = static_cast<float>(bias);
  }
  return {};
}

// Assigns a number, where there is one, to a float.
Status ReadFloat(Fields& fields, std::string_view key, double min, double max, float& out) {
  ATELIER_ASSIGN(value, fields.NumberOr(key, static_cast<double>(out), min, max));
  out = static_cast<float>(value);
  return {};
}

Status ReadTruncations(Fields& fields, engine::SamplingOptions& sampling) {
  ATELIER_TRY(ReadFloat(fields, "temperature", 0, 2, sampling.temperature));
  ATELIER_TRY(ReadFloat(fields, "top_p", 0, 1, sampling.top_p));
  ATELIER_TRY(ReadFloat(fields, "min_p", 0, 1, sampling.min_p));
  ATELIER_TRY(ReadFloat(fields, "typical_p", 0, 1, sampling.typical_p));
  ATELIER_ASSIGN(top_k, fields.IntOr("top_k", sampling.top_k, -1, INT32_MAX));
  sampling.top_k = static_cast<int32_t>(top_k);
  return {};
}

Status ReadPenalties(Fields& fields, engine::SamplingOptions& sampling) {
  ATELIER_TRY(ReadFloat(fields, "presence_penalty", -kMaxPenalty, kMaxPenalty, sampling.presence_penalty));
  ATELIER_TRY(ReadFloat(fields, "frequency_penalty", -kMaxPenalty, kMaxPenalty, sampling.frequency_penalty));
  ATELIER_TRY(ReadFloat(fields, "repetition_penalty", 0, 100, sampling.repetition_penalty));
  return ReadLogitBias(fields, sampling.logit_bias);
}

Status ReadChoices(Fields& fields, engine::GenerationRequest& request) {
  ATELIER_ASSIGN(n, fields.IntOr("n", 1, 1, kMaxChoices));
  ATELIER_ASSIGN(best_of, fields.IntOr("best_of", n, 0, kMaxChoices));
  if (best_of != n) {
    return InvalidArgument("'best_of' is only taken where it equals 'n'", "best_of", "unsupported_parameter");
  }
  ATELIER_ASSIGN(beams, fields.BoolOr("use_beam_search", false));
  if (beams) {
    return InvalidArgument("beam search is not supported", "use_beam_search", "unsupported_parameter");
  }
  request.choices = static_cast<int32_t>(n);
  return {};
}

Status ReadEnds(Fields& fields, const json::object& body, engine::GenerationRequest& request) {
  auto& sampling = request.sampling;
  ATELIER_ASSIGN(stop, ReadStop(body, "stop"));
  request.stop = std::move(stop);
  ATELIER_ASSIGN(include, fields.BoolOr("include_stop_str_in_output", false));
  request.include_stop_text = include;
  ATELIER_ASSIGN(skip, fields.BoolOr("skip_special_tokens", true));
  request.skip_special_tokens = skip;
  ATELIER_ASSIGN(ignore_eos, fields.BoolOr("ignore_eos", false));
  sampling.ignore_eos = ignore_eos;
  ATELIER_ASSIGN(min_tokens, fields.IntOr("min_tokens", 0, 0, kMaxTokens));
  sampling.min_tokens = static_cast<int32_t>(min_tokens);
  ATELIER_ASSIGN(stop_tokens, fields.ArrayOr("stop_token_ids", engine::kMaxStopTokens));
  if (stop_tokens != nullptr) {
    ATELIER_ASSIGN(tokens, ReadTokens(*stop_tokens, "stop_token_ids"));
    sampling.stop_token_ids = std::move(tokens);
  }
  return {};
}

}  // namespace

uint64_t RandomSeed(Rng& rng) {
  std::array<std::byte, sizeof(uint64_t)> bytes{};
  rng.Fill(bytes);
  uint64_t seed = 0;
  for (const std::byte byte : bytes) {
    seed = seed << 8U | std::to_integer<uint64_t>(byte);
  }
  return seed;
}

Result<std::vector<int32_t>> ReadTokens(const json::array& value, const std::string& param) {
  std::vector<int32_t> tokens;
  tokens.reserve(value.size());
  for (const auto& item : value) {
    if (!item.is_int64() || item.get_int64() < 0 || item.get_int64() > INT32_MAX) {
      return InvalidArgument("'" + param + "' must be a list of token ids", param);
    }
    tokens.push_back(static_cast<int32_t>(item.get_int64()));
  }
  return tokens;
}

Result<std::vector<std::string>> ReadStop(const json::object& body, std::string_view name) {
  std::vector<std::string> stop;
  const auto* value = body.if_contains(name);
  if (value == nullptr || value->is_null()) {
    return stop;
  }
  const std::string param(name);
  if (value->is_string()) {
    stop.emplace_back(value->get_string());
    return stop;
  }
  if (!value->is_array()) {
    return InvalidArgument("'" + param + "' must be a string or a list of strings", param);
  }
  for (const auto& item : value->get_array()) {
    if (!item.is_string()) {
      return InvalidArgument("'" + param + "' must be a string or a list of strings", param);
    }
    stop.emplace_back(item.get_string());
  }
  return stop;
}

Status ReadSampling(Fields& fields, const json::object& body, Rng& rng, engine::GenerationRequest& request) {
  ATELIER_TRY(ReadTruncations(fields, request.sampling));
  ATELIER_TRY(ReadPenalties(fields, request.sampling));
  ATELIER_TRY(ReadChoices(fields, request));
  ATELIER_TRY(ReadEnds(fields, body, request));
  if (fields.Has("seed")) {
    ATELIER_ASSIGN(seed, fields.Int("seed", INT64_MIN, INT64_MAX));
    request.sampling.seed = static_cast<uint64_t>(seed);
  } else {
    request.sampling.seed = RandomSeed(rng);
  }
  if (fields.Has("prompt_logprobs")) {
    ATELIER_ASSIGN(count, fields.Int("prompt_logprobs", 0, engine::kMaxTopLogprobs));
    request.prompt_logprobs = static_cast<int32_t>(count);
  }
  ATELIER_ASSIGN(token_ids, fields.BoolOr("return_token_ids", false));
  request.return_token_ids = token_ids;
  return {};
}

Result<StreamFields> ReadStream(Fields& fields) {
  StreamFields out;
  ATELIER_ASSIGN(stream, fields.BoolOr("stream", false));
  out.stream = stream;
  ATELIER_ASSIGN(options, fields.ObjectOr("stream_options"));
  if (options == nullptr) {
    return out;
  }
  if (!stream) {
    return InvalidArgument("'stream_options' is only taken with 'stream'", "stream_options");
  }
  Fields inner(*options, "stream_options");
  ATELIER_ASSIGN(usage, inner.BoolOr("include_usage", false));
  out.include_usage = usage;
  return out;
}

}  // namespace atelier::api::openai
