// The SQL of jobs: rows in and out, inside a transaction that the caller holds. SQL exceptions pass through.
#pragma once

#include <soci/soci.h>

#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "jobs/events.h"
#include "jobs/job.h"
#include "jobs/states.h"

namespace atelier::jobs {

struct Row {
  Job job;
  int64_t position = 0;    // order of creation
  int64_t last_event = 0;  // sequence of the newest event
};

// Adds the parameters of a query's WHERE part.
using Bind = std::function<void(soci::statement&)>;

Status InsertJob(soci::session& session, const Row& row);
// `tail` follows "SELECT ... FROM jobs". Errors: kDataLoss when a row cannot be understood.
Result<std::vector<Row>> SelectJobs(soci::session& session, std::string_view tail, const Bind& bind);
Result<Row> SelectJob(soci::session& session, const std::string& id);  // kNotFound "job_not_found"
Result<std::vector<Event>> SelectEvents(soci::session& session, const std::string& id, int64_t after, int limit);
int64_t CountJobs(soci::session& session, State state);
int64_t NextPosition(soci::session& session);

// Appends events behind `last_event`, and counts it on; the job's row is not written.
void AppendEvents(soci::session& session, const std::string& id, int64_t& last_event, std::span<const NewEvent> events);
// Appends the events and stores the progress, without reading the whole row. Errors: kNotFound.
Status AppendBatch(soci::session& session, const std::string& id, const Batch& batch);
void UpdateJob(soci::session& session, const Row& row);

// What comes along with a change of state.
struct Change {
  Trigger trigger = Trigger::kStart;
  int64_t at_ms = 0;
  std::optional<Error> error{};  // of kFail
  boost::json::object result{};  // of kSucceed
  std::string note{};            // for people, in the event
};

// The one place where a job's state changes: checks the transition, sets what belongs to it, writes the "state" event
// and the row. Errors: NextState's, with nothing changed.
Status ChangeState(soci::session& session, Row& row, const Change& change);

}  // namespace atelier::jobs
