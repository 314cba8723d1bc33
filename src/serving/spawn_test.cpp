#include "serving/spawn.h"

#include <gtest/gtest.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fstream>

#include "base/process.h"
#include "serving/testing/fake_predictor.h"

namespace atelier::serving {
namespace {

class SpawnTest : public ::testing::Test {
 protected:
  Result<pid_t> Shell(const std::string& script) {
    return StartProcess({.program = "/bin/sh", .arguments = {"-c", script}});
  }
  std::string HowItEnds(pid_t pid) {
    std::optional<std::string> how;
    testing::WaitFor([&] { return (how = Reap(pid)).has_value(); });
    return how.value_or("it runs");
  }

  testing::TempDir dir_;
  std::filesystem::path log_ = dir_.path() / "logs" / "worker.log";
};

TEST_F(SpawnTest, TellsHowAChildEnded) {
  EXPECT_EQ(HowItEnds(*Shell("exit 7")), "exit status 7");
  const auto pid = Shell("sleep 60");
  EXPECT_FALSE(Reap(*pid).has_value());
  EXPECT_EQ(getpgid(*pid), *pid) << "a process group of its own";
  kill(*pid, SIGKILL);
  EXPECT_EQ(HowItEnds(*pid), "signal 9 (Killed)");
}

TEST_F(SpawnTest, SetsALongLogAside) {
  EXPECT_TRUE(OpenWorkerLog(log_)->valid());
  std::filesystem::resize_file(log_, (16U << 20U) + 1);
  EXPECT_TRUE(OpenWorkerLog(log_)->valid());
  EXPECT_EQ(std::filesystem::file_size(log_), 0U);
  EXPECT_TRUE(std::filesystem::exists(log_.string() + ".1"));
}

TEST_F(SpawnTest, FindsTheLastLineOfALog) {
  EXPECT_EQ(LastLogLine(log_), "");
  std::filesystem::create_directories(log_.parent_path());
  std::ofstream(log_) << std::string(20000, 'x') << "\nplain words\n\n";
  EXPECT_EQ(LastLogLine(log_), "plain words");
  std::ofstream(log_, std::ios::app) << R"({"level":"error","message":"cannot load","error":"no such layer"})"
                                     << "\n";
  EXPECT_EQ(LastLogLine(log_), "cannot load: no such layer");
  std::ofstream(log_, std::ios::app) << "bad \xff bytes";
  EXPECT_EQ(LastLogLine(log_), "bad ");
}

TEST(SocketFolder, StaysShortAndPrivate) {
  testing::TempDir dir;
  const auto near = SocketFolder::Open(dir.path());
  ASSERT_TRUE(near.ok());
  EXPECT_EQ(near->PathOf("abc"), (dir.path() / "run" / "w-abc.sock").string());

  std::filesystem::path far_folder;
  {
    const auto far = SocketFolder::Open(dir.path() / std::string(120, 'd'));
    ASSERT_TRUE(far.ok());
    const std::filesystem::path socket = far->PathOf("0123456789ab");
    EXPECT_LT(socket.string().size(), 108U);
    far_folder = socket.parent_path();
    struct stat info {};
    ASSERT_EQ(stat(far_folder.c_str(), &info), 0);
    EXPECT_EQ(info.st_mode & 0777U, 0700U);
  }
  EXPECT_FALSE(std::filesystem::exists(far_folder));
}

}  // namespace
}  // namespace atelier::serving
