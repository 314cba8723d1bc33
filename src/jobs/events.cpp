#include "jobs/events.h"

#include <utility>

#include "base/json.h"
#include "jobs/error_json.h"
#include "jobs/log_file.h"

namespace atelier::jobs {
namespace {

constexpr std::string_view kMilestone = "epoch";
constexpr size_t kTextBytes = 4096;  // of a line that is no event

json::object MessageData(std::string_view level, std::string_view text) {
  return json::object{{"level", level}, {"message", text}};
}

}  // namespace

Status EventStream::Feed(std::string_view bytes, Moment now) {
  while (!bytes.empty()) {
    const size_t end = bytes.find('\n');
    const std::string_view piece = bytes.substr(0, end);
    if (partial_.size() + piece.size() > limits_.line_bytes) {
      partial_.clear();
      return MakeError(Code::kOutOfRange,
                       "the process wrote an event longer than " + std::to_string(limits_.line_bytes) + " bytes",
                       "event_too_large");
    }
    if (end == std::string_view::npos) {
      partial_ += piece;
      return {};
    }
    if (partial_.empty()) {
      Line(piece, now);
    } else {
      partial_ += piece;
      Line(std::exchange(partial_, {}), now);
    }
    bytes.remove_prefix(end + 1);
  }
  return {};
}

void EventStream::Finish(Moment now) {
  if (!partial_.empty()) {
    Line(std::exchange(partial_, {}), now);
  }
  Release(now);
}

void EventStream::Collect(Moment now, Batch& batch) {
  if (held_ && now.steady_ms - last_progress_ms_ >= Interval()) {
    Release(now);
  }
  std::move(ready_.begin(), ready_.end(), std::back_inserter(batch.events));
  ready_.clear();
  // Only together with an event: listeners look for events, and a write of its own would undo the coalescing.
  if (progress_ && !held_) {
    batch.progress = std::exchange(progress_, std::nullopt);
  }
}

void EventStream::Line(std::string_view line, Moment now) {
  if (line.empty()) {
    return;
  }
  auto parsed = ParseJson(line);
  if (!parsed.ok() || !parsed->is_object()) {
    return KeepText(line, now);
  }
  json::object& object = parsed->get_object();
  const json::value* data = object.if_contains("data");
  const std::string type = GetString(object, "type");
  if (data == nullptr || !data->is_object() || object.size() != 2) {
    return KeepText(line, now);
  }
  if (type == "progress" || type == "message" || type == "error" || type == "result") {
    return Take(type, data->get_object(), now);
  }
  KeepText(line, now);
}

void EventStream::Take(std::string_view type, json::object data, Moment now) {
  if (type == "progress") {
    return Progress(std::move(data), now);
  }
  Release(now);
  if (type == "result") {
    if (result_) {
      return KeepText("the process gave a second result, which is ignored", now);
    }
    result_ = std::move(data);
    return;
  }
  if (type == "error") {
    error_ = ErrorFromJson(data);
    ready_.push_back({now.unix_ms, "error", std::move(data)});
    return;
  }
  const size_t bytes = json::serialize(data).size();
  Keep({now.unix_ms, std::string(type), std::move(data)}, bytes);
}

void EventStream::Progress(json::object data, Moment now) {
  const bool milestone = GetString(data, "stage") == kMilestone;
  progress_ = data;
  NewEvent event{now.unix_ms, "progress", std::move(data)};
  if (milestone) {
    Release(now);
    const size_t bytes = json::serialize(event.data).size();
    return Keep(std::move(event), bytes);
  }
  held_ = std::move(event);
  if (now.steady_ms - last_progress_ms_ >= Interval()) {
    Release(now);
  }
}

void EventStream::Keep(NewEvent event, size_t bytes) {
  if (kept_bytes_ > limits_.kept_bytes) {
    return;
  }
  const int64_t at_ms = event.at_ms;
  ready_.push_back(std::move(event));
  kept_bytes_ += bytes;
  if (kept_bytes_ > limits_.kept_bytes) {
    ready_.push_back(
        {at_ms, "message", MessageData("warning", "the process says too much; its further events are dropped")});
  }
}

void EventStream::KeepText(std::string_view line, Moment now) {
  Release(now);
  std::string text = EscapeControls(line.substr(0, kTextBytes));
  const size_t bytes = text.size();
  Keep({now.unix_ms, "message", MessageData("warning", text)}, bytes);
}

void EventStream::Release(Moment now) {
  if (!held_) {
    return;
  }
  ready_.push_back(*std::exchange(held_, std::nullopt));
  last_progress_ms_ = now.steady_ms;
  ++progress_count_;
}

int64_t EventStream::Interval() const {
  return progress_count_ < limits_.many_progress ? limits_.progress_interval_ms : limits_.slow_progress_interval_ms;
}

}  // namespace atelier::jobs
