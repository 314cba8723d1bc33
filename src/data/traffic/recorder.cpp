#include "data/traffic/recorder.h"

#include <algorithm>
#include <chrono>
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

// Depth is bounded by ParseJson's limit.
void RedactValue(json::value& value) {
  if (value.is_string()) {
    value = text::language::Redact(value.get_string()).text;
  } else if (value.is_array()) {
    for (auto& item : value.get_array()) {
      RedactValue(item);
    }
  } else if (value.is_object()) {
    for (auto& member : value.get_object()) {
      RedactValue(member.value());
    }
  }
}

}  // namespace

Result<std::string> RedactJson(std::string_view text) {
  ATELIER_ASSIGN(value, ParseJson(text));
  RedactValue(value);
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
      thread_([this] { Work(); }) {}

Recorder::~Recorder() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_all();
  thread_.join();
}

void Recorder::SetPolicies(std::map<std::string, RecordPolicy> policies) {
  any_ = std::ranges::any_of(policies, [](const auto& entry) { return entry.second.percent > 0; });
  std::lock_guard lock(mutex_);
  policies_ = std::move(policies);
  policies_known_ = true;
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
  if (bytes > options_.record_bytes) {
    large_.Increment();
    return;
  }
  {
    std::lock_guard lock(mutex_);
    if (waiting_.size() >= options_.queued || waiting_bytes_ + bytes > options_.queued_bytes) {
      full_.Increment();
      return;
    }
    waiting_.push_back(std::move(exchange));
    waiting_bytes_ += bytes;
  }
}

void Recorder::Flush() {
  std::unique_lock lock(mutex_);
  wake_.notify_all();
  idle_.wait(lock, [this] { return waiting_.empty() && !storing_; });
}

// Batches begin by the clock of the machine: a condition that every request signals would wake this thread for each.
void Recorder::Work() {
  int64_t trimmed_ns = clock_.MonotonicNs() - options_.trim_every_ms * 1'000'000;
  std::unique_lock lock(mutex_);
  while (!stopping_ || !waiting_.empty()) {
    if (!stopping_) {
      wake_.wait_for(lock, kBatchEvery);
    }
    std::vector<Exchange> batch = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    storing_ = true;
    const bool may_trim = policies_known_;
    lock.unlock();
    Store(std::move(batch));
    if (may_trim && clock_.MonotonicNs() - trimmed_ns >= options_.trim_every_ms * 1'000'000) {
      trimmed_ns = clock_.MonotonicNs();
      Trim();
    }
    lock.lock();
    storing_ = false;
    idle_.notify_all();
  }
}

void Recorder::Store(std::vector<Exchange> batch) {
  if (batch.empty()) {
    return;
  }
  std::vector<Exchange> clean;
  for (Exchange& exchange : batch) {
    auto request = RedactJson(exchange.request);
    auto answer = RedactJson(exchange.answer);
    if (!request.ok() || !answer.ok()) {
      failed_.Increment();
      continue;
    }
    exchange.request = std::move(*request);
    exchange.answer = std::move(*answer);
    clean.push_back(std::move(exchange));
  }
  if (const Status status = store_.Insert(clean); !status.ok()) {
    failed_.Increment(static_cast<double>(clean.size()));
    LogError("exchanges could not be recorded", {{"error", status.error().message}});
    return;
  }
  stored_.Increment(static_cast<double>(clean.size()));
}

void Recorder::Trim() {
  std::map<std::string, RecordPolicy> policies;
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
