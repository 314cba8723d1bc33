#include "jobs/service.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <csignal>

#include "jobs/test_world.h"

namespace atelier::jobs {
namespace {

using JobsTest = World;

TEST_F(JobsTest, ASuccessIsCommittedOnceWithItsEvents) {
  Program(
      "event message '{\"level\":\"info\",\"message\":\"hello\"}'\n"
      "event progress '{\"stage\":\"import\",\"rows\":5}'\n"
      "echo to the log; echo and errors >&2\n"
      "event result '{\"value\":42}'\n");
  Start();
  const std::string id = Create({{"request", {{"family", "mlp"}}}, {"answer", 7}});
  const Job job = Final(id);
  ASSERT_EQ(job.state, State::kSucceeded) << (job.error ? job.error->message : "");
  EXPECT_EQ(GetInt(job.result, "value"), 42);
  EXPECT_EQ(GetInt(job.result, "version"), 1);  // added by the commit
  EXPECT_EQ(GetInt(job.progress, "rows"), 5);
  EXPECT_EQ(GetInt(job.spec, "answer"), 7);
  EXPECT_EQ(job.attempt, 1);
  EXPECT_GE(job.finished_ms, job.started_ms);
  EXPECT_EQ(Published(), 1);
  const auto events = AllEvents(id);
  ASSERT_EQ(events.size(), 5U);
  const std::array types{"state", "state", "message", "progress", "state"};
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(events[i].sequence, static_cast<int64_t>(i + 1));
    EXPECT_EQ(events[i].type, types[i]);
  }
  EXPECT_EQ(States(id), "queued running succeeded");
  EXPECT_EQ(*service_->Log(id, 1000), "to the log\nand errors\n");
  EXPECT_EQ(*service_->Log(id, 7), "errors\n");
}

TEST_F(JobsTest, TheProcessHasWhatItNeedsAndNothingElse) {
  options_.limits.threads = 3;
  Program(
      "cat \"$4/spec.json\"\n"
      "echo\n"
      "echo \"$1 $2 $3 $ATELIER_EVENT_FD $ATELIER_THREADS $(umask) $(nice)\"\n"
      "set -- $(cat /proc/$$/stat); echo \"$([ $1 = $5 ] && echo leads)\"\n"
      "event result '{\"value\":1}'\n"
      "exec ls /proc/self/fd\n");  // 5 is the folder that it lists
  Start();
  const int leaked = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  const std::string id = Create({{"answer", 7}});
  ASSERT_EQ(Final(id).state, State::kSucceeded);
  ::close(leaked);
  const std::string log = *service_->Log(id, 10'000);
  const auto spec = ParseJson(log.substr(0, log.find('\n')));
  ASSERT_TRUE(spec.ok()) << log;
  EXPECT_EQ(GetString(spec->get_object(), "kind"), "train");
  EXPECT_EQ(GetString(spec->get_object(), "id"), id);
  EXPECT_EQ(GetInt(spec->get_object(), "attempt"), 1);
  EXPECT_EQ(GetInt(spec->get_object(), "answer"), 7);
  const int niceness = std::min(19, ::getpriority(PRIO_PROCESS, 0) + 10);
  const std::string line = "job " + id + " --dir 3 3 0077 " + std::to_string(niceness) + "\n";
  EXPECT_NE(log.find(line), std::string::npos) << log;
  EXPECT_TRUE(log.ends_with("\nleads\n0\n1\n2\n3\n4\n5\n")) << log;
}

TEST_F(JobsTest, FailuresNameTheirCause) {
  struct Case {
    const char* body;
    const char* message;
  };
  const std::array cases{
      Case{"event error '{\"code\":\"invalid_argument\",\"message\":\"no column x\",\"param\":\"target\"}'; exit 1",
           "no column x"},
      Case{"echo one; echo the reason >&2; exit 3", "exit status 3 without an error report; last log line: the reason"},
      Case{"exit 0", "the process ended without a result"},
      Case{"kill -SEGV $$", "the process was ended by signal 11 (SIGSEGV)"},
      Case{"event result '{\"value\":-1}'", "negative values are not published"},
  };
  for (size_t i = 0; i < cases.size(); ++i) {
    Program(cases[i].body, "worker" + std::to_string(i));
  }
  Start();
  for (size_t i = 0; i < cases.size(); ++i) {
    const std::string id = Create({{"program", "worker" + std::to_string(i)}});
    const Job job = Final(id);
    EXPECT_EQ(job.state, State::kFailed);
    ASSERT_TRUE(job.error.has_value());
    EXPECT_EQ(job.error->message, cases[i].message);
    const auto events = AllEvents(id);
    EXPECT_EQ(GetString(events.back().data.at("error").as_object(), "message"), cases[i].message);
  }
  EXPECT_EQ(Published(), 0);  // a commit that refuses leaves nothing behind
}

TEST_F(JobsTest, AnSqlErrorInACommitFailsTheJob) {
  Program("event result '{\"value\":77}'");
  Start();
  const Job job = Final(Create());
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_NE(job.error->message.find("nowhere"), std::string::npos) << job.error->message;
  EXPECT_EQ(Published(), 0);
}

TEST_F(JobsTest, AMissingProgramFailsTheJob) {
  std::ofstream(folder_ / "broken") << "#!/no/such/interpreter\n";
  std::filesystem::permissions(folder_ / "broken", std::filesystem::perms::owner_all);
  Start();
  const std::string id = Create({{"program", "absent"}});
  const Job job = Final(id);
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.error->reason, "program_missing");
  EXPECT_EQ(job.attempt, 0);
  EXPECT_EQ(States(id), "queued failed");
  const Job broken = Final(Create({{"program", "broken"}}));
  EXPECT_EQ(broken.error->message, "the program broken cannot be started: No such file or directory");
  EXPECT_EQ(Final(Create({{"program", "../worker"}})).state, State::kFailed);
}

TEST_F(JobsTest, MemoryOfTheWholeGroupIsLimited) {
  options_.limits.memory_bytes = 100ULL << 20U;
  // `tail` must keep the line that does not end: 200 MB, in a child of the script.
  Program("(head -c 200000000 /dev/zero; sleep 60) | tail -n 1 >/dev/null\n");
  Start();
  const Job job = Final(Create());
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.error->reason, "memory_limit");
  EXPECT_TRUE(job.error->message.starts_with("killed: used 1") || job.error->message.starts_with("killed: used 2"));
  EXPECT_TRUE(job.error->message.ends_with(" MiB, the limit is 100 MiB")) << job.error->message;
}

TEST_F(JobsTest, TimeIsLimited) {
  options_.limits.time_ms = 300;
  Program("sleep 60\n");
  Start();
  const Job job = Final(Create());
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.error->code, Code::kDeadlineExceeded);
  EXPECT_EQ(job.error->message, "time limit of 0.3 s reached");
}

TEST_F(JobsTest, CancellingStopsRunningAndQueuedJobs) {
  Program("echo $$ > \"$4/pid\"; sleep 60 & echo $! > \"$4/child\"; wait\n");
  Start();
  const std::string running = Create();
  const std::string queued = Create();
  ASSERT_TRUE(Eventually([&] { return !ReadFile(folder_ / "jobs" / running / "child").empty(); }));
  const auto cancelled = service_->Cancel(queued);
  ASSERT_TRUE(cancelled.ok());
  EXPECT_EQ(cancelled->state, State::kCancelled);
  EXPECT_EQ(States(queued), "queued cancelled");
  const auto asked = service_->Cancel(running);
  ASSERT_TRUE(asked.ok());
  EXPECT_TRUE(asked->cancel_requested);
  const Job job = Final(running);
  EXPECT_EQ(job.state, State::kCancelled);
  EXPECT_FALSE(job.error.has_value());
  std::string child = ReadFile(folder_ / "jobs" / running / "child");
  child.pop_back();
  EXPECT_TRUE(Eventually([&] { return !Alive(child); }));  // the whole group is gone
  EXPECT_EQ(service_->Cancel(running).error().reason, "job_finished");
  EXPECT_EQ(service_->Cancel("job_x").error().reason, "job_not_found");
}

TEST_F(JobsTest, ACancelledJobNeverSucceeds) {
  // Notices the signal and finishes all the same.
  Program("trap 'event result \"{\\\"value\\\":1}\"; exit 0' TERM; touch \"$4/ready\"; while :; do sleep 0.05; done\n");
  Start();
  const std::string id = Create();
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(folder_ / "jobs" / id / "ready"); }));
  ASSERT_TRUE(service_->Cancel(id).ok());
  EXPECT_EQ(Final(id).state, State::kCancelled);
  EXPECT_EQ(Published(), 0);
}

TEST_F(JobsTest, AProcessThatIgnoresTheSignalIsKilled) {
  Program("trap '' TERM; touch \"$4/ready\"; while :; do sleep 0.05; done\n");
  Start();
  const std::string id = Create();
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(folder_ / "jobs" / id / "ready"); }));
  const auto before = std::chrono::steady_clock::now();
  ASSERT_TRUE(service_->Cancel(id).ok());
  EXPECT_EQ(Final(id).state, State::kCancelled);
  const auto took = std::chrono::steady_clock::now() - before;
  EXPECT_GE(took, std::chrono::milliseconds(4900));
}

TEST_F(JobsTest, TheQueueIsBounded) {
  options_.limits.queued = 2;
  Program("sleep 60\n");
  Start();
  const std::string running = Create();
  ASSERT_TRUE(Becomes(running, State::kRunning));
  Create();
  const std::string second = Create();
  const auto refused = service_->Create("train", {});
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::kResourceExhausted);
  EXPECT_EQ(refused.error().reason, "queue_full");
  ASSERT_TRUE(service_->Cancel(second).ok());
  Create();
  EXPECT_EQ(service_->Resume(second).error().reason, "queue_full");
  EXPECT_EQ(Get(second).state, State::kCancelled);  // the refusal changed nothing
  EXPECT_EQ(service_->Create("dance", {}).error().code, Code::kInvalidArgument);
}

TEST_F(JobsTest, JobsRunInOrderOfCreationUpToTheLimit) {
  options_.limits.running = 2;
  Program(
      "echo $2 >> \"$4/../order\"; while [ ! -e \"$4/../go\" ]; do sleep 0.02; done; event result '{\"value\":1}'\n");
  Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(Create());
  }
  ASSERT_TRUE(Becomes(ids[1], State::kRunning));
  EXPECT_EQ(Get(ids[0]).state, State::kRunning);
  EXPECT_EQ(Get(ids[2]).state, State::kQueued);
  std::ofstream(folder_ / "jobs" / "go") << "1";
  for (const auto& id : ids) {
    EXPECT_EQ(Final(id).state, State::kSucceeded);
  }
  for (size_t i = 1; i < ids.size(); ++i) {
    EXPECT_LE(Get(ids[i - 1]).started_ms, Get(ids[i]).started_ms);
  }
  EXPECT_EQ(Published(), 5);
}

TEST_F(JobsTest, AFailedJobResumesFromItsCheckpoint) {
  Program(
      "mkdir -p \"$4/checkpoint\"\n"
      "if [ -e \"$4/checkpoint/half\" ]; then event result '{\"value\":2}'; exit 0; fi\n"
      "touch \"$4/checkpoint/half\"; exit 1\n");
  Start();
  const std::string id = Create();
  EXPECT_EQ(Final(id).state, State::kFailed);
  const auto resumed = service_->Resume(id);
  ASSERT_TRUE(resumed.ok());
  EXPECT_EQ(resumed->state, State::kQueued);
  EXPECT_FALSE(resumed->error.has_value());
  const Job job = Final(id);
  EXPECT_EQ(job.state, State::kSucceeded);
  EXPECT_EQ(job.attempt, 2);
  EXPECT_EQ(States(id), "queued running failed queued running succeeded");
  EXPECT_EQ(service_->Resume(id).error().code, Code::kFailedPrecondition);
}

TEST_F(JobsTest, ThousandsOfEventsAreKeptInOrder) {
  Program(
      "i=0; while [ $i -lt 3000 ]; do i=$((i+1)); event message "
      "\"{\\\"level\\\":\\\"info\\\",\\\"message\\\":\\\"$i\\\"}\"\n"
      "event progress \"{\\\"stage\\\":\\\"train\\\",\\\"step\\\":$i}\"; done\n"
      "event result '{\"value\":1}'\n");
  Start();
  std::atomic<int> told{0};
  const uint64_t token = service_->Subscribe([&](const std::string&) { ++told; });
  const std::string id = Create();
  const Job job = Final(id);
  ASSERT_EQ(job.state, State::kSucceeded);
  EXPECT_EQ(GetInt(job.progress, "step"), 3000);
  int messages = 0;
  int64_t sequence = 0;
  for (const Event& event : AllEvents(id)) {
    EXPECT_EQ(event.sequence, ++sequence);
    if (event.type == "message") {
      EXPECT_EQ(GetString(event.data, "message"), std::to_string(++messages));
    }
  }
  EXPECT_EQ(messages, 3000);
  EXPECT_TRUE(Eventually([&] { return told.load() >= 3; }));
  service_->Unsubscribe(token);
  const int before = told.load();
  Final(Create());
  EXPECT_EQ(told.load(), before);
}

TEST_F(JobsTest, AnOversizeLineKillsTheProcess) {
  Program("head -c 1100000 /dev/zero | tr '\\0' a >&3; sleep 60\n");
  Start();
  const Job job = Final(Create());
  EXPECT_EQ(job.state, State::kFailed);
  EXPECT_EQ(job.error->message, "killed: the process wrote an event longer than 1048576 bytes");
}

TEST_F(JobsTest, ListsPageAndFilter) {
  Program("event result '{\"value\":1}'\n");
  Start();
  std::vector<std::string> ids;
  for (int i = 0; i < 5; ++i) {
    ids.push_back(Create());
    Final(ids.back());
  }
  bool more = false;
  auto page = service_->List({.limit = 2}, more);
  ASSERT_TRUE(page.ok());
  ASSERT_EQ(page->size(), 2U);
  EXPECT_TRUE(more);
  EXPECT_EQ((*page)[0].id, ids[4]);
  page = service_->List({.after = ids[1], .limit = 10, .descending = false}, more);
  ASSERT_EQ(page->size(), 3U);
  EXPECT_FALSE(more);
  EXPECT_EQ((*page)[0].id, ids[2]);
  EXPECT_EQ(service_->List({.kind = "evaluate"}, more)->size(), 0U);
  EXPECT_EQ(service_->List({.state = "succeeded"}, more)->size(), 5U);
  EXPECT_EQ(service_->List({.state = "done"}, more).error().code, Code::kInvalidArgument);
  EXPECT_EQ(service_->List({.after = "job_x"}, more).error().param, "after");
}

}  // namespace
}  // namespace atelier::jobs
