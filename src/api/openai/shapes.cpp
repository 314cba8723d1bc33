#include "api/openai/shapes.h"

#include <algorithm>
#include <cmath>

#include "api/request.h"
#include "base/clock.h"
#include "base/ids.h"
#include "text/utf8.h"

namespace atelier::api::openai {
namespace {

constexpr double kImpossible = -9999;

json::object TokenObject(const std::string& bytes, float logprob) {
  json::array values;
  for (const char byte : bytes) {
    values.push_back(static_cast<unsigned char>(byte));
  }
  return {{"token", TokenText(bytes)}, {"logprob", Finite(logprob)}, {"bytes", std::move(values)}};
}

int64_t CodePoints(std::string_view text) {
  return std::count_if(text.begin(), text.end(),
                       [](char c) { return (static_cast<unsigned char>(c) & 0xC0U) != 0x80U; });
}

json::object RankedToken(const std::string& bytes, float logprob, json::value rank) {
  return {{"logprob", Finite(logprob)}, {"rank", std::move(rank)}, {"decoded_token", TokenText(bytes)}};
}

}  // namespace

Envelope MakeEnvelope(std::string_view prefix, const Services& services, std::string model,
                      const serving::LanguageModel& pinned) {
  return {NewId(prefix, services.rng), Seconds(services.clock.UnixMs()), std::move(model),
          pinned.description().fingerprint};
}

json::object Head(const Envelope& envelope, std::string_view object) {
  return {
      {"id", envelope.id},
      {"object", object},
      {"created", envelope.created},
      {"model", envelope.model},
      {"system_fingerprint", envelope.fingerprint.empty() ? json::value(nullptr) : json::value(envelope.fingerprint)}};
}

std::string_view FinishName(engine::FinishReason reason) {
  switch (reason) {
    case engine::FinishReason::kLength:
      return "length";
    case engine::FinishReason::kToolCalls:
      return "tool_calls";
    case engine::FinishReason::kCancelled:
      return "abort";
    case engine::FinishReason::kError:
      return "error";
    case engine::FinishReason::kNone:
    case engine::FinishReason::kStop:
      return "stop";
  }
  return "stop";
}

json::value StopReason(const std::string& text, const std::optional<int32_t>& token,
                       const std::vector<int32_t>& stop_tokens) {
  if (!text.empty()) {
    return json::value(text);
  }
  const bool own = token.has_value() && std::find(stop_tokens.begin(), stop_tokens.end(), *token) != stop_tokens.end();
  return own ? json::value(*token) : json::value(nullptr);
}

json::object UsageObject(const engine::GenerationUsage& usage) {
  return {{"prompt_tokens", usage.prompt_tokens},
          {"completion_tokens", usage.completion_tokens},
          {"total_tokens", int64_t{usage.prompt_tokens} + usage.completion_tokens},
          {"prompt_tokens_details", {{"cached_tokens", usage.cached_tokens}, {"audio_tokens", 0}}},
          {"completion_tokens_details",
           {{"reasoning_tokens", usage.reasoning_tokens},
            {"audio_tokens", 0},
            {"accepted_prediction_tokens", usage.accepted_prediction_tokens},
            {"rejected_prediction_tokens", usage.rejected_prediction_tokens}}}};
}

double Finite(float logprob) {
  return std::isfinite(logprob) ? std::max(static_cast<double>(logprob), kImpossible) : kImpossible;
}

std::string TokenText(const std::string& bytes) { return atelier::text::ReplaceInvalidUtf8(bytes); }

json::array IdArray(const std::vector<int32_t>& ids) {
  json::array out;
  out.reserve(ids.size());
  for (const int32_t id : ids) {
    out.push_back(id);
  }
  return out;
}

json::object ChatLogprobs(const std::vector<engine::TokenInfo>& tokens) {
  json::array content;
  for (const auto& token : tokens) {
    json::array top;
    for (const auto& other : token.top) {
      top.push_back(TokenObject(other.bytes, other.logprob));
    }
    json::object item = TokenObject(token.bytes, token.logprob);
    item["top_logprobs"] = std::move(top);
    content.push_back(std::move(item));
  }
  return {{"content", std::move(content)}, {"refusal", nullptr}};
}

json::array PromptLogprobs(const std::vector<engine::TokenInfo>& tokens) {
  json::array out;
  for (size_t i = 0; i < tokens.size(); ++i) {
    if (i == 0) {
      out.push_back(nullptr);
      continue;
    }
    const auto& token = tokens[i];
    json::object by_id;
    for (size_t rank = 0; rank < token.top.size(); ++rank) {
      const auto& top = token.top[rank];
      by_id[std::to_string(top.id)] = RankedToken(top.bytes, top.logprob, static_cast<int64_t>(rank) + 1);
    }
    const std::string own = std::to_string(token.id);
    if (!by_id.contains(own)) {
      by_id[own] = RankedToken(token.bytes, token.logprob, nullptr);
    }
    out.push_back(std::move(by_id));
  }
  return out;
}

json::object CompletionLogprobs::Next(const std::vector<engine::TokenInfo>& tokens) {
  json::array texts;
  json::array logprobs;
  json::array tops;
  json::array offsets;
  for (const auto& token : tokens) {
    const std::string text = TokenText(token.bytes);
    texts.push_back(json::value(text));
    offsets.push_back(offset_);
    offset_ += CodePoints(text);
    if (first_is_given_) {
      first_is_given_ = false;
      logprobs.push_back(nullptr);
      tops.push_back(nullptr);
      continue;
    }
    logprobs.push_back(Finite(token.logprob));
    json::object top;
    for (const auto& other : token.top) {
      top.emplace(TokenText(other.bytes), Finite(other.logprob));  // of tokens that read the same the likeliest counts
    }
    top.emplace(text, Finite(token.logprob));
    tops.push_back(std::move(top));
  }
  return {{"tokens", std::move(texts)},
          {"token_logprobs", std::move(logprobs)},
          {"top_logprobs", std::move(tops)},
          {"text_offset", std::move(offsets)}};
}

void AppendData(const json::value& value, std::string& out) {
  out += "data: ";
  out += json::serialize(value);
  out += "\n\n";
}

}  // namespace atelier::api::openai
