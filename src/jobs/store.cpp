#include "jobs/store.h"

#include <algorithm>
#include <limits>
#include <set>
#include <utility>

#include "jobs/rows.h"

namespace atelier::jobs {
namespace {

constexpr int kMostListed = 1000;

Status CheckQueue(soci::session& session, int max_queued) {
  if (CountJobs(session, State::kQueued) < max_queued) {
    return {};
  }
  Error full = MakeError(Code::kResourceExhausted,
                         "the queue is full: " + std::to_string(max_queued) + " jobs are waiting", "queue_full");
  full.retry_after_s = 10;
  return full;
}

// The catalogue's trouble, which may pass; not a refusal of what was to be written.
bool MayPass(const Error& error) { return error.code == Code::kUnavailable || error.reason == "storage_full"; }

// Calls the kind's commit; `refused` tells its failures from those of the catalogue around it.
Status Commit(soci::session& session, const Kind& kind, const Job& job, boost::json::object& result, bool& refused) {
  refused = true;  // should an SQL exception leave it
  Status status = kind.commit ? kind.commit(session, job, result) : Status();
  refused = !status.ok();
  return status;
}

// Sets the position and the time, too.
Status Insert(soci::session& session, Row& row, int64_t now_ms) {
  row.job.created_ms = now_ms;
  row.position = NextPosition(session);
  row.last_event = 0;
  ATELIER_TRY(InsertJob(session, row));
  const NewEvent event{now_ms, "state", {{"state", Name(State::kQueued)}, {"attempt", 0}}};
  AppendEvents(session, row.job.id, row.last_event, {&event, 1});
  UpdateJob(session, row);
  return {};
}

Result<std::vector<Row>> SelectChildren(soci::session& session, const std::string& id) {
  return SelectJobs(session, "WHERE parent = :id ORDER BY position",
                    [&](soci::statement& query) { query.exchange(soci::use(id, "id")); });
}

// Cancels the children of a job that wait.
Status CancelWaiting(soci::session& session, const std::string& id, int64_t now_ms) {
  ATELIER_ASSIGN(children, SelectChildren(session, id));
  for (Row& child : children) {
    if (child.job.state == State::kQueued) {
      ATELIER_TRY(ChangeState(session, child, {.trigger = Trigger::kCancel, .at_ms = now_ms}));
    }
  }
  return {};
}

}  // namespace

Result<Job> Store::Create(std::string id, std::string kind, boost::json::object spec, int max_queued) {
  Row row;
  row.job.id = std::move(id);
  row.job.kind = std::move(kind);
  row.job.spec = std::move(spec);
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_TRY(CheckQueue(session, max_queued));
    return Insert(session, row, clock_.UnixMs());
  }));
  return std::move(row.job);
}

Status Store::AddChildren(const Job& parent, std::vector<NewChild> children) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(now, SelectJob(session, parent.id));
    if (now.job.state != State::kRunning || now.job.attempt != parent.attempt || now.job.cancel_requested) {
      return {};
    }
    for (const NewChild& child : children) {
      Row row;
      row.job.id = child.id;
      row.job.kind = child.job.kind;
      row.job.parent = parent.id;
      row.job.spec = child.job.spec;
      ATELIER_TRY(Insert(session, row, clock_.UnixMs()));
    }
    return {};
  });
}

Result<std::vector<Job>> Store::Children(const std::string& id) {
  std::vector<Job> children;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(rows, SelectChildren(session, id));
    children.clear();
    for (Row& row : rows) {
      children.push_back(std::move(row.job));
    }
    return {};
  }));
  return children;
}

Result<Job> Store::Get(const std::string& id) {
  Job job;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, SelectJob(session, id));
    job = std::move(row.job);
    return {};
  }));
  return job;
}

Result<std::vector<Job>> Store::List(const Filter& filter, bool& has_more) {
  if (!filter.state.empty()) {
    ATELIER_ASSIGN(known, StateFromName(filter.state));
    static_cast<void>(known);
  }
  const int limit = std::clamp(filter.limit, 1, kMostListed);
  std::vector<Job> jobs;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    long long edge = filter.descending ? std::numeric_limits<long long>::max() : 0;
    if (!filter.after.empty()) {
      auto row = SelectJob(session, filter.after);
      if (!row.ok()) {
        return row.error().code == Code::kNotFound ? InvalidArgument("no job has that id", "after")
                                                   : Error(row.error());
      }
      edge = row->position;
    }
    const int most = limit + 1;
    const std::string tail =
        std::string(
            "WHERE (:kind = '' OR kind = :kind) AND (:state = '' OR state = :state) AND "
            "(:parent = '' OR parent = :parent) AND ") +
        (filter.descending ? "position < :edge ORDER BY position DESC" : "position > :edge ORDER BY position") +
        " LIMIT :most";
    ATELIER_ASSIGN(rows, SelectJobs(session, tail, [&](soci::statement& query) {
                     query.exchange(soci::use(filter.kind, "kind"));
                     query.exchange(soci::use(filter.state, "state"));
                     query.exchange(soci::use(filter.parent, "parent"));
                     query.exchange(soci::use(edge, "edge"));
                     query.exchange(soci::use(most, "most"));
                   }));
    has_more = rows.size() > static_cast<size_t>(limit);
    rows.resize(std::min(rows.size(), static_cast<size_t>(limit)));
    jobs.clear();
    for (Row& row : rows) {
      jobs.push_back(std::move(row.job));
    }
    return {};
  }));
  return jobs;
}

Result<std::vector<Event>> Store::Events(const std::string& id, int64_t after, int limit) {
  std::vector<Event> events;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    long long known = 0;
    session << "SELECT COUNT(*) FROM jobs WHERE id = :id", soci::use(id, "id"), soci::into(known);
    if (known == 0) {
      return NotFound("no such job", "job_not_found");
    }
    ATELIER_ASSIGN(selected, SelectEvents(session, id, std::max<int64_t>(after, 0), std::clamp(limit, 1, kMostListed)));
    events = std::move(selected);
    return {};
  }));
  return events;
}

Result<Job> Store::Cancel(const std::string& id, bool pause) {
  Job job;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, SelectJob(session, id));
    const bool was_paused = std::exchange(row.job.paused, pause);
    if (row.job.state == State::kRunning) {
      row.job.cancel_requested = true;
      UpdateJob(session, row);
    } else if (row.job.state == State::kCancelled && was_paused) {
      UpdateJob(session, row);
    } else {
      const Change change{.trigger = Trigger::kCancel, .at_ms = clock_.UnixMs()};
      ATELIER_TRY(ChangeState(session, row, change));
      ATELIER_TRY(CancelWaiting(session, id, change.at_ms));
    }
    job = std::move(row.job);
    return {};
  }));
  return job;
}

Result<Job> Store::Resume(const std::string& id, int max_queued) {
  Job job;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, SelectJob(session, id));
    const Change change{.trigger = Trigger::kResume, .at_ms = clock_.UnixMs(), .note = "resumed"};
    ATELIER_TRY(ChangeState(session, row, change));
    job = std::move(row.job);
    ATELIER_ASSIGN(children, SelectChildren(session, id));
    for (Row& child : children) {
      if (child.job.state == State::kFailed || child.job.state == State::kCancelled) {
        ATELIER_TRY(ChangeState(session, child, change));
      }
    }
    // Counted with itself; a refusal rolls the change back.
    return CheckQueue(session, max_queued + 1);
  }));
  return job;
}

Result<std::vector<std::string>> Store::Recover() {
  std::vector<std::string> ids;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ids.clear();
    const std::string running(Name(State::kRunning));
    ATELIER_ASSIGN(rows, SelectJobs(session, "WHERE state = :state ORDER BY position",
                                    [&](soci::statement& query) { query.exchange(soci::use(running, "state")); }));
    std::set<std::string> cancelled;  // their children are, too; these come later in the order
    for (Row& row : rows) {
      const bool cancel = row.job.cancel_requested || cancelled.contains(row.job.parent);
      if (cancel) {
        cancelled.insert(row.job.id);
        ATELIER_TRY(CancelWaiting(session, row.job.id, clock_.UnixMs()));
      }
      const Trigger trigger = cancel ? Trigger::kCancel : Trigger::kRecover;
      ATELIER_TRY(ChangeState(session, row,
                              {.trigger = trigger, .at_ms = clock_.UnixMs(), .note = "the gateway was restarted"}));
      ids.push_back(row.job.id);
    }
    return {};
  }));
  return ids;
}

Result<std::vector<std::string>> Store::Queued(int limit, Of of, const std::string& kinds) {
  std::vector<std::string> ids;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    std::string id;
    const std::string queued(Name(State::kQueued));
    soci::statement query =
        (session.prepare << "SELECT id FROM jobs WHERE state = :state AND kind"
                         << (of == Of::kThese ? " IN (" : " NOT IN (") << kinds << ") ORDER BY position LIMIT :most",
         soci::into(id), soci::use(queued, "state"), soci::use(limit, "most"));
    query.execute();
    ids.clear();
    while (query.fetch()) {
      ids.push_back(id);
    }
    return {};
  }));
  return ids;
}

Result<Job> Store::MarkStarted(const std::string& id) {
  Job job;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, SelectJob(session, id));
    ATELIER_TRY(ChangeState(session, row, {.trigger = Trigger::kStart, .at_ms = clock_.UnixMs()}));
    job = std::move(row.job);
    return {};
  }));
  return job;
}

Status Store::MarkFailed(const std::string& id, const Error& error) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, SelectJob(session, id));
    if (row.job.state == State::kRunning) {
      return MakeError(Code::kAborted, "the job runs");
    }
    return ChangeState(session, row, {.trigger = Trigger::kFail, .at_ms = clock_.UnixMs(), .error = error});
  });
}

Status Store::Append(const std::string& id, const Batch& batch) {
  return catalogue_.Write([&](soci::session& session) { return AppendBatch(session, id, batch); });
}

Status Store::End(const Finish& finish, const Kind& kind) {
  bool refused = false;
  const Status status = EndOnce(finish, kind, refused);
  if (status.ok() || !refused || MayPass(status.error())) {
    return status;
  }
  Finish failed = finish;
  failed.verdict = {State::kFailed, status.error()};
  return EndOnce(failed, kind, refused);
}

Status Store::EndOnce(const Finish& finish, const Kind& kind, bool& refused) {
  refused = false;
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(row, SelectJob(session, finish.id));
    if (row.job.state != State::kRunning || row.job.attempt != finish.attempt) {
      return MakeError(Code::kAborted, "the job is no longer in this attempt");
    }
    AppendEvents(session, row.job.id, row.last_event, finish.batch.events);
    row.job.progress = finish.batch.progress.value_or(row.job.progress);
    Change change{.trigger = Trigger::kFail, .at_ms = clock_.UnixMs(), .error = finish.verdict.error};
    if (row.job.cancel_requested || finish.verdict.state == State::kCancelled) {
      change.trigger = Trigger::kCancel;
    } else if (finish.verdict.state == State::kSucceeded) {
      change.trigger = Trigger::kSucceed;
      change.result = finish.result;
      ATELIER_TRY(Commit(session, kind, row.job, change.result, refused));
    }
    return ChangeState(session, row, change);
  });
}

}  // namespace atelier::jobs
