#include "data/traffic/recorder.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <span>
#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "text/language/redact.h"

namespace atelier::data {
namespace {

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;
constexpr auto kBatchEvery = std::chrono::milliseconds(200);

prometheus::Counter& CounterOf(Metrics& metrics, const char* outcome) {
  return metrics.Counter("atelier_traffic_records_total", "Requests of recorded deployments, by what became of them",
                         {{"outcome", outcome}});
}

constexpr size_t kPieceBytes = size_t{4} << 20U;  // of one transaction
constexpr int kMaxNested = 4;                     // JSON in strings of JSON

// Each of these says whether it changed something. Depth is bounded by ParseJson's limit and kMaxNested.
bool RedactValue(json::value& value, int nested);

bool RedactText(std::string_view text, json::value& value) {
  const auto redacted = text::language::Redact(text);
  const bool changed = redacted.text != text;
  if (changed) {
    value = redacted.text;
  }
  return changed;
}

bool RedactString(json::value& value, int nested) {
  const std::string text{std::string_view(value.get_string())};
  const size_t begin = text.find_first_not_of(" \t\r\n");
  if (nested < kMaxNested && begin != std::string::npos && (text[begin] == '{' || text[begin] == '[')) {
    if (auto inner = ParseJson(text); inner.ok()) {
      const bool changed = RedactValue(*inner, nested + 1);
      if (changed) {
        value = json::serialize(*inner);
      }
      return changed;
    }
  }
  return RedactText(text, value);
}

// The digits of whole numbers, however they are written.
std::string Digits(const json::value& number) {
  if (!number.is_double()) {
    return json::serialize(number);
  }
  const double given = number.get_double();
  if (std::abs(given) > 1e18 || given != std::trunc(given)) {
    return "";
  }
  return std::to_string(static_cast<int64_t>(given));
}

bool RedactNumber(json::value& value) {
  std::string digits = Digits(value);
  if (digits.starts_with('-')) {
    digits.erase(0, 1);
  }
  constexpr size_t kShortest = 10;  // below, none of the kinds has its digits without separators
  return digits.size() >= kShortest && RedactText(digits, value);
}

bool RedactObject(json::object& object, int nested) {
  bool changed = false;
  bool keys_changed = false;
  for (auto& member : object) {
    changed |= RedactValue(member.value(), nested);
    keys_changed |= text::language::Redact(member.key()).text != std::string_view(member.key());
  }
  if (!keys_changed) {
    return changed;
  }
  json::object clean;
  for (auto& member : object) {
    std::string key = text::language::Redact(member.key()).text;
    if (key != std::string_view(member.key())) {
      const std::string base = key;
      for (size_t n = clean.size(); clean.contains(key) || object.contains(key); ++n) {
        key = base + "_" + std::to_string(n);
      }
    }
    clean.emplace(key, std::move(member.value()));
  }
  object = std::move(clean);
  return true;
}

bool RedactValue(json::value& value, int nested) {
  if (value.is_string()) {
    return RedactString(value, nested);
  }
  if (value.is_number()) {
    return RedactNumber(value);
  }
  if (value.is_object()) {
    return RedactObject(value.get_object(), nested);
  }
  bool changed = false;
  if (value.is_array()) {
    for (auto& item : value.get_array()) {
      changed |= RedactValue(item, nested);
    }
  }
  return changed;
}

// A prompt of token ids is a text that no scanner reads.
bool HasTokenIds(const Exchange& exchange, const json::value& request) {
  const json::object* body = exchange.kind == "completion" ? request.if_object() : nullptr;
  const json::value* prompt = body == nullptr ? nullptr : body->if_contains("prompt");
  return prompt != nullptr && prompt->is_array() &&
         std::ranges::any_of(prompt->get_array(), [](const json::value& item) { return !item.is_string(); });
}

}  // namespace

Result<std::string> RedactJson(std::string_view text) {
  ATELIER_ASSIGN(value, ParseJson(text));
  RedactValue(value, 0);
  return json::serialize(value);
}

Recorder::Recorder(TrafficStore& store, Clock& clock, Rng& rng, Metrics& metrics, RecorderOptions options)
    : store_(store),
      clock_(clock),
      rng_(rng),
      options_(options),
      stored_(CounterOf(metrics, "stored")),
      full_(CounterOf(metrics, "queue_full")),
      large_(CounterOf(metrics, "too_large")),
      failed_(CounterOf(metrics, "failed")),
      duplicate_(CounterOf(metrics, "duplicate")),
      token_ids_(CounterOf(metrics, "token_ids")),
      thread_([this] { Work(); }) {}

Recorder::~Recorder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Recorder::SetPolicies(Policies policies) {
  std::lock_guard lock(mutex_);
  for (auto [name, policy] : policies_) {
    policy.percent = 0;
    policies.try_emplace(name, policy);
  }
  policies_ = std::move(policies);
  policies_known_ = true;
  any_ = std::ranges::any_of(policies_, [](const auto& entry) { return entry.second.percent > 0; });
}

Status Recorder::Follow(const std::function<Result<Policies>()>& list) {
  std::lock_guard lock(follow_mutex_);
  ATELIER_ASSIGN(policies, list());
  SetPolicies(std::move(policies));
  return {};
}

bool Recorder::Fits(size_t bytes) {
  if (bytes > options_.record_bytes) {
    large_.Increment();
    return false;
  }
  return true;
}

bool Recorder::Wants(const std::string& deployment) {
  int64_t percent = 0;
  {
    std::lock_guard lock(mutex_);
    const auto found = policies_.find(deployment);
    percent = found == policies_.end() ? 0 : found->second.percent;
  }
  if (percent <= 0 || percent >= 100) {
    return percent >= 100;
  }
  uint32_t drawn = 0;
  rng_.Fill(std::as_writable_bytes(std::span(&drawn, 1)));
  return drawn % 100 < static_cast<uint32_t>(percent);
}

void Recorder::Record(Exchange exchange) {
  const size_t bytes = exchange.request.size() + exchange.answer.size();
  if (!Fits(bytes)) {
    return;
  }
  std::lock_guard lock(mutex_);
  if (waiting_.size() >= options_.queued || waiting_bytes_ + bytes > options_.queued_bytes) {
    full_.Increment();
    return;
  }
  waiting_.push_back(std::move(exchange));
  waiting_bytes_ += bytes;
  ++taken_;
}

void Recorder::Flush() {
  std::unique_lock lock(mutex_);
  const uint64_t wanted = taken_;
  if (done_ >= wanted) {
    return;
  }
  hurry_ = true;
  wake_.notify_all();
  idle_.wait(lock, [&] { return done_ >= wanted; });
}

// Batches begin by the clock of the machine: a condition that every request signals would wake this thread for each.
void Recorder::Work() {
  int64_t trimmed_ns = clock_.MonotonicNs() - options_.trim_every_ms * 1'000'000;
  std::unique_lock lock(mutex_);
  while (!stopping_ || !waiting_.empty()) {
    wake_.wait_for(lock, kBatchEvery, [this] { return stopping_ || hurry_; });
    hurry_ = false;
    std::vector<Exchange> batch = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    const uint64_t done = taken_;
    const bool may_trim = policies_known_;
    lock.unlock();
    Store(std::move(batch));
    lock.lock();
    done_ = done;
    idle_.notify_all();
    lock.unlock();
    if (may_trim && clock_.MonotonicNs() - trimmed_ns >= options_.trim_every_ms * 1'000'000) {
      trimmed_ns = clock_.MonotonicNs();
      Trim();
    }
    lock.lock();
  }
}

std::vector<Exchange> Recorder::Clean(std::vector<Exchange> batch) {
  std::vector<Exchange> clean;
  for (Exchange& exchange : batch) {
    auto request = ParseJson(exchange.request);
    if (request.ok() && HasTokenIds(exchange, *request)) {
      token_ids_.Increment();
      continue;
    }
    auto answer = RedactJson(exchange.answer);
    if (!request.ok() || !answer.ok()) {
      failed_.Increment();
      continue;
    }
    RedactValue(*request, 0);
    exchange.request = json::serialize(*request);
    exchange.answer = std::move(*answer);
    clean.push_back(std::move(exchange));
  }
  return clean;
}

void Recorder::Store(std::vector<Exchange> batch) {
  const std::vector<Exchange> clean = Clean(std::move(batch));
  for (size_t begin = 0, end = 0; begin < clean.size(); begin = end) {
    for (size_t bytes = 0; end < clean.size() && bytes < kPieceBytes; ++end) {
      bytes += clean[end].request.size() + clean[end].answer.size();
    }
    const auto stored = store_.Insert(std::span(clean).subspan(begin, end - begin));
    if (!stored.ok()) {
      failed_.Increment(static_cast<double>(end - begin));
      LogError("exchanges could not be recorded", {{"error", stored.error().message}});
      continue;
    }
    stored_.Increment(static_cast<double>(*stored));
    duplicate_.Increment(static_cast<double>(end - begin - *stored));
  }
}

void Recorder::Trim() {
  Policies policies;
  {
    std::lock_guard lock(mutex_);
    policies = policies_;
  }
  const auto deployments = store_.Deployments();
  if (!deployments.ok()) {
    return;
  }
  for (const std::string& deployment : *deployments) {
    const auto found = policies.find(deployment);
    const RecordPolicy policy =
        found == policies.end() ? RecordPolicy{.days = options_.days_of_gone_deployments} : found->second;
    if (const Status status = store_.Trim(deployment, clock_.UnixMs() - policy.days * kDayMs, policy.megabytes << 20U);
        !status.ok()) {
      LogError("old exchanges could not be deleted", {{"error", status.error().message}});
    }
  }
}

}  // namespace atelier::data
