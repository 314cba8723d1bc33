#include "data/traffic/rows.h"

#include "base/json.h"

namespace atelier::data {
namespace {

const json::array* ListIn(const json::object& object, std::string_view key) {
  const json::value* value = object.if_contains(key);
  return value == nullptr ? nullptr : value->if_array();
}

std::string Corrected(const TrafficRecord& record, std::string given) {
  return record.feedback && !record.feedback->correction.empty() ? record.feedback->correction : std::move(given);
}

using Rows = std::vector<json::object>;

Rows ChatRows(const TrafficRecord& record, const json::object& request, const json::object& answer) {
  const json::array* messages = ListIn(request, "messages");
  const json::array* answers = ListIn(answer, "answers");
  if (messages == nullptr || answers == nullptr || answers->empty()) {
    return {};
  }
  json::array all = *messages;
  const json::value& first = answers->front();
  json::object reply = first.is_object() ? first.get_object() : json::object();
  reply["role"] = "assistant";
  if (record.feedback && !record.feedback->correction.empty()) {
    reply = {{"role", "assistant"}, {"content", record.feedback->correction}};
  }
  all.push_back(std::move(reply));
  return {json::object{{"messages", std::move(all)}}};
}

Rows CompletionRows(const TrafficRecord& record, const json::object& request, const json::object& answer) {
  const json::value* prompt = request.if_contains("prompt");
  const json::array* answers = ListIn(answer, "answers");
  if (prompt == nullptr || !prompt->is_string() || answers == nullptr || answers->empty() ||
      !answers->front().is_object()) {
    return {};
  }
  return {json::object{{"instruction", *prompt},
                       {"output", Corrected(record, GetString(answers->front().get_object(), "content"))}}};
}

// The name, behind the prefix where the row has it already.
std::string FreeName(const json::object& row, const std::string& prefix, std::string name) {
  while (row.contains(name)) {
    name.insert(0, prefix);
  }
  return name;
}

json::object InputRow(const json::value& input) {
  if (input.is_object()) {
    return input.get_object();
  }
  return input.is_string() ? json::object{{"text", input}} : json::object{{"input", input}};
}

Rows PredictRows(const TrafficRecord& record, const json::object& request, const json::object& answer) {
  const json::array* data = ListIn(answer, "data");
  json::array single;
  const json::array* inputs = ListIn(request, "inputs");
  if (const json::value* input = request.if_contains("input"); inputs == nullptr && input != nullptr) {
    single.push_back(*input);
    inputs = &single;
  }
  if (data == nullptr || inputs == nullptr || data->size() != inputs->size()) {
    return {};
  }
  Rows rows;
  for (size_t i = 0; i < inputs->size(); ++i) {
    json::object row = InputRow((*inputs)[i]);
    const json::object given = (*data)[i].is_object() ? (*data)[i].get_object() : json::object();
    std::string key = "answer";
    json::value value(json::serialize(given));
    for (const char* name : {"label", "value", "text"}) {
      if (const json::value* found = given.if_contains(name); found != nullptr) {
        key = std::string_view(name) == "text" ? "answer" : name;
        value = *found;
        break;
      }
    }
    if (inputs->size() == 1 && record.feedback && !record.feedback->correction.empty()) {
      const auto number = ParseJson(record.feedback->correction);
      const bool is_number = number.ok() && number->is_number();
      if (key == "value" && !is_number) {
        continue;
      }
      value = key == "value" ? *number : json::value(record.feedback->correction);
    }
    row[FreeName(row, "predicted_", key)] = std::move(value);
    rows.push_back(std::move(row));
  }
  return rows;
}

json::value ExtraValue(const TrafficRecord& record, std::string_view column) {
  if (column == "id") {
    return json::value(record.id);
  }
  if (column == "created_at") {
    return record.created_ms / 1000;
  }
  if (column == "deployment" || column == "model") {
    return json::value(column == "model" ? record.model : record.deployment);
  }
  if (!record.feedback) {
    return nullptr;
  }
  return column == "score" ? json::value(record.feedback->score) : json::value(record.feedback->comment);
}

}  // namespace

std::vector<json::object> RowsOf(const TrafficRecord& record, const std::vector<std::string>& extra_columns) {
  const auto request = ParseJson(record.request);
  const auto answer = ParseJson(record.answer);
  if (!request.ok() || !answer.ok() || !request->is_object() || !answer->is_object()) {
    return {};
  }
  const auto make = record.kind == "chat" ? ChatRows : record.kind == "completion" ? CompletionRows : PredictRows;
  Rows rows = make(record, request->get_object(), answer->get_object());
  for (json::object& row : rows) {
    for (const std::string& column : extra_columns) {
      row[FreeName(row, "traffic_", column)] = ExtraValue(record, column);
    }
  }
  return rows;
}

}  // namespace atelier::data
