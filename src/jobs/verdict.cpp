#include "jobs/verdict.h"

#include <sys/wait.h>

#include <array>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <string_view>

namespace atelier::jobs {
namespace {

std::string OneDecimal(double value, std::string_view unit) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.1f", value);
  std::string number = text.data();
  if (number.ends_with(".0")) {
    number.resize(number.size() - 2);
  }
  return number + " " + std::string(unit);
}

Verdict Failed(Code code, std::string message, std::string reason) {
  return {State::kFailed, MakeError(code, std::move(message), std::move(reason))};
}

Verdict BySignal(int signal) {
  const char* name = ::sigabbrev_np(signal);
  std::string text = "the process was ended by signal " + std::to_string(signal);
  if (name != nullptr) {
    text += " (SIG" + std::string(name) + ")";
  }
  if (signal == SIGKILL) {
    text += ", perhaps by the system for lack of memory";
  }
  return Failed(Code::kInternal, std::move(text), "process_killed");
}

Verdict ByExit(const Ending& ending, int status) {
  std::string text = "exit status " + std::to_string(status) + " without an error report";
  if (status == 0) {
    text = "the process ended without a result";
  } else if (ending.has_result) {
    text = "exit status " + std::to_string(status) + " after the result";
  }
  if (!ending.last_log_line.empty()) {
    text += "; last log line: " + ending.last_log_line;
  }
  return Failed(Code::kInternal, std::move(text), "process_failed");
}

// The process ended for a reason of its own, or in spite of being asked to stop.
Verdict ByItself(const Ending& ending) {
  if (ending.reported) {
    return {State::kFailed, *ending.reported};
  }
  if (!ending.wait_status) {
    return Failed(Code::kInternal, "the process is gone and its exit status is unknown", "process_failed");
  }
  if (WIFSIGNALED(*ending.wait_status)) {
    return BySignal(WTERMSIG(*ending.wait_status));
  }
  return ByExit(ending, WEXITSTATUS(*ending.wait_status));
}

}  // namespace

Verdict Judge(const Ending& ending, const Limits& limits) {
  const bool clean = ending.wait_status && WIFEXITED(*ending.wait_status) && WEXITSTATUS(*ending.wait_status) == 0;
  if (ending.cause == StopCause::kCancel) {
    return {State::kCancelled, {}};
  }
  if (ending.cause == StopCause::kProtocol) {
    return Failed(Code::kInternal, "killed: " + ending.violation, "protocol_error");
  }
  if (clean && ending.has_result && !ending.reported) {
    return {State::kSucceeded, {}};
  }
  switch (ending.cause) {
    case StopCause::kMemory:
      return Failed(
          Code::kResourceExhausted,
          "killed: used " + FormatBytes(ending.resident_bytes) + ", the limit is " + FormatBytes(limits.memory_bytes),
          "memory_limit");
    case StopCause::kTime:
      return Failed(Code::kDeadlineExceeded, "time limit of " + FormatDuration(limits.time_ms) + " reached",
                    "time_limit");
    case StopCause::kShutdown:
      if (ending.reported && ending.reported->code != Code::kCancelled) {
        return {State::kFailed, *ending.reported};
      }
      return {State::kRunning, {}};
    default:
      return ByItself(ending);
  }
}

StopCause CheckLimits(uint64_t resident_bytes, int64_t elapsed_ms, const Limits& limits) {
  if (resident_bytes > limits.memory_bytes) {
    return StopCause::kMemory;
  }
  return elapsed_ms >= limits.time_ms ? StopCause::kTime : StopCause::kNone;
}

std::string FormatBytes(uint64_t bytes) {
  constexpr std::array<std::string_view, 4> kUnits{"KiB", "MiB", "GiB", "TiB"};
  if (bytes < 1024) {
    return std::to_string(bytes) + " bytes";
  }
  double value = static_cast<double>(bytes) / 1024;
  size_t unit = 0;
  while (value >= 1023.95 && unit + 1 < kUnits.size()) {
    value /= 1024;
    ++unit;
  }
  return OneDecimal(value, kUnits[unit]);
}

std::string FormatDuration(int64_t time_ms) {
  if (time_ms >= 3'600'000 && time_ms % 360'000 == 0) {
    return OneDecimal(static_cast<double>(time_ms) / 3'600'000, "h");
  }
  if (time_ms >= 60'000 && time_ms % 6'000 == 0) {
    return OneDecimal(static_cast<double>(time_ms) / 60'000, "min");
  }
  return OneDecimal(static_cast<double>(time_ms) / 1000, "s");
}

}  // namespace atelier::jobs
