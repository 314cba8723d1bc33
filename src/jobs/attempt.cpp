#include "jobs/attempt.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>

#include "base/process.h"
#include "base/processors.h"
#include "jobs/folder.h"
#include "jobs/log_file.h"

namespace atelier::jobs {
namespace {

constexpr int64_t kGraceMs = 5000;  // between SIGTERM and SIGKILL
constexpr int64_t kLogMaxBytes = 64LL << 20;
constexpr int64_t kLogKeepBytes = 1LL << 20;
constexpr int kNice = 10;  // answers come before jobs
constexpr int kOomScoreAdjust = 500;
constexpr size_t kReadBytes = 256U << 10U;  // at a time, so that one job does not starve the others
constexpr size_t kDrainBytes = 16U << 20U;  // more than a pipe holds: ends even if something still writes

std::string Threads(const Limits& limits) {
  const int all = static_cast<int>(UsableProcessors());
  return std::to_string(limits.threads > 0 ? limits.threads : all);
}

Error NoPipe() { return storage::FileError(errno, "create", "a job's event pipe"); }

}  // namespace

Attempt::Attempt(const Job& job, std::filesystem::path log_path, Moment now)
    : job_id_(job.id),
      kind_(job.kind),
      number_(job.attempt),
      log_path_(std::move(log_path)),
      started_ms_(now.steady_ms),
      memory_(-1) {}

Result<std::unique_ptr<Attempt>> Attempt::Start(const Job& job, const Options& options,
                                                const std::filesystem::path& program, storage::FileDescriptor lock,
                                                Moment now) {
  const std::filesystem::path folder = JobFolder(options.data_dir, job.id);
  std::unique_ptr<Attempt> attempt(new Attempt(job, folder / "log.txt", now));
  ATELIER_ASSIGN(log, OpenLog(folder));
  struct stat info {};
  if (::fstat(log.get(), &info) == 0) {
    attempt->log_start_ = info.st_size;
  }
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) {
    return NoPipe();
  }
  attempt->events_ = storage::FileDescriptor(ends[0]);
  const storage::FileDescriptor write_end(ends[1]);
  // Only our end: the process's writes must wait, not fail.
  if (::fcntl(ends[0], F_SETFL, O_NONBLOCK) != 0) {
    return NoPipe();
  }
  const ProcessPlan plan{
      .program = program,
      .arguments = {"job", job.id, "--dir", folder.string()},
      .environment = {{"ATELIER_EVENT_FD", std::to_string(kEventFd)}, {"ATELIER_THREADS", Threads(options.limits)}},
      .descriptors = {{STDOUT_FILENO, log.get()},
                      {STDERR_FILENO, log.get()},
                      {kEventFd, write_end.get()},
                      {kLockFd, lock.get()}},
      .nice = kNice,
      .oom_score_adjust = kOomScoreAdjust};
  ATELIER_ASSIGN(pid, StartProcess(plan));
  attempt->pid_ = pid;
  attempt->memory_ = GroupMemory(pid);
  attempt->log_ = std::move(log);
  attempt->pidfd_ = storage::FileDescriptor(static_cast<int>(::syscall(SYS_pidfd_open, pid, 0)));
  return attempt;
}

std::unique_ptr<Attempt> Attempt::Stillborn(const Job& job, const Error& error, Moment now) {
  std::unique_ptr<Attempt> attempt(new Attempt(job, {}, now));
  attempt->exited_ = true;
  attempt->ending_.reported = error;
  return attempt;
}

Attempt::~Attempt() {
  if (pid_ > 0 && !exited_) {
    Kill();
    while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
    }
  }
}

void Attempt::Kill() const { ::kill(-pid_, SIGKILL); }

void Attempt::ReadEvents(Moment now) { Drain(kReadBytes, now); }

void Attempt::Drain(size_t max_bytes, Moment now) {
  std::array<char, 65536> buffer;  // NOLINT: filled by read
  size_t total = 0;
  while (events_.valid() && total < max_bytes) {
    const ssize_t n = ::read(events_.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0 && errno == EAGAIN) {
      return;
    }
    if (n <= 0) {
      events_ = storage::FileDescriptor();
      return;
    }
    total += static_cast<size_t>(n);
    if (const Status fed = stream_.Feed({buffer.data(), static_cast<size_t>(n)}, now); !fed.ok()) {
      events_ = storage::FileDescriptor();
      ending_.cause = StopCause::kProtocol;
      ending_.violation = fed.error().message;
      Kill();
      return;
    }
    stream_.Collect(now, batch_);
  }
}

void Attempt::Tick(Moment now, const Limits& limits) {
  if (exited_) {
    return;
  }
  if (kill_at_ms_ >= 0 && now.steady_ms >= kill_at_ms_) {
    Kill();
  }
  TrimLog();
  if (ending_.cause != StopCause::kNone && ending_.cause != StopCause::kTime) {
    return;
  }
  const uint64_t resident = memory_.ResidentBytes(now.steady_ms);
  const StopCause exceeded = CheckLimits(resident, now.steady_ms - started_ms_, limits);
  if (exceeded == StopCause::kMemory) {
    // At once: a process that is asked first goes on growing.
    ending_.cause = exceeded;
    ending_.resident_bytes = resident;
    Kill();
  } else if (exceeded == StopCause::kTime) {
    Stop(exceeded, now);
  }
}

void Attempt::TrimLog() {
  if (jobs::TrimLog(log_.get(), kLogMaxBytes, kLogKeepBytes)) {
    log_start_ = 0;
  }
}

void Attempt::Stop(StopCause cause, Moment now) {
  if (exited_ || ending_.cause != StopCause::kNone) {
    return;
  }
  ending_.cause = cause;
  kill_at_ms_ = now.steady_ms + kGraceMs;
  ::kill(-pid_, SIGTERM);
}

bool Attempt::Reap(Moment now) {
  if (exited_) {
    return true;
  }
  siginfo_t info{};
  const int found = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  if (found == 0 && info.si_pid == 0) {
    return false;
  }
  if (found != 0 && errno == EINTR) {
    return false;
  }
  // The leader is still a zombie here, so its number cannot be another's: the group is killed before it is reaped.
  Kill();
  Drain(kDrainBytes, now);
  int status = 0;
  pid_t reaped = 0;
  do {
    reaped = ::waitpid(pid_, &status, 0);
  } while (reaped < 0 && errno == EINTR);
  if (reaped == pid_) {
    ending_.wait_status = status;
  }
  exited_ = true;
  events_ = storage::FileDescriptor();
  stream_.Finish(now);
  stream_.Collect(now, batch_);
  return true;
}

const Batch& Attempt::Due(Moment now) {
  stream_.Collect(now, batch_);
  return batch_;
}

Finish Attempt::Ended(const Limits& limits) {
  ending_.has_result = stream_.result().has_value();
  if (stream_.error()) {
    ending_.reported = stream_.error();
  }
  ending_.last_log_line = LastLogLine(log_path_, log_start_);
  Finish finish;
  finish.id = job_id_;
  finish.attempt = number_;
  finish.batch = batch_;
  finish.verdict = Judge(ending_, limits);
  finish.result = stream_.result().value_or(boost::json::object());
  return finish;
}

}  // namespace atelier::jobs
