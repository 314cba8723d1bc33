#include "jobs/rows.h"

#include <array>
#include <span>

#include "base/json.h"
#include "jobs/error_json.h"
#include "jobs/log_file.h"
#include "jobs/service.h"

namespace atelier::jobs {
namespace {

constexpr std::array<storage::Migration, 3> kMigrations{{
    {"jobs", 1, R"(
CREATE TABLE jobs (
  id TEXT NOT NULL PRIMARY KEY,
  position BIGINT NOT NULL UNIQUE,
  kind TEXT NOT NULL,
  state TEXT NOT NULL,
  spec TEXT NOT NULL,
  result TEXT NOT NULL,
  progress TEXT NOT NULL,
  error TEXT NOT NULL,
  attempt INTEGER NOT NULL,
  cancel_requested INTEGER NOT NULL,
  created_ms BIGINT NOT NULL,
  started_ms BIGINT NOT NULL,
  finished_ms BIGINT NOT NULL,
  last_event BIGINT NOT NULL
);
CREATE INDEX jobs_by_state ON jobs (state, position);
CREATE TABLE job_events (
  job_id TEXT NOT NULL REFERENCES jobs (id),
  sequence BIGINT NOT NULL,
  at_ms BIGINT NOT NULL,
  type TEXT NOT NULL,
  data TEXT NOT NULL,
  PRIMARY KEY (job_id, sequence)
);
)"},
    {"jobs", 2, R"(
ALTER TABLE jobs ADD COLUMN parent TEXT NOT NULL DEFAULT '';
CREATE INDEX jobs_by_parent ON jobs (parent, position);
)"},
    {"jobs", 3, "ALTER TABLE jobs ADD COLUMN paused INTEGER NOT NULL DEFAULT 0;"},
}};

constexpr size_t kMaxStoredBytes = 256U << 20U;

// A row as SQL has it; SOCI exchanges `long long` for BIGINT.
struct Raw {
  std::string id, kind, parent, state, spec, result, progress, error;
  int attempt = 0;
  int cancel_requested = 0;
  int paused = 0;
  long long position = 0, created_ms = 0, started_ms = 0, finished_ms = 0, last_event = 0;
};

std::string Text(const json::object& object) { return object.empty() ? "" : json::serialize(object); }

Result<json::object> Object(const std::string& text) {
  if (text.empty()) {
    return json::object();
  }
  auto value = ParseJson(text, {.max_bytes = kMaxStoredBytes, .max_depth = 128});
  if (!value.ok() || !value->is_object()) {
    return DataLoss("the catalogue has a job with unreadable JSON");
  }
  return std::move(value->get_object());
}

Result<Row> FromRaw(const Raw& raw) {
  Row row;
  ATELIER_ASSIGN(state, StateFromName(raw.state));
  ATELIER_ASSIGN(spec, Object(raw.spec));
  ATELIER_ASSIGN(result, Object(raw.result));
  ATELIER_ASSIGN(progress, Object(raw.progress));
  ATELIER_ASSIGN(error, Object(raw.error));
  Job& job = row.job;
  job.id = raw.id;
  job.kind = raw.kind;
  job.parent = raw.parent;
  job.state = state;
  job.spec = std::move(spec);
  job.result = std::move(result);
  job.progress = std::move(progress);
  if (!raw.error.empty()) {
    job.error = ErrorFromJson(error);
  }
  job.attempt = raw.attempt;
  job.cancel_requested = raw.cancel_requested != 0;
  job.paused = raw.paused != 0;
  job.created_ms = raw.created_ms;
  job.started_ms = raw.started_ms;
  job.finished_ms = raw.finished_ms;
  row.position = raw.position;
  row.last_event = raw.last_event;
  return row;
}

Raw ToRaw(const Row& row) {
  const Job& job = row.job;
  Raw raw;
  raw.id = job.id;
  raw.kind = job.kind;
  raw.state = Name(job.state);
  raw.result = Text(job.result);
  raw.progress = Text(job.progress);
  raw.error = job.error ? json::serialize(ErrorToJson(*job.error)) : "";
  raw.attempt = job.attempt;
  raw.cancel_requested = job.cancel_requested ? 1 : 0;
  raw.paused = job.paused ? 1 : 0;
  raw.created_ms = job.created_ms;
  raw.started_ms = job.started_ms;
  raw.finished_ms = job.finished_ms;
  raw.position = row.position;
  raw.last_event = row.last_event;
  return raw;
}

json::object StateData(const Job& job, const std::string& note) {
  json::object data{{"state", Name(job.state)}, {"attempt", job.attempt}};
  if (job.state == State::kFailed && job.error) {
    data["error"] = ErrorToJson(*job.error);
  }
  if (!note.empty()) {
    data["note"] = note;
  }
  return data;
}

void Enter(Job& job, const Change& change) {
  switch (change.trigger) {
    case Trigger::kStart:
      ++job.attempt;
      job.started_ms = change.at_ms;
      break;
    case Trigger::kRecover:
      break;
    case Trigger::kResume:
      job.error.reset();
      job.cancel_requested = false;
      job.paused = false;
      job.finished_ms = 0;
      break;
    case Trigger::kSucceed:
      job.result = change.result;
      job.finished_ms = change.at_ms;
      break;
    case Trigger::kFail:
      job.error = change.error;
      job.finished_ms = change.at_ms;
      break;
    case Trigger::kCancel:
      job.cancel_requested = true;
      job.finished_ms = change.at_ms;
      break;
  }
}

}  // namespace

std::span<const storage::Migration> Migrations() { return kMigrations; }

Status InsertJob(soci::session& session, const Row& row) {
  const Raw raw = ToRaw(row);
  const std::string spec = Text(row.job.spec);
  if (spec.size() > kMaxStoredBytes) {
    return MakeError(Code::kOutOfRange, "the job's specification is too large", "request_too_large");
  }
  session
      << "INSERT INTO jobs (id, position, kind, parent, state, spec, result, progress, error, attempt, "
         "cancel_requested, created_ms, started_ms, finished_ms, last_event) VALUES (:id, :position, :kind, :parent, "
         ":state, :spec, '', '', '', 0, 0, :created, 0, 0, 0)",
      soci::use(raw.id, "id"), soci::use(raw.position, "position"), soci::use(raw.kind, "kind"),
      soci::use(row.job.parent, "parent"), soci::use(raw.state, "state"), soci::use(spec, "spec"),
      soci::use(raw.created_ms, "created");
  return {};
}

Result<std::vector<Row>> SelectJobs(soci::session& session, std::string_view tail, const Bind& bind) {
  Raw raw;
  soci::statement query(session);
  for (std::string* text :
       {&raw.id, &raw.kind, &raw.parent, &raw.state, &raw.spec, &raw.result, &raw.progress, &raw.error}) {
    query.exchange(soci::into(*text));
  }
  query.exchange(soci::into(raw.attempt));
  query.exchange(soci::into(raw.cancel_requested));
  query.exchange(soci::into(raw.paused));
  for (long long* number : {&raw.position, &raw.created_ms, &raw.started_ms, &raw.finished_ms, &raw.last_event}) {
    query.exchange(soci::into(*number));
  }
  bind(query);
  query.alloc();
  query.prepare(
      "SELECT id, kind, parent, state, spec, result, progress, error, attempt, cancel_requested, paused, position, "
      "created_ms, started_ms, finished_ms, last_event FROM jobs " +
      std::string(tail));
  query.define_and_bind();
  query.execute();
  std::vector<Row> rows;
  while (query.fetch()) {
    ATELIER_ASSIGN(row, FromRaw(raw));
    rows.push_back(std::move(row));
  }
  return rows;
}

Result<Row> SelectJob(soci::session& session, const std::string& id) {
  ATELIER_ASSIGN(rows, SelectJobs(session, "WHERE id = :id",
                                  [&](soci::statement& query) { query.exchange(soci::use(id, "id")); }));
  if (rows.empty()) {
    return NotFound("no such job: " + EscapeControls(std::string_view(id).substr(0, 80)), "job_not_found");
  }
  return std::move(rows[0]);
}

Result<std::vector<Event>> SelectEvents(soci::session& session, const std::string& id, int64_t after, int limit) {
  long long sequence = 0;
  long long at_ms = 0;
  std::string type;
  std::string data;
  const long long from = after;
  soci::statement query =
      (session.prepare << "SELECT sequence, at_ms, type, data FROM job_events WHERE job_id = :id AND sequence > :after "
                          "ORDER BY sequence LIMIT :most",
       soci::into(sequence), soci::into(at_ms), soci::into(type), soci::into(data), soci::use(id, "id"),
       soci::use(from, "after"), soci::use(limit, "most"));
  query.execute();
  std::vector<Event> events;
  while (query.fetch()) {
    ATELIER_ASSIGN(object, Object(data));
    events.push_back({sequence, at_ms, type, std::move(object)});
  }
  return events;
}

int64_t CountJobs(soci::session& session, State state) {
  long long count = 0;
  const std::string name(Name(state));
  session << "SELECT COUNT(*) FROM jobs WHERE state = :state", soci::use(name, "state"), soci::into(count);
  return count;
}

int64_t NextPosition(soci::session& session) {
  long long position = 0;
  session << "SELECT COALESCE(MAX(position), 0) + 1 FROM jobs", soci::into(position);
  return position;
}

void AppendEvents(soci::session& session, const std::string& id, int64_t& last_event,
                  std::span<const NewEvent> events) {
  long long sequence = last_event;
  long long at_ms = 0;
  std::string type;
  std::string data;
  soci::statement insert =
      (session.prepare << "INSERT INTO job_events (job_id, sequence, at_ms, type, data) VALUES (:id, :sequence, :at, "
                          ":type, :data)",
       soci::use(id, "id"), soci::use(sequence, "sequence"), soci::use(at_ms, "at"), soci::use(type, "type"),
       soci::use(data, "data"));
  for (const NewEvent& event : events) {
    ++sequence;
    at_ms = event.at_ms;
    type = event.type;
    data = json::serialize(event.data);
    insert.execute(true);
  }
  last_event = sequence;
}

Status AppendBatch(soci::session& session, const std::string& id, const Batch& batch) {
  long long last_event = -1;
  std::string progress;
  session << "SELECT last_event, progress FROM jobs WHERE id = :id", soci::use(id, "id"), soci::into(last_event),
      soci::into(progress);
  if (last_event < 0) {
    return NotFound("no such job", "job_not_found");
  }
  int64_t sequence = last_event;
  AppendEvents(session, id, sequence, batch.events);
  last_event = sequence;
  progress = batch.progress ? Text(*batch.progress) : progress;
  session << "UPDATE jobs SET last_event = :last, progress = :progress WHERE id = :id", soci::use(last_event, "last"),
      soci::use(progress, "progress"), soci::use(id, "id");
  return {};
}

void UpdateJob(soci::session& session, const Row& row) {
  const Raw raw = ToRaw(row);
  session << "UPDATE jobs SET state = :state, result = :result, progress = :progress, error = :error, attempt = "
             ":attempt, cancel_requested = :cancel, paused = :paused, started_ms = :started, finished_ms = :finished, "
             "last_event = :last WHERE id = :id",
      soci::use(raw.state, "state"), soci::use(raw.result, "result"), soci::use(raw.progress, "progress"),
      soci::use(raw.error, "error"), soci::use(raw.attempt, "attempt"), soci::use(raw.cancel_requested, "cancel"),
      soci::use(raw.paused, "paused"), soci::use(raw.started_ms, "started"), soci::use(raw.finished_ms, "finished"),
      soci::use(raw.last_event, "last"), soci::use(raw.id, "id");
}

Status ChangeState(soci::session& session, Row& row, const Change& change) {
  ATELIER_ASSIGN(next, NextState(row.job.state, change.trigger));
  row.job.state = next;
  Enter(row.job, change);
  const NewEvent event{change.at_ms, "state", StateData(row.job, change.note)};
  AppendEvents(session, row.job.id, row.last_event, {&event, 1});
  UpdateJob(session, row);
  return {};
}

}  // namespace atelier::jobs
