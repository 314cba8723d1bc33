// What survives when the gateway stops, or is killed.
#include <sys/wait.h>

#include <csignal>

#include "jobs/folder.h"
#include "jobs/process.h"
#include "jobs/test_world.h"

namespace atelier::jobs {
namespace {

class RecoveryTest : public World {
 protected:
  // Runs a service with one job in a process of its own, and kills that once `ready` holds.
  std::string KillGatewayWhen(const std::function<bool(const std::filesystem::path& folder)>& ready) {
    std::array<int, 2> pipe{};
    EXPECT_EQ(::pipe(pipe.data()), 0);
    const pid_t gateway = ::fork();
    if (gateway == 0) {
      Start();
      const std::string id = Create();
      if (::write(pipe[1], id.data(), id.size()) < 0) {
        ::_exit(1);
      }
      while (true) {
        ::pause();
      }
    }
    std::array<char, 64> text{};
    const ssize_t n = ::read(pipe[0], text.data(), text.size());
    const std::string id(text.data(), n > 0 ? static_cast<size_t>(n) : 0);
    EXPECT_TRUE(Eventually([&] { return ready(folder_ / "jobs" / id); }));
    ::kill(gateway, SIGKILL);
    ::waitpid(gateway, nullptr, 0);
    ::close(pipe[0]);
    ::close(pipe[1]);
    return id;
  }
  std::string Pid(const std::filesystem::path& file) {
    std::string text = ReadFile(file);
    return text.substr(0, text.find('\n'));
  }
};

TEST_F(RecoveryTest, AKilledGatewayTakesItsJobsWithItAndTheNextOneFinishesThem) {
  // The first attempt leaves a child behind that nobody kills: it still holds the lock.
  Program(
      "if [ -e \"$4/first\" ]; then event result '{\"value\":5}'; exit 0; fi\n"
      "sleep 300 & echo $! > \"$4/child\"; echo $$ > \"$4/first\"; wait\n");
  const std::string id = KillGatewayWhen([&](const auto& folder) { return !Pid(folder / "first").empty(); });
  const std::string process = Pid(folder_ / "jobs" / id / "first");
  const std::string child = Pid(folder_ / "jobs" / id / "child");
  EXPECT_TRUE(Eventually([&] { return !Alive(process); }, 2000));
  EXPECT_TRUE(Alive(child));
  Start();
  const Job job = Final(id);
  EXPECT_EQ(job.state, State::kSucceeded) << (job.error ? job.error->message : "");
  EXPECT_EQ(job.attempt, 2);
  EXPECT_EQ(States(id), "queued running queued running succeeded");
  EXPECT_EQ(Published(), 1);
  EXPECT_FALSE(Alive(child));
}

TEST_F(RecoveryTest, KilledAtAnyMomentAResultIsPublishedOnce) {
  Program("touch \"$4/begun\"; event result '{\"value\":5}'\n");
  for (int round = 0; round < 8; ++round) {
    const std::string id = KillGatewayWhen([&](const auto& folder) {
      // Somewhere between the beginning of the process and the commit of its result, or just after it.
      return std::filesystem::exists(folder / "begun") &&
             (std::this_thread::sleep_for(std::chrono::milliseconds(3 * round)), true);
    });
    Start();
    EXPECT_EQ(Final(id).state, State::kSucceeded);
    EXPECT_EQ(Published(), round + 1);
    service_.reset();
    catalogue_.reset();
  }
}

TEST_F(RecoveryTest, StoppingKeepsTheJobForTheNextStart) {
  Program(
      "if [ -e \"$4/stopped\" ]; then event result '{\"value\":1}'; exit 0; fi\n"
      "trap 'touch \"$4/stopped\"; event error \"{\\\"code\\\":\\\"cancelled\\\",\\\"message\\\":\\\"stop\\\"}\"; exit "
      "2' TERM\n"
      "touch \"$4/ready\"; while :; do sleep 0.05; done\n");
  Start();
  const std::string id = Create();
  ASSERT_TRUE(Eventually([&] { return std::filesystem::exists(folder_ / "jobs" / id / "ready"); }));
  service_->Stop();
  service_->Stop();
  EXPECT_EQ(Get(id).state, State::kRunning);
  EXPECT_TRUE(std::filesystem::exists(folder_ / "jobs" / id / "stopped"));
  service_.reset();
  Start();
  EXPECT_EQ(Final(id).state, State::kSucceeded);
  EXPECT_EQ(Get(id).attempt, 2);
}

TEST_F(RecoveryTest, ACancellationOutlivesTheGateway) {
  Program("trap '' TERM; touch \"$4/ready\"; while :; do sleep 0.05; done\n");
  const std::string id = KillGatewayWhen([&](const auto& folder) { return std::filesystem::exists(folder / "ready"); });
  ASSERT_TRUE(OpenCatalogue().ok());
  ASSERT_TRUE(catalogue_
                  ->Write([&](soci::session& session) -> Status {
                    session << "UPDATE jobs SET cancel_requested = 1 WHERE id = :id", soci::use(id, "id");
                    return {};
                  })
                  .ok());
  Start();
  EXPECT_EQ(Get(id).state, State::kCancelled);
}

TEST_F(RecoveryTest, AJobWaitsWhileAnOldProcessHoldsItsLock) {
  Program("event result '{\"value\":1}'\n");
  Start();
  service_->Stop();  // nothing runs yet
  const std::string id = Create();
  service_.reset();
  std::filesystem::create_directories(folder_ / "jobs" / id);
  // Held by this very process, which is never killed for it.
  auto lock = LockFolder(folder_ / "jobs" / id);
  ASSERT_TRUE(lock.ok());
  Start();
  std::this_thread::sleep_for(std::chrono::milliseconds(600));
  EXPECT_EQ(Get(id).state, State::kQueued);
  *lock = storage::FileDescriptor();
  EXPECT_EQ(Final(id).state, State::kSucceeded);
}

}  // namespace
}  // namespace atelier::jobs
