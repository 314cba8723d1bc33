#include "jobs/host.h"

#include <fcntl.h>
#include <unistd.h>

#include <atomic>
#include <cerrno>
#include <charconv>
#include <cmath>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <mutex>
#include <new>

#include "base/ids.h"
#include "base/json.h"
#include "base/processors.h"
#include "jobs/error_json.h"
#include "jobs/log_file.h"

namespace atelier::jobs {
namespace {

constexpr size_t kLineBytes = 1U << 20U;      // what the gateway accepts
constexpr size_t kMessageBytes = 64U << 10U;  // of one message's text
constexpr size_t kSpecBytes = 256U << 20U;

constexpr int kSuccess = 0;
constexpr int kFailure = 1;
constexpr int kCancelled = 2;

// A signal handler reaches nothing but globals; this is the process's only one.
std::atomic<bool> g_terminate{false};
static_assert(std::atomic<bool>::is_always_lock_free);

void OnTerminate(int /*signal*/) { g_terminate.store(true, std::memory_order_relaxed); }

void TakeOverSignals() {
  struct sigaction action {};
  action.sa_handler = OnTerminate;
  action.sa_flags = SA_RESTART;
  ::sigaction(SIGTERM, &action, nullptr);
  action.sa_handler = SIG_IGN;  // a gateway that is gone must show as EPIPE, not as a death
  action.sa_flags = 0;
  ::sigaction(SIGPIPE, &action, nullptr);
}

// A positive whole number from the environment, or the fallback.
int EnvironmentInt(const char* name, int fallback) {
  const char* text = std::getenv(name);
  if (text == nullptr) {
    return fallback;
  }
  int value = 0;
  const char* end = text + std::strlen(text);
  const auto [rest, error] = std::from_chars(text, end, value);
  return error == std::errc() && rest == end && value > 0 ? value : fallback;
}

// JSON has no infinity and no NaN; a diverged loss must not make the line unreadable.
void ReplaceNonFinite(json::value& value) {
  if (auto* number = value.if_double(); number != nullptr && !std::isfinite(*number)) {
    value = nullptr;
  } else if (auto* object = value.if_object(); object != nullptr) {
    for (auto& member : *object) {
      ReplaceNonFinite(member.value());
    }
  } else if (auto* array = value.if_array(); array != nullptr) {
    for (auto& item : *array) {
      ReplaceNonFinite(item);
    }
  }
}

// The pipe to the gateway; standard output where there is none, so that a job can be run by hand. Thread-safe.
class Channel {
 public:
  Channel() : fd_(EnvironmentInt("ATELIER_EVENT_FD", STDOUT_FILENO)) {
    if (fd_ != STDOUT_FILENO) {
      ::fcntl(fd_, F_SETFD, FD_CLOEXEC);  // programs that the job starts have nothing to say here
    }
  }

  // Whether the line fits the protocol. A gateway that is gone is not an error: the job is about to die with it.
  bool Send(std::string_view type, json::object data) {
    json::value event = json::object{{"type", type}, {"data", std::move(data)}};
    ReplaceNonFinite(event);
    std::string line = json::serialize(event);
    if (line.size() > kLineBytes) {
      return false;
    }
    line += '\n';
    const std::lock_guard lock(mutex_);
    std::string_view rest = line;
    while (!rest.empty()) {
      const ssize_t n = ::write(fd_, rest.data(), rest.size());
      if (n < 0 && errno == EINTR) {
        continue;
      }
      if (n < 0) {
        return true;
      }
      rest.remove_prefix(static_cast<size_t>(n));
    }
    return true;
  }

  void SendError(Error error) {
    error.message = EscapeControls(std::string_view(error.message).substr(0, kMessageBytes));
    std::fprintf(stderr, "error: %s\n", error.message.c_str());
    Send("error", ErrorToJson(error));
  }

 private:
  int fd_;
  std::mutex mutex_;
};

Result<json::object> ReadSpec(const std::filesystem::path& directory) {
  std::ifstream file(directory / "spec.json", std::ios::binary);
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  if (!file) {
    return NotFound("the job's folder has no readable spec.json");
  }
  ATELIER_ASSIGN(value, ParseJson(text, {.max_bytes = kSpecBytes}));
  if (!value.is_object()) {
    return InvalidArgument("spec.json is not an object");
  }
  return std::move(value.get_object());
}

class ProcessHost final : public Host {
 public:
  ProcessHost(std::filesystem::path directory, json::object spec)
      : directory_(std::move(directory)),
        spec_(std::move(spec)),
        threads_(EnvironmentInt("ATELIER_THREADS", static_cast<int>(UsableProcessors()))) {}

  const json::object& spec() const override { return spec_; }
  const std::filesystem::path& directory() const override { return directory_; }
  int threads() const override { return threads_; }
  bool cancelled() const override { return g_terminate.load(std::memory_order_relaxed); }

  void Progress(json::object data) override {
    if (!channel_.Send("progress", std::move(data))) {
      Message("warning", "a progress event was too large to be sent");
    }
  }

  void Message(std::string_view level, std::string_view text) override {
    channel_.Send("message", {{"level", EscapeControls(level.substr(0, 32))},
                              {"message", EscapeControls(text.substr(0, kMessageBytes))}});
  }

  Channel& channel() { return channel_; }

 private:
  std::filesystem::path directory_;
  json::object spec_;
  int threads_;
  Channel channel_;
};

Result<std::unique_ptr<ProcessHost>> OpenProcessHost(const std::filesystem::path& directory) {
  TakeOverSignals();
  ATELIER_ASSIGN(spec, ReadSpec(directory));
  return std::make_unique<ProcessHost>(directory, std::move(spec));
}

// Exceptions stop here: nothing above could do better than report them.
Result<json::object> RunBody(Host& host, const std::function<Result<Body>(const std::string&)>& find) {
  try {
    ATELIER_ASSIGN(body, find(GetString(host.spec(), "kind")));
    return body(host);
  } catch (const std::bad_alloc&) {
    return MakeError(Code::kResourceExhausted, "out of memory", "out_of_memory");
  } catch (const std::exception& exception) {
    return Internal(exception.what());
  } catch (...) {
    return Internal("an unknown exception");
  }
}

}  // namespace

Result<std::unique_ptr<Host>> Host::Open(const std::filesystem::path& directory) {
  ATELIER_ASSIGN(host, OpenProcessHost(directory));
  return std::unique_ptr<Host>(std::move(host));
}

int RunJob(const std::filesystem::path& directory, const std::function<Result<Body>(const std::string& kind)>& find) {
  auto host = OpenProcessHost(directory);
  if (!host.ok()) {
    Channel().SendError(host.error());
    return kFailure;
  }
  Channel& channel = (*host)->channel();
  auto result = RunBody(**host, find);
  if (!result.ok()) {
    const bool stopped = result.error().code == Code::kCancelled && (*host)->cancelled();
    channel.SendError(std::move(result).error());
    return stopped ? kCancelled : kFailure;
  }
  if (!channel.Send("result", std::move(result).value())) {
    channel.SendError(MakeError(Code::kOutOfRange, "the job's result is larger than 1 MiB", "result_too_large"));
    return kFailure;
  }
  return kSuccess;
}

}  // namespace atelier::jobs
