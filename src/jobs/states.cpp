#include "jobs/states.h"

#include <array>

namespace atelier::jobs {
namespace {

struct Edge {
  State from;
  Trigger trigger;
  State to;
};

constexpr std::array<Edge, 9> kEdges{{
    {State::kQueued, Trigger::kStart, State::kRunning},
    {State::kQueued, Trigger::kCancel, State::kCancelled},
    {State::kQueued, Trigger::kFail, State::kFailed},  // it cannot be started at all, e.g. its program is missing
    {State::kRunning, Trigger::kSucceed, State::kSucceeded},
    {State::kRunning, Trigger::kFail, State::kFailed},
    {State::kRunning, Trigger::kCancel, State::kCancelled},
    {State::kRunning, Trigger::kRecover, State::kQueued},  // its gateway is gone
    {State::kFailed, Trigger::kResume, State::kQueued},
    {State::kCancelled, Trigger::kResume, State::kQueued},
}};

constexpr std::array<std::string_view, 5> kNames{"queued", "running", "succeeded", "failed", "cancelled"};

}  // namespace

std::string_view Name(State state) { return kNames.at(static_cast<size_t>(state)); }

Result<State> StateFromName(std::string_view name) {
  for (size_t i = 0; i < kNames.size(); ++i) {
    if (kNames[i] == name) {
      return static_cast<State>(i);
    }
  }
  return InvalidArgument("no such job state: a job is queued, running, succeeded, failed or cancelled", "status");
}

Result<State> NextState(State state, Trigger trigger) {
  for (const Edge& edge : kEdges) {
    if (edge.from == state && edge.trigger == trigger) {
      return edge.to;
    }
  }
  const std::string now = "the job is " + std::string(Name(state));
  if (trigger == Trigger::kResume) {
    return FailedPrecondition(now + "; only a failed or cancelled job can be resumed",
                              state == State::kSucceeded ? "job_finished" : "job_not_finished");
  }
  return FailedPrecondition(now, IsFinal(state) ? "job_finished" : "job_not_finished");
}

}  // namespace atelier::jobs
