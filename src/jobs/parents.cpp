#include "jobs/parents.h"

#include <algorithm>

namespace atelier::jobs {
namespace {

// Cancels what waits, and names what runs. Returns whether any runs.
Result<bool> EndChildren(Store& store, const std::vector<Job>& children, std::vector<std::string>& stop) {
  bool runs = false;
  for (const Job& child : children) {
    if (IsFinal(child.state)) {
      continue;
    }
    const auto cancelled = store.Cancel(child.id);
    if (!cancelled.ok() && cancelled.error().code != Code::kFailedPrecondition) {
      return cancelled.error();
    }
    if (cancelled.ok() && cancelled->state == State::kRunning) {
      stop.push_back(child.id);
      runs = true;
    }
  }
  return runs;
}

Batch ProgressBatch(const Job& job, boost::json::object progress, int64_t now_ms) {
  Batch batch;
  if (!progress.empty() && progress != job.progress) {
    batch.events.push_back({now_ms, "progress", progress});
    batch.progress = std::move(progress);
  }
  return batch;
}

}  // namespace

Result<bool> Parents::Advance(std::vector<std::string>& stop) {
  bool created = false;
  const std::set<std::string> ids = running_;
  for (const std::string& id : ids) {
    ATELIER_ASSIGN(job, with_.store.Get(id));
    if (job.state != State::kRunning) {
      running_.erase(id);
      continue;
    }
    ATELIER_ASSIGN(outcome, Advance(job, stop));
    created = created || outcome.created;
    if (outcome.ended) {
      running_.erase(id);
    }
    if (outcome.created || outcome.ended) {
      with_.listeners.Tell(id);
    }
  }
  return created;
}

Result<Parents::Outcome> Parents::Advance(const Job& job, std::vector<std::string>& stop) {
  ATELIER_ASSIGN(children, with_.store.Children(job.id));
  bool waits = std::ranges::any_of(children, [](const Job& child) { return !IsFinal(child.state); });
  Result<Step> step = Step();
  if (!job.cancel_requested) {
    step = with_.kinds.at(job.kind).advance(job, children);
  }
  if (waits && (job.cancel_requested || !step.ok() || step->result.has_value())) {
    ATELIER_ASSIGN(runs, EndChildren(with_.store, children, stop));  // they are of no more use
    if (runs) {
      return Outcome{};
    }
    waits = false;
  }
  if (job.cancel_requested || !step.ok()) {
    return End(job, {job.cancel_requested ? State::kCancelled : State::kFailed, step.ok() ? Error() : step.error()},
               {});
  }
  return Follow(job, std::move(step).value(), waits);
}

Result<Parents::Outcome> Parents::Follow(const Job& job, Step step, bool waits) {
  const Batch batch = ProgressBatch(job, std::move(step.progress), with_.clock.UnixMs());
  if (!batch.empty()) {
    ATELIER_TRY(with_.store.Append(job.id, batch));
    with_.listeners.Tell(job.id);
  }
  if (step.result.has_value()) {
    return End(job, {State::kSucceeded, {}}, std::move(*step.result));
  }
  if (step.create.empty()) {
    return waits ? Result<Outcome>(Outcome{})
                 : End(job, {State::kFailed, Internal("the job has nothing to do, and no result")}, {});
  }
  std::vector<Store::NewChild> children;
  for (auto& child : step.create) {
    children.push_back({with_.new_id(), std::move(child)});
  }
  ATELIER_TRY(with_.store.AddChildren(job, std::move(children)));
  return Outcome{.created = true};
}

Result<Parents::Outcome> Parents::End(const Job& job, const Verdict& verdict, boost::json::object result) {
  Finish finish;
  finish.id = job.id;
  finish.attempt = job.attempt;
  finish.verdict = verdict;
  finish.result = std::move(result);
  const Status ended = with_.store.End(finish, with_.kinds.at(job.kind));
  if (!ended.ok() && ended.error().code != Code::kAborted) {
    return ended.error();
  }
  return Outcome{.ended = true};
}

}  // namespace atelier::jobs
