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
constexpr size_t kMaxInputBytes = size_t{64} << 20U;  // kept of what was asked

json::object ErrorObject(const Error& error) { return {{"code", ReasonOf(error)}, {"message", error.message}}; }

// A message's text: a string, a part of text, or a list of these.
std::string ContentText(const json::value& content) {
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
    ATELIER_ASSIGN(filled, learning::FillIn(ContentText(object.at("content")), values));
    messages.push_back(json::object{{"role", object.at("role")}, {"content", filled}});
  }
  return messages;
}

json::value ParsedOrNull(const std::string& text) {
  auto parsed = ParseJson(text);
  return parsed.ok() ? std::move(parsed).value() : json::value(nullptr);
}

json::object UsageOf(const json::object& usage) {
  const json::value* details = usage.if_contains("prompt_tokens_details");
  const bool known = details != nullptr && details->is_object();
  return {{"prompt_tokens", GetInt(usage, "prompt_tokens")},
          {"completion_tokens", GetInt(usage, "completion_tokens")},
          {"total_tokens", GetInt(usage, "total_tokens")},
          {"cached_tokens", known ? GetInt(details->get_object(), "cached_tokens") : 0}};
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
          {"usage", UsageOf(completion.at("usage").as_object())}};
}

}  // namespace

EvalRun::EvalRun(const Services& services, Plan plan)
    : services_(services),
      plan_(std::move(plan)),
      items_(plan_.source.rows.size()),
      criteria_(plan_.graders.size()),
      usage_{{"model_name", plan_.source.model}, {"invocation_count", 0}, {"prompt_tokens", 0},
             {"completion_tokens", 0},           {"total_tokens", 0},     {"cached_tokens", 0}} {}

bool EvalRun::Enter() {
  const std::lock_guard lock(mutex_);
  busy_ += abandoned_ ? 0 : 1;
  return !abandoned_;
}

void EvalRun::Leave() {
  const std::lock_guard lock(mutex_);
  if (--busy_ == 0) {
    idle_.notify_all();
  }
}

void EvalRun::Start() { PostPump(); }

bool EvalRun::Cancel() {
  const Busy busy(*this);
  if (!busy.entered()) {
    return false;
  }
  std::vector<std::function<void()>> stops;
  {
    const std::lock_guard lock(mutex_);
    if (ended_) {
      return false;
    }
    cancelled_ = true;
    stops = TakeStops();
  }
  for (const auto& stop : stops) {
    stop();
  }
  PostPump();
  return true;
}

void EvalRun::Abandon() {
  std::vector<std::function<void()>> stops;
  {
    const std::lock_guard lock(mutex_);
    abandoned_ = true;
    stops = TakeStops();
  }
  for (const auto& stop : stops) {
    stop();
  }
  std::unique_lock lock(mutex_);
  idle_.wait(lock, [this] { return busy_ == 0; });
}

std::vector<std::function<void()>> EvalRun::TakeStops() {
  std::vector<std::function<void()>> stops;
  for (auto& [index, question] : questions_) {
    if (question.stop) {
      stops.push_back(std::exchange(question.stop, nullptr));
    }
  }
  return stops;
}

void EvalRun::PostPump() {
  const Busy busy(*this);
  if (busy.entered()) {
    services_.eval_runs->Post([self = shared_from_this()] { self->Pump(); });
  }
}

// One item, then other runs have their turn.
void EvalRun::Pump() {
  const Busy busy(*this);
  if (!busy.entered()) {
    return;
  }
  if (const auto index = Next(); index.has_value()) {
    Take(*index);
    PostPump();
    return;
  }
  {
    const std::lock_guard lock(mutex_);
    if (ended_ || abandoned_ || under_way_ > 0 || (next_ < items_.size() && !cancelled_)) {
      return;
    }
    ended_ = true;
  }
  Finish();
}

std::optional<size_t> EvalRun::Next() {
  const std::lock_guard lock(mutex_);
  if (ended_ || abandoned_ || cancelled_ || under_way_ >= kAtOnce || next_ == items_.size()) {
    return std::nullopt;
  }
  ++under_way_;
  return next_++;
}

void EvalRun::Take(size_t index) {
  if (plan_.source.model.empty()) {
    Judge(index, GetObject(plan_.source.rows[index], "sample"));
  } else if (const Status asked = Ask(index); !asked.ok()) {
    Fail(index, asked.error());
  }
}

Status EvalRun::Ask(size_t index) {
  ATELIER_ASSIGN(messages, Messages(plan_.source.messages, plan_.source.rows[index]));
  if (messages.empty() || messages.size() > kMaxMessages) {
    return InvalidArgument("no messages, or too many", "input_messages");
  }
  json::object body = plan_.source.parameters;
  body["model"] = plan_.source.model;
  body["messages"] = messages;
  Request request;
  request.id = NewId("req_", services_.rng);
  request.key_id = plan_.key_id;
  request.unrecorded = true;
  request.body = json::serialize(body);
  {
    const std::lock_guard lock(mutex_);
    Question& question = questions_[index];
    if (input_bytes_ + request.body.size() <= kMaxInputBytes) {
      input_bytes_ += request.body.size();
      question.messages = std::move(messages);
    }
  }
  const auto done = [self = shared_from_this(), index](Result<Response> answer) {
    self->Answered(index, answer.ok() ? Result<std::string>(std::move(answer->body)) : answer.error());
  };
  ATELIER_TRY(ChatCompletions(services_, request, done));
  {
    const std::lock_guard lock(mutex_);
    if (!cancelled_ && !abandoned_) {
      questions_[index].stop = std::exchange(request.abandoned, nullptr);
    }
  }
  if (request.abandoned) {
    request.abandoned();
  }
  return {};
}

// On any thread, perhaps after the server has gone.
void EvalRun::Answered(size_t index, Result<std::string> answer) {
  const Busy busy(*this);
  if (busy.entered()) {
    services_.eval_runs->Post(
        [self = shared_from_this(), index, answer = std::move(answer)] { self->Graded(index, answer); });
  }
}

void EvalRun::Graded(size_t index, const Result<std::string>& answer) {
  const Busy busy(*this);
  if (!busy.entered()) {
    return;
  }
  if (!answer.ok()) {
    Fail(index, answer.error());
  } else if (const auto completion = ParseJson(*answer); completion.ok() && completion->is_object()) {
    json::object sample = SampleOf(completion->get_object());
    CountUse(sample);
    Judge(index, std::move(sample));
  } else {
    Fail(index, Internal("the model's answer cannot be read"));
  }
  Pump();
}

void EvalRun::CountUse(const json::object& sample) {
  const std::lock_guard lock(mutex_);
  usage_["invocation_count"].as_int64() += 1;
  for (const auto& count : sample.at("usage").as_object()) {
    usage_[count.key()].as_int64() += count.value().as_int64();
  }
}

// A grader that cannot judge counts as failed, and the item as an error.
void EvalRun::Judge(size_t index, json::object sample) {
  json::object values = plan_.source.rows[index];
  values["sample"] = sample;
  json::array results;
  std::optional<Error> error;
  bool all = true;
  for (const learning::Grader& grader : plan_.graders) {
    const auto judged = grader.Judge(values);
    if (!judged.ok() && !error.has_value()) {
      error = judged.error();
    }
    const auto grade = judged.ok() ? *judged : learning::Grader::Grade();
    all = all && grade.passed;
    results.push_back(json::object{{"name", grader.name()},
                                   {"type", grader.type()},
                                   {"score", grade.score},
                                   {"passed", grade.passed},
                                   {"sample", nullptr}});
  }
  {
    const std::lock_guard lock(mutex_);
    for (size_t i = 0; i < results.size(); ++i) {
      ++(results[i].at("passed").as_bool() ? criteria_[i].first : criteria_[i].second);
    }
  }
  json::object whole = WholeSample(index, sample);
  whole["error"] = error.has_value() ? json::value(ErrorObject(*error)) : json::value(nullptr);
  Keep(index, {{"results", std::move(results)}, {"sample", std::move(whole)}},
       error.has_value() ? "error" : (all ? "pass" : "fail"));
}

// What was stopped because the run was cancelled is left out.
void EvalRun::Fail(size_t index, const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (cancelled_) {
      questions_.erase(index);
      --under_way_;
      return;
    }
  }
  json::object sample = WholeSample(index, {});
  sample["error"] = ErrorObject(error);
  Keep(index, {{"results", json::array()}, {"sample", std::move(sample)}}, "error");
}

// All members of OpenAI's samples, where the given one has less.
json::object EvalRun::WholeSample(size_t index, const json::object& given) {
  json::object whole{{"input", json::array()},      {"output", json::array()}, {"finish_reason", ""},
                     {"model", plan_.source.model}, {"usage", UsageOf({})},    {"error", nullptr}};
  for (const char* key : {"temperature", "top_p", "seed", "max_completion_tokens"}) {
    const json::value* value = plan_.source.parameters.if_contains(key);
    whole[key] = value == nullptr ? json::value(nullptr) : *value;
  }
  {
    const std::lock_guard lock(mutex_);
    if (const auto found = questions_.find(index); found != questions_.end()) {
      whole["input"] = std::move(found->second.messages);
    }
  }
  for (const auto& member : given) {
    whole[member.key()] = member.value();
  }
  return whole;
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
  const std::lock_guard lock(mutex_);
  items_[index] = std::move(item);
  ++outcomes_[std::string(outcome)];
  questions_.erase(index);
  --under_way_;
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
  return BodyAs("in_progress");
}

json::object EvalRun::BodyAs(std::string_view status) const {
  json::object body = plan_.document.body;
  body["status"] = status;
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
  json::object body;
  {
    const std::lock_guard lock(mutex_);
    for (json::object& item : items_) {
      if (!item.empty()) {  // of a run that was cancelled some were not begun
        items.push_back(std::move(item));
      }
    }
    body = BodyAs(cancelled_ ? "canceled" : "completed");
  }
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
