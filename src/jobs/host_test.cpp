#include "jobs/host.h"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <cmath>
#include <csignal>
#include <fstream>
#include <limits>

#include "base/json.h"
#include "jobs/events.h"

namespace atelier::jobs {
namespace {

// A folder with a specification and the gateway's end of the pipe.
class HostTest : public testing::Test {
 protected:
  HostTest() : folder_(std::filesystem::path(testing::TempDir()) / ("host." + std::to_string(::getpid()))) {
    std::filesystem::create_directories(folder_);
    Spec(R"({"kind":"train","id":"job_1","attempt":1,"epochs":3})");
    EXPECT_EQ(::pipe(pipe_.data()), 0);
    ::fcntl(pipe_[0], F_SETFL, O_NONBLOCK);
    ::fcntl(pipe_[1], F_SETPIPE_SZ, 1 << 20);
    ::setenv("ATELIER_EVENT_FD", std::to_string(pipe_[1]).c_str(), 1);
    ::setenv("ATELIER_THREADS", "3", 1);
  }
  ~HostTest() override {
    ::close(pipe_[0]);
    ::close(pipe_[1]);
    std::filesystem::remove_all(folder_);
  }
  void Spec(const std::string& text) { std::ofstream(folder_ / "spec.json") << text; }

  int Run(const Body& body) {
    return RunJob(folder_, [&](const std::string& kind) -> Result<Body> {
      if (kind != "train") {
        return NotFound("no kind " + kind);
      }
      return body;
    });
  }
  // What the gateway would make of the output so far.
  Batch Read() {
    std::string text(1 << 20, '\0');
    const ssize_t n = ::read(pipe_[0], text.data(), text.size());
    Batch batch;
    EXPECT_TRUE(stream_.Feed({text.data(), n > 0 ? static_cast<size_t>(n) : 0}, {}).ok());
    stream_.Finish({});
    stream_.Collect({}, batch);
    return batch;
  }

  std::filesystem::path folder_;
  std::array<int, 2> pipe_{};
  EventStream stream_;
};

TEST_F(HostTest, ASuccessReportsItsResult) {
  const int status = Run([](Host& host) -> Result<json::object> {
    EXPECT_EQ(host.threads(), 3);
    EXPECT_EQ(GetInt(host.spec(), "epochs"), 3);
    EXPECT_FALSE(host.cancelled());
    host.Message("info", "line\nwith \x1b controls");
    host.Progress({{"stage", "epoch"}, {"loss", std::numeric_limits<double>::quiet_NaN()}, {"all", {1.0, INFINITY}}});
    return json::object{{"accuracy", 0.5}};
  });
  EXPECT_EQ(status, 0);
  const Batch batch = Read();
  ASSERT_EQ(batch.events.size(), 2U);
  EXPECT_EQ(GetString(batch.events[0].data, "message"), "line\nwith \\x1b controls");
  EXPECT_EQ(json::serialize(batch.events[1].data), R"({"stage":"epoch","loss":null,"all":[1E0,null]})");
  ASSERT_TRUE(stream_.result().has_value());
  EXPECT_EQ(GetNumber(*stream_.result(), "accuracy"), 0.5);
}

TEST_F(HostTest, ErrorsAndExceptionsAreReported) {
  EXPECT_EQ(Run([](Host&) -> Result<json::object> { return InvalidArgument("bad", "layers[1]"); }), 1);
  Read();
  EXPECT_EQ(stream_.error()->param, "layers[1]");
  EXPECT_EQ(Run([](Host&) -> Result<json::object> { throw std::runtime_error("shape mismatch"); }), 1);
  Read();
  EXPECT_EQ(stream_.error()->message, "shape mismatch");
  EXPECT_EQ(Run([](Host&) -> Result<json::object> { throw std::bad_alloc(); }), 1);
  Read();
  EXPECT_EQ(stream_.error()->reason, "out_of_memory");
  EXPECT_EQ(Run([](Host&) -> Result<json::object> { return json::object{{"x", std::string(2 << 20, 'x')}}; }), 1);
  Read();
  EXPECT_EQ(stream_.error()->reason, "result_too_large");
  EXPECT_FALSE(stream_.result().has_value());
}

TEST_F(HostTest, AnUnreadableSpecificationIsAnError) {
  const auto nothing = [](Host&) -> Result<json::object> { return json::object(); };
  Spec(R"({"kind":"dance"})");
  EXPECT_EQ(Run(nothing), 1);
  Read();
  EXPECT_EQ(stream_.error()->message, "no kind dance");
  Spec("{");
  EXPECT_EQ(Run(nothing), 1);
  std::filesystem::remove(folder_ / "spec.json");
  EXPECT_EQ(Run(nothing), 1);
  Read();
  EXPECT_EQ(stream_.error()->code, Code::kNotFound);
}

TEST_F(HostTest, AGatewayThatIsGoneKillsNobody) {
  ::close(pipe_[0]);
  EXPECT_EQ(Run([](Host& host) -> Result<json::object> {
              host.Message("info", "into the void");
              return json::object();
            }),
            0);
  pipe_[0] = ::open("/dev/null", O_RDONLY);
}

// In a child, since a cancellation cannot be taken back.
TEST_F(HostTest, SigtermCancels) {
  EXPECT_EXIT(
      {
        const int status = Run([](Host& host) -> Result<json::object> {
          ::raise(SIGTERM);
          if (!host.cancelled()) {
            return Internal("not noticed");
          }
          return MakeError(Code::kCancelled, "stopped");
        });
        ::_exit(status);
      },
      testing::ExitedWithCode(2), "");
}

}  // namespace
}  // namespace atelier::jobs
