#include "engine/service/preparation.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/json.h"
#include "engine/chat/tool_choice.h"

namespace atelier::engine {
namespace {

constexpr int32_t kMaxChoices = 128;
constexpr size_t kMaxTools = 1024;
constexpr std::string_view kByName = "name:";

const char* PromptField(const Prompt& prompt) {
  return std::holds_alternative<ChatPrompt>(prompt) ? "messages" : "prompt";
}

Status CheckRange(int64_t value, int64_t min, int64_t max, const char* field) {
  if (value < min || value > max) {
    return InvalidArgument(std::string(field) + " must be from " + std::to_string(min) + " to " + std::to_string(max) +
                               ", not " + std::to_string(value),
                           field);
  }
  return {};
}

Status Check(const GenerationRequest& request, const Language& language) {
  ATELIER_TRY(Validate(request.sampling, language.tokenizer().size()));
  ATELIER_TRY(CheckRange(request.choices, 1, kMaxChoices, "n"));
  ATELIER_TRY(CheckRange(request.max_tokens, kPromptOnly, INT32_MAX, "max_tokens"));
  ATELIER_TRY(CheckRange(request.prompt_logprobs.value_or(0), 0, kMaxTopLogprobs, "prompt_logprobs"));
  return {};
}

// Of an encoder-decoder model, whose encoder reads the prompt.
Status CheckTranslation(const PreparedRequest& prepared, const std::string& field, int64_t context) {
  if (prepared.WantsPromptRows()) {
    return InvalidArgument("this model knows no probabilities of its prompt",
                           prepared.request.prompt_logprobs ? "prompt_logprobs" : "logprobs", "unsupported_value");
  }
  if (std::ssize(prepared.prompt.tokens) > context) {
    return InvalidArgument("This model's maximum context length is " + std::to_string(context) +
                               " tokens. However, your messages resulted in " +
                               std::to_string(prepared.prompt.tokens.size()) + " tokens.",
                           field, "context_length_exceeded");
  }
  return {};
}

// How many tokens an answer may have.
Result<int32_t> AnswerTokens(const GenerationRequest& request, int64_t prompt, int64_t context) {
  const std::string field = PromptField(request.prompt);
  const std::string most = "This model's maximum context length is " + std::to_string(context) + " tokens";
  const int64_t wanted = request.max_tokens > 0 ? request.max_tokens : request.max_tokens == 0 ? 1 : 0;
  if (prompt > context || (request.max_tokens <= 0 && prompt + wanted > context)) {
    return InvalidArgument(most + ". However, your messages resulted in " + std::to_string(prompt) +
                               " tokens. Please reduce the length of the " + field + ".",
                           field, "context_length_exceeded");
  }
  if (prompt + wanted > context) {
    return InvalidArgument(most + ". However, you requested " + std::to_string(prompt + wanted) + " tokens (" +
                               std::to_string(prompt) + " in the " + field + ", " + std::to_string(wanted) +
                               " in the completion). Please reduce the length of the " + field + " or completion.",
                           field, "context_length_exceeded");
  }
  return static_cast<int32_t>(request.max_tokens == 0 ? context - prompt : wanted);
}

Result<std::vector<chat::ToolSpec>> ToolsOf(const std::string& text) {
  std::vector<chat::ToolSpec> tools;
  if (text.empty()) {
    return tools;
  }
  ATELIER_ASSIGN(value, ParseJson(text));
  const json::array* array = value.if_array();
  if (array == nullptr || array->size() > kMaxTools) {
    return InvalidArgument("tools must be an array of at most " + std::to_string(kMaxTools), "tools", "invalid_type");
  }
  for (size_t i = 0; i < array->size(); ++i) {
    const std::string path = "tools[" + std::to_string(i) + "].function";
    const json::object* tool = (*array)[i].if_object();
    const json::value* function = tool != nullptr ? tool->if_contains("function") : nullptr;
    if (function == nullptr || !function->is_object()) {
      return InvalidArgument(path + " must be an object", path, "invalid_type");
    }
    Fields fields(function->as_object(), path);
    ATELIER_ASSIGN(name, fields.String("name"));
    ATELIER_ASSIGN(parameters, fields.ObjectOr("parameters"));
    tools.push_back({std::move(name), parameters != nullptr ? *parameters : json::object{}});
  }
  return tools;
}

// The grammar of a call that the request demands; nothing where it demands none.
Result<std::optional<grammar::Matcher>> ForcedCalls(const ChatPrompt& chat, const std::vector<chat::ToolSpec>& tools,
                                                    const PreparationParts& parts) {
  std::optional<std::string_view> name;
  if (chat.tool_choice.starts_with(kByName)) {
    name = std::string_view(chat.tool_choice).substr(kByName.size());
  } else if (chat.tool_choice != "required") {
    return std::optional<grammar::Matcher>();
  }
  ATELIER_ASSIGN(calls, chat::ForceToolCall(parts.language.tool_format(), tools, name));
  ATELIER_ASSIGN(matcher, parts.grammars.GetCalls(calls));
  return std::optional(std::move(matcher));
}

Status PrepareChat(const ChatPrompt& chat, const PreparationParts& parts, PreparedRequest& prepared) {
  const std::string& choice = chat.tool_choice;
  if (!choice.empty() && choice != "auto" && choice != "none" && choice != "required" && !choice.starts_with(kByName)) {
    return InvalidArgument("tool_choice must be none, auto, required or a tool's name", "tool_choice");
  }
  ATELIER_ASSIGN(tools, ToolsOf(chat.tools));
  ATELIER_ASSIGN(forced, ForcedCalls(chat, tools, parts));
  if (forced) {
    prepared.matcher = std::move(forced);
  }
  const auto& marks = parts.language.reasoning();
  if (marks && prepared.prompt.may_reason && prepared.matcher) {
    prepared.thoughts = Thoughts{prepared.prompt.opens_reasoning, parts.language.FindToken(marks->open), marks->close};
  }
  if (prepared.request.parse_chat) {
    auto& parser = prepared.parser.emplace();
    if (!tools.empty() && choice != "none") {
      parser.tool_format = parts.language.tool_format();
    }
    for (const chat::ToolSpec& tool : tools) {
      parser.tool_names.push_back(tool.name);
    }
    parser.reasoning = marks;
    parser.reasoning_opened = prepared.prompt.opens_reasoning;
  }
  return {};
}

}  // namespace

Result<PreparedRequest> Prepare(GenerationRequest request, const PreparationParts& parts) {
  const Language& language = parts.language;
  ATELIER_TRY(Check(request, language));
  PreparedRequest prepared;
  ATELIER_ASSIGN(prompt, language.Encode(request.prompt, parts.clock.UnixMs() / 1000));
  prepared.prompt = std::move(prompt);
  auto& tokens = prepared.prompt.tokens;
  if (tokens.empty() && language.tokenizer().spec().bos) {
    tokens.push_back(*language.tokenizer().spec().bos);
  }
  if (tokens.empty()) {
    return InvalidArgument("the prompt must not be empty", PromptField(request.prompt));
  }
  prepared.decoder_start = parts.decoder_start;
  ATELIER_ASSIGN(max_tokens, AnswerTokens(request, std::ssize(prepared.Opening()), parts.max_context));
  prepared.max_tokens = max_tokens;
  ATELIER_ASSIGN(matcher, parts.grammars.Get(request.constraint));
  prepared.matcher = std::move(matcher);
  prepared.stop = {std::move(request.stop), language.ends(), request.include_stop_text};
  auto& stops = prepared.stop.token_ids;
  stops.insert(stops.end(), request.sampling.stop_token_ids.begin(), request.sampling.stop_token_ids.end());
  ATELIER_TRY(StopMatcher::Make(prepared.stop));
  auto predicted = language.tokenizer().Encode(std::exchange(request.prediction, ""), {.add_special = false});
  predicted.resize(std::min(predicted.size(), static_cast<size_t>(parts.max_context)));
  prepared.prediction.Append(predicted);
  const Prompt given = std::exchange(request.prompt, TokenPrompt{});
  prepared.request = std::move(request);
  if (parts.decoder_start) {
    ATELIER_TRY(CheckTranslation(prepared, PromptField(given), parts.max_context));
  }
  if (const auto* chat = std::get_if<ChatPrompt>(&given)) {
    ATELIER_TRY(PrepareChat(*chat, parts, prepared));
  } else if (prepared.request.parse_chat) {
    prepared.parser.emplace().reasoning = language.reasoning();
    prepared.parser->tool_format = language.tool_format();
  }
  prepared.request.constraint = {};
  return prepared;
}

}  // namespace atelier::engine
