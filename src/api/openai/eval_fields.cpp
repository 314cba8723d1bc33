#include "api/openai/eval_fields.h"

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "api/openai/metadata.h"
#include "data/files.h"
#include "storage/blob_store.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxCriteria = 20;
constexpr size_t kMaxRows = 10'000;
constexpr uint64_t kMaxFileBytes = 64ULL << 20U;
constexpr size_t kMaxMessages = 1000;

Error Unsupported(const std::string& param, const std::string& what) {
  return InvalidArgument("'" + param + "' " + what, param, "unsupported_value");
}

// Custom data sources alone: what was served is not recorded.
Result<json::object> ReadSourceConfig(Fields& fields) {
  ATELIER_ASSIGN(config, fields.ObjectOr("data_source_config"));
  if (config == nullptr) {
    return InvalidArgument("'data_source_config' is missing: an object", "data_source_config",
                           "missing_required_parameter");
  }
  Fields inner(*config, "data_source_config");
  ATELIER_ASSIGN(type, inner.String("type", 64));
  if (type != "custom") {
    return Unsupported("data_source_config.type", "must be custom");
  }
  ATELIER_ASSIGN(schema, inner.ObjectOr("item_schema"));
  ATELIER_ASSIGN(with_sample, inner.BoolOr("include_sample_schema", false));
  ATELIER_TRY(inner.RejectUnknown());
  if (schema == nullptr) {
    return InvalidArgument("'data_source_config.item_schema' is missing: a JSON schema",
                           "data_source_config.item_schema", "missing_required_parameter");
  }
  json::object properties{{"item", *schema}};
  json::array required{"item"};
  if (with_sample) {
    properties["sample"] = {{"type", "object"}};
    required.push_back("sample");
  }
  return json::object{
      {"type", "custom"},
      {"schema",
       json::object{{"type", "object"}, {"properties", std::move(properties)}, {"required", std::move(required)}}}};
}

Result<json::object> RowOf(const json::value& value) {
  const json::value* item = value.is_object() ? value.get_object().if_contains("item") : nullptr;
  if (item == nullptr || !item->is_object()) {
    return InvalidArgument("a row is {\"item\": {...}}, perhaps with \"sample\"");
  }
  const json::value* sample = value.get_object().if_contains("sample");
  json::object row{{"item", *item}};
  if (sample != nullptr && !sample->is_null()) {
    if (!sample->is_object()) {
      return InvalidArgument("'sample' must be an object");
    }
    row["sample"] = *sample;
  }
  return row;
}

Status Add(const json::value& value, const std::string& place, std::vector<json::object>& rows) {
  auto row = RowOf(value);
  if (!row.ok()) {
    return InvalidArgument(place + ": " + row.error().message, "data_source.source", "invalid_eval_data");
  }
  if (rows.size() >= kMaxRows) {
    return InvalidArgument("a run has at most 10000 items", "data_source.source", "invalid_eval_data");
  }
  rows.push_back(std::move(row).value());
  return {};
}

Status ReadFile(const Services& services, const std::string& id, std::vector<json::object>& rows) {
  auto file = services.files.Get(id);
  if (!file.ok()) {
    Error error = file.error();
    error.param = "data_source.source.id";
    return error;
  }
  ATELIER_ASSIGN(text, storage::ReadAll(services.blobs, file->blob.sha256, kMaxFileBytes));
  size_t line = 0;
  for (size_t from = 0; from < text.size();) {
    const size_t end = std::min(text.find('\n', from), text.size());
    const std::string_view one = std::string_view(text).substr(from, end - from);
    from = end + 1;
    ++line;
    if (one.find_first_not_of(" \t\r") == std::string_view::npos) {
      continue;
    }
    const std::string place = "line " + std::to_string(line);
    const auto value = ParseJson(one);
    if (!value.ok()) {
      return InvalidArgument(place + ": " + value.error().message, "data_source.source", "invalid_eval_data");
    }
    ATELIER_TRY(Add(*value, place, rows));
  }
  return {};
}

Result<std::vector<json::object>> ReadRows(const Services& services, Fields& fields) {
  ATELIER_ASSIGN(source, fields.ObjectOr("source"));
  if (source == nullptr) {
    return InvalidArgument("'data_source.source' is missing: an object", "data_source.source",
                           "missing_required_parameter");
  }
  Fields inner(*source, "data_source.source");
  std::vector<json::object> rows;
  ATELIER_ASSIGN(type, inner.String("type", 64));
  if (type == "file_id") {
    ATELIER_ASSIGN(id, inner.String("id", 128));
    ATELIER_TRY(ReadFile(services, id, rows));
  } else if (type == "file_content") {
    ATELIER_ASSIGN(content, inner.ArrayOr("content", kMaxRows));
    for (size_t i = 0; content != nullptr && i < content->size(); ++i) {
      ATELIER_TRY(Add((*content)[i], "content[" + std::to_string(i) + "]", rows));
    }
  } else {
    return Unsupported("data_source.source.type", "must be file_id or file_content");
  }
  ATELIER_TRY(inner.RejectUnknown());
  if (rows.empty()) {
    return InvalidArgument("there are no items", "data_source.source", "invalid_eval_data");
  }
  return rows;
}

Status CheckTemplate(const json::array& messages) {
  for (size_t i = 0; i < messages.size(); ++i) {
    const std::string path = "data_source.input_messages.template[" + std::to_string(i) + "]";
    if (!messages[i].is_object() || !messages[i].get_object().contains("content")) {
      return InvalidArgument("'" + path + "' must be a message with role and content", path);
    }
    Fields fields(messages[i].get_object(), path);
    ATELIER_TRY(fields.String("role", 64));
  }
  return {};
}

// A list of messages with places, or the path of one in the item.
Result<json::value> ReadInput(Fields& fields) {
  ATELIER_ASSIGN(input, fields.ObjectOr("input_messages"));
  if (input == nullptr) {
    return InvalidArgument("'data_source.input_messages' is missing: an object", "data_source.input_messages",
                           "missing_required_parameter");
  }
  Fields inner(*input, "data_source.input_messages");
  ATELIER_ASSIGN(type, inner.String("type", 64));
  if (type == "item_reference") {
    ATELIER_ASSIGN(path, inner.String("item_reference", kMaxNameBytes));
    return json::value(path);
  }
  ATELIER_ASSIGN(messages, inner.ArrayOr("template", kMaxMessages));
  if (type != "template" || messages == nullptr || messages->empty()) {
    return Unsupported("data_source.input_messages", "must have the type template with messages, or item_reference");
  }
  ATELIER_TRY(CheckTemplate(*messages));
  return json::value(*messages);
}

// As members of a chat completion.
Result<json::object> ReadParameters(Fields& fields) {
  ATELIER_ASSIGN(given, fields.ObjectOr("sampling_params"));
  json::object out{{"temperature", 1}, {"top_p", 1}, {"seed", 42}};
  if (given == nullptr) {
    return out;
  }
  constexpr std::array<std::string_view, 8> kKnown{"temperature",     "top_p", "seed", "max_completion_tokens",
                                                   "response_format", "tools", "stop", "reasoning_effort"};
  for (const auto& member : *given) {
    const std::string_view key = member.key() == "max_completions_tokens" ? "max_completion_tokens" : member.key();
    if (std::ranges::find(kKnown, key) == kKnown.end()) {
      return Unsupported("data_source.sampling_params." + std::string(member.key()), "is not known");
    }
    if (!member.value().is_null()) {
      out[key] = member.value();
    }
  }
  return out;
}

}  // namespace

Result<json::object> ReadEval(const json::object& request) {
  Fields fields(request);
  ATELIER_ASSIGN(name, fields.StringOr("name", "", kMaxNameBytes));
  ATELIER_ASSIGN(metadata, ReadMetadata(fields));
  ATELIER_ASSIGN(config, ReadSourceConfig(fields));
  ATELIER_ASSIGN(criteria, fields.ArrayOr("testing_criteria", kMaxCriteria));
  ATELIER_TRY(fields.RejectUnknown());
  if (criteria == nullptr || criteria->empty()) {
    return InvalidArgument("'testing_criteria' is missing: a list of at least one grader", "testing_criteria",
                           "missing_required_parameter");
  }
  json::object eval{{"name", name},
                    {"metadata", std::move(metadata)},
                    {"data_source_config", std::move(config)},
                    {"testing_criteria", *criteria}};
  ATELIER_TRY(GradersOf(eval));
  return eval;
}

Result<std::vector<learning::Grader>> GradersOf(const json::object& eval) {
  std::vector<learning::Grader> graders;
  const json::array& criteria = eval.at("testing_criteria").as_array();
  for (size_t i = 0; i < criteria.size(); ++i) {
    const std::string path = "testing_criteria[" + std::to_string(i) + "]";
    if (!criteria[i].is_object()) {
      return InvalidArgument("'" + path + "' must be an object", path);
    }
    ATELIER_ASSIGN(grader, learning::Grader::FromJson(criteria[i].get_object(), path));
    graders.push_back(std::move(grader));
  }
  return graders;
}

Result<RunRequest> ReadRun(const Services& services, const json::object& request) {
  Fields fields(request);
  ATELIER_ASSIGN(name, fields.StringOr("name", "", kMaxNameBytes));
  ATELIER_ASSIGN(metadata, ReadMetadata(fields));
  ATELIER_ASSIGN(data_source, fields.ObjectOr("data_source"));
  ATELIER_TRY(fields.RejectUnknown());
  if (data_source == nullptr) {
    return InvalidArgument("'data_source' is missing: an object", "data_source", "missing_required_parameter");
  }
  RunRequest out;
  Fields inner(*data_source, "data_source");
  ATELIER_ASSIGN(type, inner.String("type", 64));
  if (type == "completions" || type == "responses") {
    ATELIER_ASSIGN(model, inner.String("model", kMaxNameBytes));
    ATELIER_ASSIGN(messages, ReadInput(inner));
    ATELIER_ASSIGN(parameters, ReadParameters(inner));
    out.source.model = std::move(model);
    out.source.messages = std::move(messages);
    out.source.parameters = std::move(parameters);
  } else if (type != "jsonl") {
    return Unsupported("data_source.type", "must be jsonl, completions or responses");
  }
  ATELIER_ASSIGN(rows, ReadRows(services, inner));
  ATELIER_TRY(inner.RejectUnknown());
  out.source.rows = std::move(rows);
  json::object shown = *data_source;
  if (GetString(shown.at("source").as_object(), "type") == "file_content") {
    shown["source"].as_object()["content"] = json::array();  // the items are in the output items
  }
  out.body = {{"name", name},
              {"metadata", std::move(metadata)},
              {"model", out.source.model},
              {"data_source", std::move(shown)}};
  return out;
}

}  // namespace atelier::api::openai
