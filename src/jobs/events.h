// What a job process says, from the bytes of its pipe to the events that are stored.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::jobs {

// An event before it has its sequence number.
struct NewEvent {
  int64_t at_ms = 0;
  std::string type;
  boost::json::object data;
};

// What one write to the catalogue stores.
struct Batch {
  std::vector<NewEvent> events;
  std::optional<boost::json::object> progress;  // the job's last progress, when there is news

  bool empty() const { return events.empty() && !progress; }
};

struct Moment {
  int64_t unix_ms = 0;
  int64_t steady_ms = 0;
};

struct StreamLimits {
  size_t line_bytes = 1U << 20U;
  int64_t progress_interval_ms = 250;        // between stored progress events,
  int64_t slow_progress_interval_ms = 1000;  // and once there are many of them
  int64_t many_progress = 4000;
  size_t kept_bytes = 64U << 20U;  // of events that are not coalesced; later ones are dropped with one notice
};

// Splits the process's output into lines and sorts them. Progress is coalesced to one event per interval (the newest
// wins), except the milestones {"stage":"epoch"}; all else is kept, in order. What is no event of the protocol becomes
// a message. Not thread-safe; knows no clock and no file.
class EventStream {
 public:
  explicit EventStream(StreamLimits limits = {}) : limits_(limits) {}

  // Errors: kOutOfRange when a line is longer than the limit; the stream must not be fed again.
  Status Feed(std::string_view bytes, Moment now);
  // The process is gone: what is incomplete or held back becomes due.
  void Finish(Moment now);
  // Appends what is due to `batch`, and forgets it.
  void Collect(Moment now, Batch& batch);

  const std::optional<boost::json::object>& result() const { return result_; }
  const std::optional<Error>& error() const { return error_; }

 private:
  void Line(std::string_view line, Moment now);
  void Take(std::string_view type, boost::json::object data, Moment now);
  void Progress(boost::json::object data, Moment now);
  void Keep(NewEvent event, size_t bytes);
  void KeepText(std::string_view line, Moment now);
  void Release(Moment now);
  int64_t Interval() const;

  StreamLimits limits_;
  std::string partial_;
  std::vector<NewEvent> ready_;
  std::optional<NewEvent> held_;  // the newest progress, not yet due
  std::optional<boost::json::object> progress_;
  int64_t last_progress_ms_ = -1'000'000;
  int64_t progress_count_ = 0;
  size_t kept_bytes_ = 0;
  std::optional<boost::json::object> result_;
  std::optional<Error> error_;
};

}  // namespace atelier::jobs
