#include "families/gpt/corpus.h"

#include <algorithm>
#include <cstring>
#include <optional>

namespace atelier::families::gpt {
namespace {

constexpr JsonLimits kMessageLimits{.max_bytes = 8U << 20U, .max_depth = 32};

bool Has(const data::Manifest& manifest, std::string_view column) { return manifest.Find(column) != nullptr; }

// The category of a row: its number, or -1.
Result<int32_t> Code(const data::Reader& reader, const std::string& column, int64_t row) {
  ATELIER_ASSIGN(shards, reader.Tensors(column));
  for (const tensor::View& shard : shards) {
    const int64_t rows = shard.shape.front();
    if (row < rows) {
      int32_t code = -1;
      std::memcpy(&code, shard.bytes.data() + static_cast<size_t>(row) * sizeof(code), sizeof(code));
      return code;
    }
    row -= rows;
  }
  return Internal("there is no such row");
}

// A message as OpenAI has it, out of that or ShareGPT's {"from": "human", "value": ...}.
json::object MessageOf(const json::object& given) {
  if (!given.contains("from") || !given.contains("value")) {
    return given;
  }
  const std::string from = GetString(given, "from");
  const std::string role = from == "human" ? "user" : from == "gpt" ? "assistant" : from;
  return {{"role", role}, {"content", GetString(given, "value")}};
}

// A cell that is a list of messages, or one message; nothing where it is a text.
std::optional<json::array> MessagesOf(const std::string& cell) {
  if (cell.empty() || (cell.front() != '[' && cell.front() != '{')) {
    return std::nullopt;
  }
  auto parsed = ParseJson(cell, kMessageLimits);
  if (!parsed.ok()) {
    return std::nullopt;
  }
  json::array messages;
  if (parsed->is_object()) {
    messages.push_back(MessageOf(parsed->get_object()));
    return messages;
  }
  for (const auto& item : parsed->get_array()) {
    messages.push_back(item.is_object() ? json::value(MessageOf(item.get_object())) : item);
  }
  return messages;
}

// A cell as messages; a text is one of this role.
json::array AsMessages(const std::string& cell, std::string_view role) {
  return MessagesOf(cell).value_or(json::array{json::object{{"role", role}, {"content", cell}}});
}

Result<Sequence> Example(const data::Reader& reader, int64_t row, Material material, const Prompts& prompts) {
  if (material == Material::kChat) {
    const bool named = Has(reader.manifest(), "messages");
    ATELIER_ASSIGN(cell, Cell(reader, named ? "messages" : "conversations", row));
    const auto messages = MessagesOf(cell);
    if (!messages) {
      return InvalidArgument("row " + std::to_string(row) + " is no list of messages", "messages",
                             "dataset_unsuitable");
    }
    json::array tools;
    if (Has(reader.manifest(), "tools")) {
      ATELIER_ASSIGN(text, Cell(reader, "tools", row));
      const auto parsed = ParseJson(text, kMessageLimits);
      tools = parsed.ok() && parsed->is_array() ? parsed->get_array() : json::array();
    }
    return prompts.Chat(*messages, tools);
  }
  if (material == Material::kCompletions) {
    ATELIER_ASSIGN(prompt, Cell(reader, "prompt", row));
    ATELIER_ASSIGN(completion, Cell(reader, "completion", row));
    return prompts.Completion(prompt, completion);
  }
  ATELIER_ASSIGN(instruction, Cell(reader, "instruction", row));
  ATELIER_ASSIGN(output, Cell(reader, "output", row));
  std::string input;
  if (Has(reader.manifest(), "input")) {
    ATELIER_ASSIGN(given, Cell(reader, "input", row));
    input = std::move(given);
  }
  if (output.empty()) {
    return InvalidArgument("row " + std::to_string(row) + " has no output", "output", "dataset_unsuitable");
  }
  return prompts.Instruction(instruction, input, output);
}

}  // namespace

Result<std::string> Cell(const data::Reader& reader, const std::string& column, int64_t row) {
  const data::Column* found = reader.manifest().Find(column);
  if (found != nullptr && found->type == data::ColumnType::kText) {
    ATELIER_ASSIGN(bytes, reader.Bytes(column, row));
    return std::string(bytes);
  }
  if (found != nullptr && found->type == data::ColumnType::kCategory) {
    ATELIER_ASSIGN(code, Code(reader, column, row));
    return code < 0 ? std::string() : found->categories[static_cast<size_t>(code)];
  }
  return InvalidArgument("the column '" + column + "' is no text", "dataset", "dataset_unsuitable");
}

Result<Examples> ReadExamples(const data::Reader& reader, std::span<const int64_t> rows, Material material,
                              const Prompts& prompts) {
  Examples out;
  for (const int64_t row : rows) {
    auto example = Example(reader, row, material, prompts);
    if (example.ok()) {
      out.sequences.push_back(std::move(example).value());
    } else if (example.error().code == Code::kInvalidArgument) {
      out.first_reason = out.skipped++ == 0 ? example.error().message : out.first_reason;
    } else {
      return std::move(example).error();
    }
  }
  return out;
}

Result<std::vector<Preference>> ReadPreferences(const data::Reader& reader, std::span<const int64_t> rows,
                                                const Prompts& prompts) {
  const bool named = Has(reader.manifest(), "prompt");
  std::vector<Preference> out;
  for (const int64_t row : rows) {
    ATELIER_ASSIGN(prompt, Cell(reader, named ? "prompt" : "conversations", row));
    const json::array question = AsMessages(prompt, "user");
    Preference preference;
    for (const auto& [column, to] :
         {std::pair{"chosen", &preference.chosen}, std::pair{"rejected", &preference.rejected}}) {
      ATELIER_ASSIGN(cell, Cell(reader, column, row));
      json::array messages = question;
      const json::array answer = AsMessages(cell, "assistant");
      messages.insert(messages.end(), answer.begin(), answer.end());
      ATELIER_ASSIGN(sequence, prompts.Chat(messages));
      *to = std::move(sequence);
    }
    out.push_back(std::move(preference));
  }
  return out;
}

}  // namespace atelier::families::gpt
