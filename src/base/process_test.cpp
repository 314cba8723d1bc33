#include "base/process.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <csignal>
#include <cstdlib>
#include <string>

namespace atelier {
namespace {

// What the child writes to its standard output and error.
std::string Output(ProcessPlan plan) {
  std::array<int, 2> ends{};
  EXPECT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  plan.descriptors[STDOUT_FILENO] = ends[1];
  plan.descriptors[STDERR_FILENO] = ends[1];
  const auto pid = StartProcess(plan);
  ::close(ends[1]);
  EXPECT_TRUE(pid.ok()) << pid.error().message;
  std::string text;
  std::array<char, 4096> buffer{};
  ssize_t n = 0;
  while ((n = ::read(ends[0], buffer.data(), buffer.size())) > 0) {
    text.append(buffer.data(), static_cast<size_t>(n));
  }
  ::close(ends[0]);
  ::waitpid(*pid, nullptr, 0);
  return text;
}

std::string Shell(const std::string& script, ProcessPlan plan = {}) {
  plan.program = "/bin/sh";
  plan.arguments = {"-c", script};
  return Output(std::move(plan));
}

TEST(Process, GivesItsChildACleanPlace) {
  const int leaked = ::open("/dev/null", O_RDONLY);  // without close-on-exec
  // ls has one more open: the folder that it lists.
  EXPECT_EQ(Shell("ls /proc/self/fd | tr '\\n' ' '; umask; ulimit -c; cat"), "0 1 2 3 0077\n0\n");
  ::close(leaked);
  EXPECT_EQ(Shell("set -- $(cat /proc/$$/stat); [ $1 = $5 ] && echo leads"), "leads\n");
  EXPECT_EQ(Shell("cat /proc/self/oom_score_adj", {.oom_score_adjust = 321}), "321\n");
}

TEST(Process, HandsDescriptorsOverUnderTheNumbersAskedFor) {
  std::array<int, 2> ends{};
  ASSERT_EQ(::pipe2(ends.data(), O_CLOEXEC), 0);
  ASSERT_EQ(::write(ends[1], "passed on", 9), 9);
  ::close(ends[1]);
  EXPECT_EQ(Shell("cat <&7; ls /proc/self/fd | tr '\\n' ' '", {.descriptors = {{7, ends[0]}}}), "passed on0 1 2 3 7 ");
  ::close(ends[0]);
}

TEST(Process, PassesTheEnvironmentButNoKeyOfTheApi) {
  ::setenv("ATELIER_API_KEY", "secret", 1);
  ::setenv("ATELIER_PROCESS_TEST", "ours", 1);
  const std::string script = "echo $ATELIER_PROCESS_TEST key=$ATELIER_API_KEY spin=$GOMP_SPINCOUNT";
  EXPECT_EQ(Shell(script), "ours key= spin=1000\n");
  EXPECT_EQ(Shell(script, {.environment = {{"ATELIER_PROCESS_TEST", "its own"}}}), "its own key= spin=1000\n");
  ::setenv("GOMP_SPINCOUNT", "5", 1);
  EXPECT_EQ(Shell(script), "ours key= spin=5\n");
  ::unsetenv("GOMP_SPINCOUNT");
  ::unsetenv("ATELIER_API_KEY");
}

TEST(Process, RunsItsChildWithNoSignalIgnoredOrBlocked) {
  struct sigaction ignore {};
  struct sigaction before {};
  ignore.sa_handler = SIG_IGN;
  ::sigaction(SIGUSR1, &ignore, &before);
  EXPECT_EQ(Shell("grep -E 'Sig(Blk|Ign)' /proc/self/status | tr -d '\\n\\t'"),
            "SigBlk:0000000000000000SigIgn:0000000000000000");
  ::sigaction(SIGUSR1, &before, nullptr);
}

TEST(Process, SaysWhatCannotBeStarted) {
  const auto pid = StartProcess({.program = "/absent/program"});
  ASSERT_FALSE(pid.ok());
  EXPECT_EQ(pid.error().message, "the program program cannot be started: No such file or directory");
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a child is left";
}

}  // namespace
}  // namespace atelier
