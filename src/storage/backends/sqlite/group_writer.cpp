#include "storage/backends/sqlite/group_writer.h"

#include <algorithm>

#include "storage/backends/sqlite/session.h"

namespace atelier::storage::sqlite {
namespace {

constexpr size_t kMaxBatch = 256;

void FailAll(std::vector<Status>& outcomes, const Error& error) {
  for (auto& outcome : outcomes) {
    if (outcome.ok()) {
      outcome = error;
    }
  }
}

}  // namespace

GroupWriter::GroupWriter(std::unique_ptr<soci::session> session)
    : session_(std::move(session)), thread_([this] { Loop(); }) {}

GroupWriter::~GroupWriter() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wake_.notify_one();
  thread_.join();
}

Status GroupWriter::Write(const Catalogue::Work& work) {
  std::future<Status> done;
  {
    std::lock_guard lock(mutex_);
    done = queue_.emplace_back(Request{&work}).done.get_future();
  }
  wake_.notify_one();
  return done.get();
}

GroupWriter::Counts GroupWriter::counts() const {
  std::lock_guard lock(mutex_);
  return counts_;
}

void GroupWriter::Loop() {
  while (true) {
    Batch batch = Take();
    if (batch.empty()) {
      return;
    }
    std::vector<Status> outcomes = Run(batch);
    {
      std::lock_guard lock(mutex_);
      counts_.commits += 1;
      counts_.writes += static_cast<uint64_t>(
          std::count_if(outcomes.begin(), outcomes.end(), [](const Status& outcome) { return outcome.ok(); }));
    }
    for (size_t i = 0; i < batch.size(); ++i) {
      batch[i].done.set_value(std::move(outcomes[i]));
    }
  }
}

// Waits for work; an empty batch means the end.
GroupWriter::Batch GroupWriter::Take() {
  std::unique_lock lock(mutex_);
  wake_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
  Batch batch;
  while (!queue_.empty() && batch.size() < kMaxBatch) {
    batch.push_back(std::move(queue_.front()));
    queue_.pop_front();
  }
  return batch;
}

std::vector<Status> GroupWriter::Run(const Batch& batch) {
  std::vector<Status> outcomes(batch.size());
  // IMMEDIATE: wait for another program's lock here, where nothing is lost, and not in the middle of a work.
  if (Status begun = Execute(*session_, "BEGIN IMMEDIATE"); !begun.ok()) {
    FailAll(outcomes, begun.error());
    return outcomes;
  }
  for (size_t i = 0; i < batch.size(); ++i) {
    outcomes[i] = RunOne(*batch[i].work);
    if (!InTransaction(*session_)) {
      // SQLite gave the whole transaction up: nothing of this batch is in the database.
      const Error cause = outcomes[i].ok() ? Internal("catalogue: a work ended the transaction") : outcomes[i].error();
      FailAll(outcomes, cause);
      return outcomes;
    }
  }
  if (Status committed = Execute(*session_, "COMMIT"); !committed.ok()) {
    Rollback(*session_);
    FailAll(outcomes, committed.error());
  }
  return outcomes;
}

Status GroupWriter::RunOne(const Catalogue::Work& work) {
  ATELIER_TRY(Execute(*session_, "SAVEPOINT work"));
  Status outcome = Guard([&] { return work(*session_); });
  if (outcome.ok()) {
    outcome = Execute(*session_, "RELEASE work");
  }
  if (!outcome.ok() && InTransaction(*session_)) {
    const Status undone = Execute(*session_, "ROLLBACK TO work");
    const Status released = Execute(*session_, "RELEASE work");
    if (!undone.ok() || !released.ok()) {
      Rollback(*session_);  // better to lose the batch, unacknowledged, than to commit half a work
    }
  }
  return outcome;
}

}  // namespace atelier::storage::sqlite
