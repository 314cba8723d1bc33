#include "serving/worker_process.h"

#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdlib>
#include <mutex>
#include <thread>
#include <utility>

#include "base/log.h"

namespace atelier::serving {
namespace {

// Turns SIGTERM and SIGINT into a call of `notify` on a thread of its own. Created before any other thread, so that
// all inherit the blocked signals.
class Termination {
 public:
  Termination() : stop_fd_(eventfd(0, EFD_CLOEXEC)) {
    sigset_t signals;
    sigemptyset(&signals);
    sigaddset(&signals, SIGTERM);
    sigaddset(&signals, SIGINT);
    pthread_sigmask(SIG_BLOCK, &signals, nullptr);
    signal_fd_ = signalfd(-1, &signals, SFD_CLOEXEC);
  }
  ~Termination() {
    if (thread_.joinable()) {
      eventfd_write(stop_fd_, 1);
      thread_.join();
    }
    close(stop_fd_);
    close(signal_fd_);
  }
  Termination(const Termination&) = delete;
  Termination& operator=(const Termination&) = delete;

  void Watch(std::function<void()> notify) {
    thread_ = std::thread([this, notify = std::move(notify)] {
      pollfd watched[2] = {{signal_fd_, POLLIN, 0}, {stop_fd_, POLLIN, 0}};
      while (poll(watched, 2, -1) < 0) {
      }
      if ((watched[0].revents & POLLIN) != 0) {
        notify();
      }
    });
  }

 private:
  int signal_fd_ = -1;
  int stop_fd_ = -1;
  std::thread thread_;
};

// A flag that one thread waits for and any may raise.
class Event {
 public:
  void Raise() {
    std::lock_guard lock(mutex_);
    raised_ = true;
    changed_.notify_all();
  }
  void Wait() {
    std::unique_lock lock(mutex_);
    changed_.wait(lock, [this] { return raised_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

}  // namespace

int RunWorkerProcess(const std::string& socket_path, WorkerBase& service, const std::function<Status()>& load) {
  Event ended;
  service.OnDrained([&ended] { ended.Raise(); });
  std::atomic<bool> loaded = false;
  Termination termination;
  termination.Watch([&] {
    if (!loaded) {
      // Loading cannot be interrupted, and there is nothing yet to finish.
      unlink(socket_path.c_str());
      std::_Exit(0);
    }
    service.Drain([&ended] { ended.Raise(); });
  });
  auto server = Listen(socket_path, service);
  if (!server.ok()) {
    LogError("the worker cannot listen", {{"error", server.error().message}});
    return 1;
  }
  int exit_status = 0;
  if (const Status status = load(); status.ok()) {
    loaded = true;
    LogInfo("the worker is ready", {{"socket", std::string_view(socket_path)}});
    ended.Wait();
  } else {
    LogError("the model cannot be loaded", {{"error", status.error().message}});
    exit_status = 1;
  }
  // Lets the last answers leave.
  (*server)->Shutdown(std::chrono::system_clock::now() + std::chrono::seconds(5));
  unlink(socket_path.c_str());
  return exit_status;
}

}  // namespace atelier::serving
