#include "api/openai/eval_run.h"

#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "base/codes.h"
#include "base/ids.h"
#include "base/log.h"
#include "registry/registry.h"
#include "storage/blob_json.h"
#include "storage/blob_store.h"

namespace atelier::api::openai {
namespace {

constexpr size_t kAtOnce = 4;  // questions under way
constexpr size_t kMaxMessages = 1000;

json::object ErrorObject(const Error& error) {
  return {{"code", error.reason.empty() ? std::string(CodeName(error.code)) : error.reason},
          {"message", error.message}};
}

// A message's text: a string, a part of text, or a list of these.
Result<std::string> ContentText(const json::value& content) {
  if (content.is_string()) {
    return std::string(content.get_string());
  }
  if (content.is_object()) {
    return GetString(content.get_object(), "text");
  }
  std::string text;
  for (const auto& part : content.is_array() ? content.get_array() : json::array()) {
    text += part.is_object() ? GetString(part.get_object(), "text") : "";
  }
  return text;
}

Result<json::array> Messages(const json::value& wanted, const json::object& values) {
  if (wanted.is_string()) {
    ATELIER_ASSIGN(found, learning::Lookup(wanted.get_string(), values));
    if (found->is_array()) {
      return found->get_array();
    }
    return InvalidArgument("'" + std::string(wanted.get_string()) + "' is no list of messages", "input_messages");
  }
  json::array messages;
  for (const auto& message : wanted.as_array()) {
    const json::object& object = message.as_object();
    ATELIER_ASSIGN(text, ContentText(object.at("content")));
    ATELIER_ASSIGN(filled, learning::FillIn(text, values));
    messages.push_back(json::object{{"role", object.at("role")}, {"content", filled}});
  }
  return messages;
}

json::value ParsedOrNull(const std::string& text) {
  auto parsed = ParseJson(text);
  return parsed.ok() ? std::move(parsed).value() : json::value(nullptr);
}

// An item's sample as graders see it, out of a chat completion.
json::object SampleOf(const json::object& completion) {
  const json::object& choice = completion.at("choices").as_array().at(0).as_object();
  const json::object& message = choice.at("message").as_object();
  const std::string text = GetString(message, "content");
  const json::value* tools = message.if_contains("tool_calls");
  return {{"output_text", text},
          {"output_json", ParsedOrNull(text)},
          {"output_tools", tools == nullptr ? json::value(json::array()) : *tools},
          {"output", json::array{json::object{{"role", "assistant"}, {"content", text}}}},
          {"finish_reason", GetString(choice, "finish_reason")},
          {"model", GetString(completion, "model")},
          {"usage", completion.at("usage")}};
}

}  // namespace

std::shared_ptr<EvalRuns> MakeEvalRuns() { return std::make_shared<EvalRuns>(); }

EvalRun::EvalRun(const Services& services, Plan plan)
    : services_(services),
      plan_(std::move(plan)),
      items_(plan_.source.rows.size()),
      criteria_(plan_.graders.size()),
      usage_{{"model_name", plan_.source.model}, {"invocation_count", 0}, {"prompt_tokens", 0},
             {"completion_tokens", 0},           {"total_tokens", 0},     {"cached_tokens", 0}} {}

void EvalRun::Start() {
  services_.eval_runs->Add(plan_.document.id, shared_from_this());
  Pump();
}

void EvalRun::Cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  Pump();
}

// An answer may come before Take returns, and from any thread: whoever finds
// another at it leaves the work to it.
void EvalRun::Pump() {
  const auto keep = shared_from_this();
  std::unique_lock lock(mutex_);
  if (pumping_ || ended_) {
    return;
  }
  pumping_ = true;
  while (under_way_ < kAtOnce && next_ < items_.size() && !cancelled_) {
    const size_t index = next_++;
    ++under_way_;
    lock.unlock();
    Take(index);
    lock.lock();
  }
  pumping_ = false;
  ended_ = under_way_ == 0 && (next_ == items_.size() || cancelled_);
  const bool end = ended_;
  lock.unlock();
  if (end) {
    Finish();
  }
}

void EvalRun::Take(size_t index) {
  const json::object& row = plan_.source.rows[index];
  if (plan_.source.model.empty()) {
    const json::value* sample = row.if_contains("sample");
    Judge(index, sample != nullptr && sample->is_object() ? sample->get_object() : json::object());
    return;
  }
  const auto messages = Messages(plan_.source.messages, row);
  if (!messages.ok() || messages->empty() || messages->size() > kMaxMessages) {
    Fail(index, messages.ok() ? InvalidArgument("no messages, or too many", "input_messages") : messages.error());
    return;
  }
  json::object body = plan_.source.parameters;
  body["model"] = plan_.source.model;
  body["messages"] = *messages;
  Request request;
  request.id = NewId("req_", services_.rng);
  request.key_id = plan_.key_id;
  request.body = json::serialize(body);
  const auto done = [self = shared_from_this(), index](Result<Response> answer) {
    self->Answered(index, std::move(answer));
  };
  if (const Status asked = ChatCompletions(services_, request, done); !asked.ok()) {
    Fail(index, asked.error());
  }
}

void EvalRun::Answered(size_t index, Result<Response> answer) {
  if (!answer.ok()) {
    Fail(index, answer.error());
    return;
  }
  const auto completion = ParseJson(answer->body);
  if (!completion.ok() || !completion->is_object()) {
    Fail(index, Internal("the model's answer cannot be read"));
    return;
  }
  Judge(index, SampleOf(completion->get_object()));
}

void EvalRun::Judge(size_t index, json::object sample) {
  json::object values = plan_.source.rows[index];
  values["sample"] = sample;
  json::array results;
  bool all = true;
  for (const learning::Grader& grader : plan_.graders) {
    const auto grade = grader.Judge(values);
    if (!grade.ok()) {
      Fail(index, grade.error());
      return;
    }
    all = all && grade->passed;
    results.push_back(json::object{{"name", grader.name()},
                                   {"type", grader.type()},
                                   {"score", grade->score},
                                   {"passed", grade->passed},
                                   {"sample", nullptr}});
  }
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < results.size(); ++i) {
      ++(results[i].at("passed").as_bool() ? criteria_[i].first : criteria_[i].second);
    }
    if (const json::value* used = sample.if_contains("usage"); used != nullptr && used->is_object()) {
      usage_["invocation_count"].as_int64() += 1;
      for (const char* key : {"prompt_tokens", "completion_tokens", "total_tokens"}) {
        usage_[key].as_int64() += GetInt(used->get_object(), key);
      }
    }
  }
  sample["error"] = nullptr;
  Keep(index, {{"results", std::move(results)}, {"sample", std::move(sample)}}, all ? "pass" : "fail");
}

void EvalRun::Fail(size_t index, const Error& error) {
  Keep(index, {{"results", json::array()}, {"sample", json::object{{"error", ErrorObject(error)}}}}, "error");
}

void EvalRun::Keep(size_t index, json::object item, std::string_view outcome) {
  const json::object& row = plan_.source.rows[index];
  item["id"] = "outputitem_" + plan_.document.id + "_" + std::to_string(index);
  item["object"] = "eval.run.output_item";
  item["run_id"] = plan_.document.id;
  item["eval_id"] = plan_.document.parent;
  item["created_at"] = Seconds(services_.clock.UnixMs());
  item["status"] = outcome;
  item["datasource_item_id"] = index;
  item["datasource_item"] = row.at("item");
  {
    const std::lock_guard lock(mutex_);
    items_[index] = std::move(item);
    ++outcomes_[std::string(outcome)];
    --under_way_;
  }
  Pump();
}

json::object EvalRun::Counts() const {
  const auto count = [&](std::string_view outcome) {
    const auto found = outcomes_.find(outcome);
    return found == outcomes_.end() ? int64_t{0} : found->second;
  };
  return {{"total", items_.size()}, {"errored", count("error")}, {"failed", count("fail")}, {"passed", count("pass")}};
}

json::object EvalRun::Body() {
  const std::lock_guard lock(mutex_);
  json::object body = plan_.document.body;
  body["status"] = ended_ ? (cancelled_ ? "canceled" : "completed") : "in_progress";
  body["result_counts"] = Counts();
  json::array criteria;
  for (size_t i = 0; i < criteria_.size(); ++i) {
    criteria.push_back(json::object{{"testing_criteria", plan_.graders[i].name()},
                                    {"passed", criteria_[i].first},
                                    {"failed", criteria_[i].second}});
  }
  body["per_testing_criteria_results"] = std::move(criteria);
  body["per_model_usage"] = plan_.source.model.empty() ? json::array() : json::array{usage_};
  return body;
}

void EvalRun::Finish() {
  json::array items;
  for (json::object& item : items_) {
    if (!item.empty()) {  // of a run that was cancelled some were not begun
      items.push_back(std::move(item));
    }
  }
  json::object body = Body();
  const auto blob = storage::PutBytes(services_.blobs, json::serialize(items));
  Status stored = blob.ok() ? Status() : Status(blob.error());
  if (stored.ok()) {
    body["items"] = storage::ToJson(*blob);
    stored = services_.registry.documents().Put(plan_.document.id, body);
  }
  if (!stored.ok() && stored.error().code != Code::kNotFound) {  // it may have been deleted
    LogError("an eval's run cannot be stored", {{"run", plan_.document.id}, {"error", stored.error().message}});
  }
  services_.eval_runs->Remove(plan_.document.id);
}

}  // namespace atelier::api::openai
