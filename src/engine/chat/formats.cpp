#include "engine/chat/formats.h"

#include <algorithm>

#include "engine/chat/deepseek_format.h"
#include "engine/chat/json_formats.h"

namespace atelier::engine::chat {
namespace {

constexpr std::string_view kToolCall = "<tool_call>";
constexpr std::string_view kToolCalls = "[TOOL_CALLS]";
constexpr std::string_view kPythonTag = "<|python_tag|>";

const std::vector<ToolFormatRow>& Rows() {
  static const std::vector<std::string_view> kMistralTokens = {kToolCalls, "[ARGS]", "[CALL_ID]"};
  static const std::vector<std::string_view> kDeepSeekTokens = {
      kDeepSeekCallsBegin, kDeepSeekCallsEnd, kDeepSeekCallBegin, kDeepSeekCallEnd, kDeepSeekSeparator};
  static const std::vector<ToolFormatRow> kRows = {
      {ToolFormat::kNone, {"none"}, {}, false, {}},
      {ToolFormat::kHermes,
       {"hermes", "qwen", "qwen2", "qwen3"},
       {std::string(kToolCall)},
       false,
       {kToolCall, "</tool_call>"}},
      {ToolFormat::kLlama3, {"llama3", "llama3_json"}, {std::string(kPythonTag)}, true, {kPythonTag}},
      {ToolFormat::kMistral, {"mistral"}, {std::string(kToolCalls)}, false, kMistralTokens},
      {ToolFormat::kMistralArgs, {"mistral_args"}, {std::string(kToolCalls)}, false, kMistralTokens},
      {ToolFormat::kDeepSeek,
       {"deepseek", "deepseek_v3", "deepseek_r1"},
       {std::string(kDeepSeekCallsBegin)},
       false,
       kDeepSeekTokens},
      {ToolFormat::kDeepSeekPlain, {"deepseek_v31"}, {std::string(kDeepSeekCallsBegin)}, false, kDeepSeekTokens},
  };
  return kRows;
}

bool Has(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

}  // namespace

std::span<const ToolFormatRow> ToolFormats() { return Rows(); }

const ToolFormatRow& RowOf(ToolFormat format) {
  const auto& rows = Rows();
  const auto row = std::find_if(rows.begin(), rows.end(), [&](const ToolFormatRow& r) { return r.format == format; });
  return row == rows.end() ? rows.front() : *row;
}

std::optional<ToolFormat> FindToolFormat(std::string_view name) {
  for (const ToolFormatRow& row : Rows()) {
    if (std::find(row.names.begin(), row.names.end(), name) != row.names.end()) {
      return row.format;
    }
  }
  return std::nullopt;
}

ToolFormat GuessToolFormat(std::string_view source) {
  if (Has(source, kDeepSeekCallsBegin)) {
    return Has(source, "```json") ? ToolFormat::kDeepSeek : ToolFormat::kDeepSeekPlain;
  }
  if (Has(source, kToolCalls)) {
    return Has(source, "[ARGS]") ? ToolFormat::kMistralArgs : ToolFormat::kMistral;
  }
  if (Has(source, "<function=")) {  // calls written as tags, of Functionary and Qwen3-Coder, are not read here
    return ToolFormat::kNone;
  }
  if (Has(source, kToolCall)) {
    return ToolFormat::kHermes;
  }
  // The templates of Llama 3.2 do not spell the mark, but name the environment that goes with it.
  if (Has(source, kPythonTag) || Has(source, "Environment: ipython")) {
    return ToolFormat::kLlama3;
  }
  return ToolFormat::kNone;
}

std::unique_ptr<CallReader> MakeCallReader(ToolFormat format, const std::vector<std::string>& names) {
  switch (format) {
    case ToolFormat::kNone:
      break;
    case ToolFormat::kHermes:
      return std::make_unique<HermesReader>();
    case ToolFormat::kLlama3:
      return std::make_unique<Llama3Reader>(names);
    case ToolFormat::kMistral:
    case ToolFormat::kMistralArgs:
      return std::make_unique<MistralReader>();
    case ToolFormat::kDeepSeek:
    case ToolFormat::kDeepSeekPlain:
      return std::make_unique<DeepSeekReader>();
  }
  return nullptr;
}

}  // namespace atelier::engine::chat
