// The manager over real worker processes: this test program again, told to be a worker.
#include "serving/manager.h"

#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <fstream>
#include <future>
#include <thread>

#include "serving/testing/manager_fixture.h"
#include "serving/worker_host.h"

namespace atelier::serving {
namespace {

namespace fs = std::filesystem;

using testing::Pair;
using testing::WaitFor;

// The stand-in of `atelier-torch worker`. Its model is a file with what to answer, or how to fail.
TEST(FakeWorkerProcess, DISABLED_Run) {
  const char* command_line = std::getenv("ATELIER_FAKE_WORKER");
  ASSERT_NE(command_line, nullptr) << "only the manager's tests start this one";
  auto flags = testing::FlagsOf(command_line);
  WorkerOptions options;
  options.socket_path = flags["--socket"];
  options.batch = {std::stoi(flags["--max-batch"]), std::stoi(flags["--max-delay-us"]),
                   std::stoi(flags["--max-queue"])};
  const int status = RunWorker(options, [&]() -> Result<std::unique_ptr<Predictor>> {
    std::string behaviour;
    std::ifstream(fs::path(flags["--model"]) / "config.json") >> behaviour;
    if (behaviour == "broken") {
      return DataLoss("the weights are torn");
    }
    if (behaviour == "kills_itself") {
      kill(getpid(), SIGKILL);
    }
    if (behaviour == "never_loads") {
      std::this_thread::sleep_for(std::chrono::hours(1));
    }
    testing::FakeBehaviour fake{.constant = std::stof(behaviour), .compute_us = 1000};
    return std::unique_ptr<Predictor>(std::make_unique<testing::FakePredictor>(fake));
  });
  _exit(status);
}

class ManagerTest : public testing::ManagerTest {};

TEST_F(ManagerTest, BecomesReadyAnswersAndStops) {
  Wish("digits", {{1, 100, "5"}});
  Start();
  const auto early = Send("digits").get();
  ASSERT_FALSE(early.ok());
  EXPECT_EQ(early.error().reason, "model_loading");
  EXPECT_EQ(early.error().retry_after_s, 1);
  ASSERT_TRUE(WaitFor([&] { return Ready("digits"); }));
  for (const std::string name : {"digits", "model-of-digits", "model-of-digits@1", "model-of-digits@latest"}) {
    const auto answer = Send(name).get();
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->answers, (std::vector<Answer>{{.values = {5, 3}}}));
    EXPECT_EQ(answer->deployment, "digits");
    EXPECT_EQ(answer->model_version, 1);
    EXPECT_EQ(answer->signature->family, "fake");
    EXPECT_GE(answer->worker_ns, answer->compute_ns);
  }
  EXPECT_EQ(Send("absent").get().error().reason, "model_not_found");
  EXPECT_EQ(Send("digits", 1, 0).get().error().code, Code::kDeadlineExceeded);
  EXPECT_EQ(manager_->GetStatus("dep_digits")->deployment.name, "digits");
  EXPECT_EQ(manager_->GetStatus("absent").error().reason, "deployment_not_found");

  EXPECT_TRUE(WaitFor([&] {
    return metrics_.Render().find("nv_inference_exec_count{model=\"digits\",version=\"1\"} 4") != std::string::npos;
  })) << metrics_.Render();
  EXPECT_NE(metrics_.Render().find("nv_inference_request_success{model=\"digits\",version=\"1\"} 4"),
            std::string::npos);

  const int64_t pid = Worker("digits").pid;
  ASSERT_GT(pid, 0);
  manager_->Stop();
  EXPECT_NE(kill(static_cast<pid_t>(pid), 0), 0) << "the worker has ended";
  EXPECT_EQ(Send("digits").get().error().reason, "stopping");
}

TEST_F(ManagerTest, RestartsAWorkerThatCrashed) {
  Wish("digits", {{1, 100, "5"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Ready("digits"); }));
  const int64_t pid = Worker("digits").pid;
  const auto crashed = Send("digits", testing::kCrash).get();
  ASSERT_FALSE(crashed.ok());
  EXPECT_EQ(crashed.error().code, Code::kUnavailable);
  EXPECT_EQ(crashed.error().reason, "worker_crashed");
  ASSERT_TRUE(WaitFor([&] { return Worker("digits").restarts == 1 && Ready("digits"); }));
  EXPECT_NE(Worker("digits").pid, pid);
  EXPECT_NE(Worker("digits").error.find("exit status 3"), std::string::npos) << Worker("digits").error;
  EXPECT_TRUE(Send("digits").get().ok());
}

TEST_F(ManagerTest, KillsAndRestartsAWorkerThatIsStuck) {
  options_.stuck_after_ms = 400;
  Wish("digits", {{1, 100, "5"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Ready("digits"); }));
  const auto stuck = Send("digits", testing::kHang).get();
  ASSERT_FALSE(stuck.ok());
  EXPECT_EQ(stuck.error().reason, "worker_crashed");
  ASSERT_TRUE(WaitFor([&] { return Worker("digits").restarts == 1 && Ready("digits"); }));
  EXPECT_NE(Worker("digits").error.find("no progress"), std::string::npos) << Worker("digits").error;
  EXPECT_TRUE(Send("digits").get().ok());
}

TEST_F(ManagerTest, ShowsWhyAModelCannotBeLoadedAndGoesOnTrying) {
  Wish("broken", {{1, 100, "broken"}});
  Wish("killed", {{1, 100, "kills_itself"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Worker("broken").restarts >= 2 && Worker("killed").restarts >= 2; }));
  EXPECT_EQ(Worker("broken").state, WorkerState::kFailed);
  EXPECT_NE(Worker("broken").error.find("exit status 1"), std::string::npos) << Worker("broken").error;
  EXPECT_NE(Worker("broken").error.find("the weights are torn"), std::string::npos) << Worker("broken").error;
  EXPECT_NE(Worker("killed").error.find("signal 9"), std::string::npos) << Worker("killed").error;
  EXPECT_EQ(Send("broken").get().error().reason, "model_loading");
  EXPECT_FALSE(Ready("broken"));
}

TEST_F(ManagerTest, SplitsTrafficByWeight) {
  Wish("digits", {{1, 75, "1"}, {2, 25, "2"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Ready("digits"); }));
  std::vector<std::future<Result<PredictAnswer>>> answers;
  for (int i = 0; i < 400; ++i) {
    answers.push_back(Send("digits"));
  }
  int second = 0;
  for (auto& future : answers) {
    const auto answer = future.get();
    ASSERT_TRUE(answer.ok()) << answer.error().message;
    EXPECT_EQ(answer->answers[0].values[0], static_cast<float>(answer->model_version));
    second += answer->model_version == 2 ? 1 : 0;
  }
  EXPECT_GT(second, 60);
  EXPECT_LT(second, 140);
  EXPECT_EQ(Send("model-of-digits@2").get()->model_version, 2);
}

TEST_F(ManagerTest, ANewVersionTakesOverWithoutAFailedRequest) {
  Wish("digits", {{1, 100, "1"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Ready("digits"); }));
  const int64_t old_pid = Worker("digits").pid;
  std::atomic<bool> stop = false;
  std::atomic<int> failures = 0;
  std::thread traffic([&] {
    while (!stop) {
      failures += Send("digits").get().ok() ? 0 : 1;
    }
  });
  Wish("digits", {{2, 100, "2"}});
  EXPECT_TRUE(WaitFor([&] {
    const auto answer = Send("digits").get();
    return answer.ok() && answer->model_version == 2;
  }));
  EXPECT_TRUE(WaitFor([&] { return manager_->GetStatus("digits")->workers.size() == 1; })) << "the old one has drained";
  stop = true;
  traffic.join();
  EXPECT_EQ(failures, 0);
  EXPECT_NE(kill(static_cast<pid_t>(old_pid), 0), 0);
}

TEST_F(ManagerTest, ABrokenNewVersionDoesNotReplaceAGoodOne) {
  Wish("digits", {{1, 100, "1"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Ready("digits"); }));
  const int64_t pid = Worker("digits").pid;
  Wish("digits", {{2, 100, "broken"}});
  ASSERT_TRUE(WaitFor([&] { return Worker("digits").state == WorkerState::kFailed; }));
  EXPECT_FALSE(Ready("digits"));
  EXPECT_EQ(Send("digits").get()->model_version, 1);
  EXPECT_EQ(Send("model-of-digits@2").get().error().reason, "model_loading");
  Wish("digits", {{1, 100, "1"}});  // the rollback
  EXPECT_TRUE(WaitFor([&] { return Ready("digits") && manager_->GetStatus("digits")->workers.size() == 1; }));
  EXPECT_EQ(Worker("digits").pid, pid) << "the same worker all the time";
}

TEST_F(ManagerTest, AnUndeployedModelIsGoneAndAPendingLoadEnds) {
  Wish("digits", {{1, 100, "1"}});
  Wish("slow", {{1, 100, "never_loads"}});
  Start();
  ASSERT_TRUE(WaitFor([&] { return Ready("digits") && Worker("slow").pid > 0; }));
  const int64_t pid = Worker("slow").pid;
  wishes_.With([](auto& wishes) { wishes.clear(); });
  ASSERT_TRUE(manager_->Reconcile().ok());
  EXPECT_EQ(Send("digits").get().error().reason, "model_not_found");
  EXPECT_TRUE(manager_->All().empty());
  EXPECT_TRUE(WaitFor([&] { return kill(static_cast<pid_t>(pid), 0) != 0; }));
}

TEST_F(ManagerTest, ReportsAMissingProgramAndAMissingBlob) {
  fs::remove(options_.program_dir / "atelier-torch");
  Wish("digits", {{1, 100, "1"}});
  Wish("lost", {{1, 100, "1"}});
  wishes_.With([](auto& wishes) { wishes["lost"].versions[0].files["config.json"].sha256 = std::string(64, 'a'); });
  Start();
  ASSERT_TRUE(WaitFor([&] { return Worker("digits").restarts > 0 && Worker("lost").restarts > 0; }));
  EXPECT_NE(Worker("digits").error.find("cannot be started"), std::string::npos) << Worker("digits").error;
  EXPECT_NE(Worker("lost").error.find("config.json"), std::string::npos) << Worker("lost").error;
}

}  // namespace
}  // namespace atelier::serving
