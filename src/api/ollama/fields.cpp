#include "api/ollama/fields.h"

#include <algorithm>

#include "api/openai/constraint_fields.h"
#include "api/openai/sampling_fields.h"
#include "api/text/models.h"

namespace atelier::api::ollama {
namespace {

constexpr std::string_view kLatest = ":latest";
constexpr size_t kMaxMessages = 10'000;
constexpr size_t kMaxWordBytes = 64;
constexpr size_t kMaxTextBytes = 8U << 20U;
constexpr int64_t kRepeatLastN = 64;

// A number, where there is one, to a float that has its default.
Status ReadFloat(Fields& options, std::string_view key, double min, double max, float& out) {
  ATELIER_ASSIGN(value, options.NumberOr(key, static_cast<double>(out), min, max));
  out = static_cast<float>(value);
  return {};
}

Status ReadSampler(Fields& options, Rng& rng, engine::SamplingOptions& sampling) {
  sampling.temperature = 0.8F;
  sampling.top_p = 0.9F;
  ATELIER_TRY(ReadFloat(options, "temperature", 0, 2, sampling.temperature));
  ATELIER_TRY(ReadFloat(options, "top_p", 0, 1, sampling.top_p));
  ATELIER_TRY(ReadFloat(options, "min_p", 0, 1, sampling.min_p));
  ATELIER_TRY(ReadFloat(options, "typical_p", 0, 1, sampling.typical_p));
  ATELIER_TRY(ReadFloat(options, "repeat_penalty", 0, 100, sampling.repetition_penalty));
  ATELIER_TRY(ReadFloat(options, "presence_penalty", -2, 2, sampling.presence_penalty));
  ATELIER_TRY(ReadFloat(options, "frequency_penalty", -2, 2, sampling.frequency_penalty));
  ATELIER_ASSIGN(top_k, options.IntOr("top_k", 40, -1, INT32_MAX));
  sampling.top_k = static_cast<int32_t>(top_k);
  ATELIER_ASSIGN(last_n, options.IntOr("repeat_last_n", kRepeatLastN, -1, INT32_MAX));
  sampling.repetition_last_n = static_cast<int32_t>(last_n);
  ATELIER_ASSIGN(seed, options.IntOr("seed", -1, INT64_MIN, INT64_MAX));
  sampling.seed = seed == -1 ? openai::RandomSeed(rng) : static_cast<uint64_t>(seed);
  return {};
}

Status ReadOptions(Fields& fields, Rng& rng, engine::GenerationRequest& request) {
  static const json::object kNone;
  ATELIER_ASSIGN(given, fields.ObjectOr("options"));
  const json::object& object = given == nullptr ? kNone : *given;
  Fields options(object, "options");
  ATELIER_TRY(ReadSampler(options, rng, request.sampling));
  ATELIER_ASSIGN(length, options.IntOr("num_predict", -1, -2, openai::kMaxTokens));
  if (length == 0) {
    request.max_tokens = engine::kPromptOnly;
  } else {
    request.max_tokens = length < 0 ? 0 : static_cast<int32_t>(length);  // below 0: as many as there is room for
  }
  ATELIER_ASSIGN(stop, openai::ReadStop(object, "stop"));
  request.stop = std::move(stop);
  return {};
}

Result<engine::OutputConstraint> FormatOf(const json::object& body) {
  engine::OutputConstraint constraint;
  const auto* format = body.if_contains("format");
  if (format == nullptr || format->is_null() || (format->is_string() && format->get_string().empty())) {
    return constraint;
  }
  if (format->is_object()) {
    constraint.kind = engine::OutputConstraint::Kind::kJsonSchema;
    constraint.source = json::serialize(*format);
  } else if (format->is_string() && format->get_string() == "json") {
    constraint.kind = engine::OutputConstraint::Kind::kJsonObject;
  } else {
    return InvalidArgument("'format' must be \"json\" or a JSON Schema", "format");
  }
  return constraint;
}

Result<json::array> CallsOf(const json::array& calls, const std::string& path) {
  json::array out;
  for (size_t i = 0; i < calls.size(); ++i) {
    const std::string at = path + "[" + std::to_string(i) + "]";
    const auto* call = calls[i].if_object();
    const auto* function = call == nullptr ? nullptr : call->if_contains("function");
    if (function == nullptr || !function->is_object()) {
      return InvalidArgument("'" + at + ".function' must be an object", at);
    }
    json::object named = function->get_object();
    named.erase("index");
    json::object item{{"type", "function"}, {"function", std::move(named)}};
    if (const auto* id = call->if_contains("id"); id != nullptr && id->is_string()) {
      item["id"] = *id;
    }
    out.push_back(std::move(item));
  }
  return out;
}

Result<json::object> MessageOf(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be an object", path);
  }
  Fields fields(value.get_object(), path);
  ATELIER_ASSIGN(role, fields.String("role", kMaxWordBytes));
  if (role != "system" && role != "user" && role != "assistant" && role != "tool") {
    return InvalidArgument("'" + path + ".role' must be system, user, assistant or tool", path + ".role");
  }
  ATELIER_TRY(RefuseImages(fields));
  ATELIER_ASSIGN(content, fields.StringOr("content", "", kMaxTextBytes));
  ATELIER_ASSIGN(thinking, fields.StringOr("thinking", "", kMaxTextBytes));
  ATELIER_ASSIGN(tool, fields.StringOr("tool_name", ""));
  ATELIER_ASSIGN(call_id, fields.StringOr("tool_call_id", ""));
  ATELIER_ASSIGN(calls, fields.ArrayOr("tool_calls", kMaxMessages));
  json::object message{{"role", role}, {"content", content}};
  if (!thinking.empty()) {
    message["reasoning_content"] = thinking;
  }
  if (!tool.empty()) {
    message["name"] = tool;
  }
  if (!call_id.empty()) {
    message["tool_call_id"] = call_id;
  }
  if (calls != nullptr && !calls->empty()) {
    ATELIER_ASSIGN(converted, CallsOf(*calls, path + ".tool_calls"));
    message["tool_calls"] = std::move(converted);
  }
  return message;
}

}  // namespace

std::string LocalName(std::string model) {
  if (model.size() > kLatest.size() && model.ends_with(kLatest)) {
    model.resize(model.size() - kLatest.size());
  }
  std::ranges::replace_if(
      model, [](char c) { return c == '/' || c == ':'; }, '-');
  return model;
}

Result<std::string> ReadModel(Fields& fields) {
  ATELIER_ASSIGN(model, text::ReadModel(fields));
  return LocalName(std::move(model));
}

Result<Common> ReadCommon(Fields& fields, const json::object& body, Rng& rng) {
  Common common;
  ATELIER_ASSIGN(model, ReadModel(fields));
  common.model = std::move(model);
  ATELIER_ASSIGN(stream, fields.BoolOr("stream", true));
  common.stream = stream;
  ATELIER_TRY(ReadOptions(fields, rng, common.request));
  ATELIER_ASSIGN(constraint, FormatOf(body));
  common.request.constraint = std::move(constraint);
  ATELIER_ASSIGN(logprobs, fields.BoolOr("logprobs", false));
  ATELIER_ASSIGN(top, fields.IntOr("top_logprobs", 0, 0, engine::kMaxTopLogprobs));
  if (logprobs) {
    common.request.sampling.top_logprobs = static_cast<int32_t>(top);
  }
  return common;
}

Result<std::string> ReadThink(const json::object& body) {
  const auto* think = body.if_contains("think");
  if (think == nullptr || think->is_null()) {
    return std::string();
  }
  if (think->is_bool()) {
    return json::serialize(json::object{{"enable_thinking", think->get_bool()}});
  }
  const bool level = think->is_string() && (think->get_string() == "low" || think->get_string() == "medium" ||
                                            think->get_string() == "high" || think->get_string() == "max");
  if (!level) {
    return InvalidArgument("'think' must be true, false, low, medium or high", "think");
  }
  return json::serialize(json::object{{"enable_thinking", true}, {"reasoning_effort", *think}});
}

Result<json::array> ReadMessages(Fields& fields) {
  ATELIER_ASSIGN(given, fields.ArrayOr("messages", kMaxMessages));
  json::array messages;
  for (size_t i = 0; given != nullptr && i < given->size(); ++i) {
    ATELIER_ASSIGN(message, MessageOf((*given)[i], "messages[" + std::to_string(i) + "]"));
    messages.push_back(std::move(message));
  }
  return messages;
}

Status RefuseImages(Fields& fields) {
  ATELIER_ASSIGN(images, fields.ArrayOr("images", kMaxMessages));
  if (images != nullptr && !images->empty()) {
    return InvalidArgument("this model reads text only, no images", fields.Path("images"), "unsupported_value");
  }
  return {};
}

}  // namespace atelier::api::ollama
