// What the end of a job's process means. Pure functions.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/result.h"
#include "jobs/service.h"

namespace atelier::jobs {

// Why the supervisor stopped a process; kNone where it ended by itself.
enum class StopCause { kNone, kCancel, kTime, kMemory, kProtocol, kShutdown };

struct Ending {
  StopCause cause = StopCause::kNone;
  std::optional<int> wait_status{};  // of waitpid; absent where it could not be had
  bool has_result = false;
  std::optional<Error> reported{};  // by an error event
  uint64_t resident_bytes = 0;      // when it was found above the limit
  std::string violation{};          // of the protocol
  std::string last_log_line{};
};

struct Verdict {
  State state = State::kFailed;  // kRunning: the job stays `running`, for the next gateway to take up
  Error error{};                 // of kFailed
};

Verdict Judge(const Ending& ending, const Limits& limits);

// Whether a process must be stopped: resident memory first, then time.
StopCause CheckLimits(uint64_t resident_bytes, int64_t elapsed_ms, const Limits& limits);

std::string FormatBytes(uint64_t bytes);      // "8.2 GiB", "512 MiB", "17 bytes"
std::string FormatDuration(int64_t time_ms);  // "24 h", "90 min", "1.5 s"

}  // namespace atelier::jobs
