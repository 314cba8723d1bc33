#include "jobs/supervisor.h"

#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <limits>
#include <utility>

#include "base/log.h"
#include "jobs/folder.h"
#include "jobs/process.h"

namespace atelier::jobs {
namespace {

constexpr int kTickMs = 250;
constexpr int64_t kSaveEveryMs = 100;  // events gather, so that a talkative job does not cost an fsync a line
constexpr size_t kSaveAtOnce = 512;
constexpr int64_t kRetryMs = 1000;
constexpr size_t kBriefJobs = 2;  // of brief kinds, beside the others

Result<storage::FileDescriptor> NewWake() {
  storage::FileDescriptor wake(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  if (!wake.valid()) {
    return storage::FileError(errno, "create", "the supervisor's wake-up");
  }
  return wake;
}

}  // namespace

Supervisor::Supervisor(Surroundings surroundings, std::map<std::string, Kind> kinds, Options options)
    : store_(surroundings.store),
      clock_(surroundings.clock),
      kinds_(std::move(kinds)),
      options_(std::move(options)),
      listeners_(surroundings.listeners),
      parents_({store_, clock_, kinds_, listeners_, std::move(surroundings.new_id)}) {
  for (const auto& [name, kind] : kinds_) {
    if (kind.brief) {
      brief_kinds_ += (brief_kinds_.empty() ? "'" : ", '") + name + "'";
    }
  }
  brief_kinds_ = brief_kinds_.empty() ? "''" : brief_kinds_;
}

Status Supervisor::Start() {
  ATELIER_ASSIGN(wake, NewWake());
  wake_ = std::move(wake);
  try {
    thread_ = std::thread([this] { Loop(); });
  } catch (const std::system_error& error) {
    return Internal(std::string("the supervisor cannot be started: ") + error.what());
  }
  return {};
}

void Supervisor::Wake() {
  const uint64_t one = 1;
  [[maybe_unused]] const ssize_t n = ::write(wake_.get(), &one, sizeof one);  // full means awake already
}

void Supervisor::Changed(const std::string& id) {
  inbox_.With([&](Inbox& inbox) { inbox.changed.push_back(id); });
  Wake();
}

void Supervisor::RequestCancel(const std::string& id) {
  inbox_.With([&](Inbox& inbox) { inbox.cancels.push_back(id); });
  Wake();
}

void Supervisor::Stop() {
  const std::lock_guard lock(stop_mutex_);
  if (!thread_.joinable()) {
    return;
  }
  inbox_.With([](Inbox& inbox) { inbox.stop = true; });
  Wake();
  thread_.join();
}

Moment Supervisor::Now() const { return {clock_.UnixMs(), clock_.MonotonicNs() / 1'000'000}; }

void Supervisor::Loop() {
  while (true) {
    TakeInbox();
    StartQueued();
    for (auto& attempt : attempts_) {
      attempt->Tick(Now(), options_.limits);
      if (attempt->Reap(Now())) {
        saved_ms_.erase(attempt->job_id());  // Settle stores the rest
      } else {
        SaveEvents(*attempt);
      }
    }
    std::erase_if(attempts_, [this](auto& attempt) { return attempt->exited() && Settle(*attempt); });
    AdvanceParents();
    if (stopping_ && attempts_.empty()) {
      return;
    }
    Wait();
  }
}

int Supervisor::Timeout() const {
  if (attempts_.empty() && !look_at_queue_) {
    return look_again_ms_ >= 0 ? kTickMs : -1;
  }
  int64_t timeout = look_at_queue_ && !stopping_ && Places(false) > 0 ? 0 : kTickMs;
  const int64_t now = Now().steady_ms;
  for (const auto& [id, saved] : saved_ms_) {
    timeout = std::min(timeout, std::max<int64_t>(saved + kSaveEveryMs - now, 1));
  }
  return static_cast<int>(timeout);
}

void Supervisor::Wait() {
  std::vector<pollfd> polled{{wake_.get(), POLLIN, 0}};
  for (const auto& attempt : attempts_) {
    polled.push_back({attempt->event_fd(), POLLIN, 0});  // poll skips negative ones
    polled.push_back({attempt->exit_fd(), POLLIN, 0});
  }
  if (::poll(polled.data(), polled.size(), Timeout()) <= 0) {
    return;
  }
  uint64_t count = 0;
  [[maybe_unused]] const ssize_t n = ::read(wake_.get(), &count, sizeof count);
  for (size_t i = 0; i < attempts_.size(); ++i) {
    if (polled[1 + 2 * i].revents != 0) {
      attempts_[i]->ReadEvents(Now());
    }
  }
}

void Supervisor::TakeInbox() {
  const Inbox inbox = inbox_.With([](Inbox& current) { return std::exchange(current, Inbox{{}, {}, current.stop}); });
  look_at_queue_ = look_at_queue_ || !inbox.changed.empty();
  look_at_parents_ = look_at_parents_ || !inbox.changed.empty() || !inbox.cancels.empty();
  for (const std::string& id : inbox.changed) {
    listeners_.Tell(id);
  }
  for (const std::string& id : inbox.cancels) {
    StopAttempt(id, StopCause::kCancel);
  }
  stopping_ = inbox.stop;
  for (auto& attempt : attempts_) {
    if (stopping_) {
      attempt->Stop(StopCause::kShutdown, Now());
    }
  }
}

void Supervisor::StopAttempt(const std::string& id, StopCause cause) {
  for (auto& attempt : attempts_) {
    if (attempt->job_id() == id) {
      attempt->Stop(cause, Now());
    }
  }
}

void Supervisor::AdvanceParents() {
  if (!look_at_parents_ || stopping_ || parents_.empty()) {
    return;
  }
  std::vector<std::string> stop;
  const auto created = parents_.Advance(stop);
  for (const std::string& id : stop) {
    StopAttempt(id, StopCause::kCancel);
  }
  if (!created.ok()) {
    LogWarning("jobs that consist of others cannot go on", {{"error", created.error().message}});
    look_again_ms_ = Now().steady_ms + kRetryMs;
    return;
  }
  look_at_parents_ = false;
  look_at_queue_ = look_at_queue_ || *created;
}

size_t Supervisor::Places(bool brief) const {
  const auto running = static_cast<size_t>(std::max(options_.limits.running, 0));
  const size_t all = brief ? std::min(running, kBriefJobs) : running;
  const auto used = static_cast<size_t>(std::ranges::count_if(attempts_, [&](const auto& attempt) {
    const auto kind = kinds_.find(attempt->kind());
    return (kind != kinds_.end() && kind->second.brief) == brief;
  }));
  return all - std::min(used, all);
}

void Supervisor::StartQueued() {
  const bool again = look_again_ms_ >= 0 && Now().steady_ms >= look_again_ms_;
  if (stopping_ || Places(false) + Places(true) == 0 || !(look_at_queue_ || again)) {
    return;
  }
  look_at_queue_ = false;
  look_again_ms_ = -1;
  StartQueued(true);
  StartQueued(false);
}

void Supervisor::StartQueued(bool brief) {
  // A few more than there are places: a job whose old process still dies must not hold up the others.
  constexpr size_t kSpare = 16;
  const size_t places = Places(brief);
  if (places == 0) {
    return;
  }
  const auto ids =
      store_.Queued(static_cast<int>(places + kSpare), brief ? Store::Of::kThese : Store::Of::kOthers, brief_kinds_);
  if (!ids.ok()) {
    LogWarning("the job queue cannot be read", {{"error", ids.error().message}});
    look_again_ms_ = Now().steady_ms + kRetryMs;
    return;
  }
  for (const std::string& id : *ids) {
    if (Places(brief) == 0) {
      return;
    }
    const Launched launched = Launch(id);
    if (launched == Launched::kLater) {
      look_again_ms_ = Now().steady_ms + kTickMs;
    } else {
      look_at_queue_ = look_at_queue_ || launched == Launched::kNo;
      listeners_.Tell(id);
    }
  }
}

Supervisor::Launched Supervisor::Refuse(const std::string& id, const Error& error) {
  const Status failed = store_.MarkFailed(id, error);
  look_at_parents_ = true;
  // Somebody cancelled it meanwhile: just as well. Else the catalogue is in trouble, and the job waits.
  return failed.ok() || failed.error().code == Code::kFailedPrecondition ? Launched::kNo : Launched::kLater;
}

Supervisor::Launched Supervisor::Launch(const std::string& id) {
  const auto job = store_.Get(id);
  if (!job.ok()) {
    return Launched::kLater;
  }
  if (job->state != State::kQueued) {
    return Launched::kNo;
  }
  const auto kind = kinds_.find(job->kind);
  if (kind == kinds_.end()) {
    return Refuse(
        id, FailedPrecondition("this version of the program has no job kind '" + job->kind + "'", "unknown_kind"));
  }
  return Launch(kind->second, *job);
}

Supervisor::Launched Supervisor::Launch(const Kind& kind, const Job& job) {
  const std::string& id = job.id;
  if (kind.advance) {
    return LaunchParent(id);
  }
  const auto program = Program(kind, job);
  if (!program.ok()) {
    return Refuse(id, program.error());
  }
  const Status prepared = PrepareFolder(JobFolder(options_.data_dir, id), job, job.attempt + 1);
  if (!prepared.ok()) {
    return Refuse(id, prepared.error());
  }
  auto lock = Lock(id);
  if (!lock.ok()) {
    return lock.error().reason == "job_locked" ? Launched::kLater : Refuse(id, lock.error());
  }
  const auto started = store_.MarkStarted(id);
  if (!started.ok()) {
    return started.error().code == Code::kFailedPrecondition ? Launched::kNo : Launched::kLater;
  }
  auto attempt = Attempt::Start(*started, options_, *program, std::move(*lock), Now());
  attempts_.push_back(attempt.ok() ? std::move(*attempt) : Attempt::Stillborn(*started, attempt.error(), Now()));
  return Launched::kYes;
}

Supervisor::Launched Supervisor::LaunchParent(const std::string& id) {
  const auto started = store_.MarkStarted(id);
  if (!started.ok()) {
    return started.error().code == Code::kFailedPrecondition ? Launched::kNo : Launched::kLater;
  }
  parents_.Add(id);
  look_at_parents_ = true;
  return Launched::kNo;  // it takes no place
}

Result<std::filesystem::path> Supervisor::Program(const Kind& kind, const Job& job) const {
  std::string name;
  try {
    name = kind.program(job.spec);
  } catch (const std::exception& error) {
    return Internal("the job kind '" + kind.name + "' cannot tell its program: " + error.what());
  }
  if (name.empty() || name.find('/') != std::string::npos) {
    return Internal("the job kind '" + kind.name + "' names no program");
  }
  const std::filesystem::path program = std::filesystem::absolute(options_.program_dir / name);
  if (::access(program.c_str(), X_OK) != 0) {
    return FailedPrecondition("the program " + program.string() + " is missing or cannot be executed",
                              "program_missing");
  }
  return program;
}

Result<storage::FileDescriptor> Supervisor::Lock(const std::string& id) {
  const std::filesystem::path folder = JobFolder(options_.data_dir, id);
  auto lock = LockFolder(folder);
  if (!lock.ok() && lock.error().reason == "job_locked") {
    const int killed = KillLockHolders(folder / "lock");
    if (killed > 0 || warned_.insert(id).second) {
      LogWarning("a process of an earlier attempt still lives",
                 {{"job", id}, {"killed", static_cast<int64_t>(killed)}});
    }
  }
  if (lock.ok()) {
    warned_.erase(id);
  }
  return lock;
}

void Supervisor::SaveEvents(Attempt& attempt) {
  const Moment now = Now();
  const std::string& id = attempt.job_id();
  const Batch& batch = attempt.Due(now);
  if (batch.empty()) {
    saved_ms_.erase(id);
    return;
  }
  const auto saved = saved_ms_.try_emplace(id, now.steady_ms).first;
  const bool due = now.steady_ms - saved->second >= kSaveEveryMs || batch.events.size() >= kSaveAtOnce;
  const auto retry = retry_ms_.find(id);
  if (!due || (retry != retry_ms_.end() && now.steady_ms < retry->second)) {
    return;
  }
  if (const Status stored = store_.Append(id, batch); !stored.ok()) {
    LogWarning("a job's events cannot be stored", {{"job", id}, {"error", stored.error().message}});
    retry_ms_[id] = saved->second = now.steady_ms + kRetryMs;
    return;
  }
  attempt.Stored();
  retry_ms_.erase(id);
  saved_ms_.erase(id);
  listeners_.Tell(id);
}

// Writes down how an attempt ended; whether nothing is left to do for it.
bool Supervisor::Settle(Attempt& attempt) {
  const std::string id = attempt.job_id();
  const Moment now = Now();
  if (const auto retry = retry_ms_.find(id); retry != retry_ms_.end() && now.steady_ms < retry->second && !stopping_) {
    return false;
  }
  const Finish finish = attempt.Ended(options_.limits);
  Status settled;
  if (finish.verdict.state == State::kRunning) {
    settled = attempt.Due(now).empty() ? Status() : store_.Append(id, attempt.Due(now));
  } else {
    settled = store_.End(finish, kinds_.at(attempt.kind()));
  }
  if (!settled.ok()) {
    LogError("a job's end cannot be stored", {{"job", id}, {"error", settled.error().message}});
    // Given up where it makes no sense to go on; the row says `running`, so the next start takes the job up again.
    if (!stopping_ && settled.error().code != Code::kAborted) {
      retry_ms_[id] = now.steady_ms + kRetryMs;
      return false;
    }
  }
  retry_ms_.erase(id);
  saved_ms_.erase(id);
  look_at_queue_ = true;
  look_at_parents_ = true;
  listeners_.Tell(id);
  return true;
}

}  // namespace atelier::jobs
