#include "api/server.h"

#include <algorithm>
#include <atomic>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ip/v6_only.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <chrono>
#include <condition_variable>
#include <mutex>
#include <set>
#include <thread>

#include "api/app.h"
#include "api/http/connection.h"
#include "api/openai/eval_run.h"
#include "base/ids.h"
#include "base/log.h"
#include "base/processors.h"

namespace atelier::api {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;

constexpr int kMaxRefusing = 256;
std::string BusyAnswer(Rng& rng) {
  static const std::string kBody =
      R"({"error":{"message":"too many connections","type":"service_unavailable_error","param":null,"code":"overloaded"}})";
  return "HTTP/1.1 503 Service Unavailable\r\nServer: atelier\r\nx-request-id: " + NewId("req_", rng) +
         "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(kBody.size()) +
         "\r\nRetry-After: 1\r\nConnection: close\r\n\r\n" + kBody;
}

int IoThreads(int wanted) {
  const int cores = static_cast<int>(UsableProcessors());
  return wanted > 0 ? wanted : std::clamp(cores, 1, 8);
}

// Numbers threads may wait on.
class OpenCount {
 public:
  void Add(int change) {
    std::lock_guard lock(mutex_);
    count_ += change;
    if (count_ == 0) {
      zero_.notify_all();
    }
  }
  bool WaitForZero(std::chrono::milliseconds limit) {
    std::unique_lock lock(mutex_);
    return zero_.wait_for(lock, limit, [this] { return count_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable zero_;
  int count_ = 0;
};

// One io thread and the connections that live on it.
struct Loop {
  asio::io_context io{1};
  asio::executor_work_guard<asio::io_context::executor_type> work{io.get_executor()};
  std::set<http::Connection*> connections;  // touched on this loop's thread only
};

class BeastServer final : public Server {
 public:
  BeastServer(Services services, Options options)
      : app_(std::move(services), options), loops_(static_cast<size_t>(IoThreads(options.io_threads))) {}
  ~BeastServer() override { Stop(); }

  Status Listen();
  uint16_t port() const override { return port_; }
  void Stop() override;

 private:
  Status Bind(const tcp::endpoint& endpoint);
  asio::awaitable<void> Accept(tcp::acceptor& acceptor);
  asio::awaitable<void> Run(Loop& loop, tcp::socket socket);
  asio::awaitable<void> Refuse(tcp::socket socket);
  void ForConnections(void (http::Connection::*what)());

  App app_;
  std::vector<Loop> loops_;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors_;  // on the first loop
  std::vector<std::jthread> threads_;
  uint16_t port_ = 0;
  size_t next_loop_ = 0;
  std::atomic<int> serving_{0};
  std::atomic<int> refusing_{0};
  std::atomic<bool> stopping_{false};
  OpenCount open_;  // coroutines of connections
  bool stopped_ = false;
};

Status BeastServer::Bind(const tcp::endpoint& endpoint) {
  auto acceptor = std::make_unique<tcp::acceptor>(loops_.front().io);
  boost::system::error_code error;
  acceptor->open(endpoint.protocol(), error);
  if (!error) {
    acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  }
  if (!error && endpoint.address().is_v6()) {
    acceptor->set_option(asio::ip::v6_only(true), error);
  }
  if (!error) {
    acceptor->bind(endpoint, error);
  }
  if (!error) {
    acceptor->listen(1024, error);
  }
  if (error) {
    return Unavailable("cannot listen on port " + std::to_string(endpoint.port()) + ": " + error.message(),
                       "bind_failed");
  }
  port_ = acceptor->local_endpoint().port();
  acceptors_.push_back(std::move(acceptor));
  return {};
}

Status BeastServer::Listen() {
  boost::system::error_code error;
  tcp::resolver resolver(loops_.front().io);
  const auto found = resolver.resolve(app_.options().host, "", tcp::resolver::passive, error);
  if (error || found.empty()) {
    return InvalidArgument("the host '" + app_.options().host + "' is not an address of this machine", "host");
  }
  port_ = app_.options().port;
  std::set<asio::ip::address> bound;
  Status last;
  for (const auto& entry : found) {
    if (bound.insert(entry.endpoint().address()).second) {
      auto status = Bind({entry.endpoint().address(), port_});
      last = status.ok() ? last : status;
    }
  }
  // A name may also stand for an address family that the machine lacks: one that works is enough.
  if (acceptors_.empty()) {
    return last;
  }
  for (const auto& acceptor : acceptors_) {
    asio::co_spawn(loops_.front().io, Accept(*acceptor), asio::detached);
  }
  for (auto& loop : loops_) {
    threads_.emplace_back([&loop] { loop.io.run(); });
  }
  return {};
}

asio::awaitable<void> BeastServer::Accept(tcp::acceptor& acceptor) {
  asio::steady_timer pause(acceptor.get_executor());
  while (!stopping_) {
    Loop& loop = loops_[next_loop_++ % loops_.size()];
    boost::system::error_code error;
    tcp::socket socket = co_await acceptor.async_accept(loop.io, asio::redirect_error(asio::use_awaitable, error));
    if (stopping_) {
      break;
    }
    if (error) {
      // Out of descriptors, most likely: trying again at once would only spin.
      pause.expires_after(std::chrono::milliseconds(100));
      co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, error));
      continue;
    }
    const bool full = serving_ >= app_.options().limits.connections;
    if (full && refusing_ >= kMaxRefusing) {
      continue;
    }
    (full ? refusing_ : serving_)++;
    open_.Add(1);
    asio::co_spawn(loop.io, full ? Refuse(std::move(socket)) : Run(loop, std::move(socket)), asio::detached);
  }
}

asio::awaitable<void> BeastServer::Run(Loop& loop, tcp::socket socket) {
  const auto connection = std::make_shared<http::Connection>(std::move(socket), app_);
  loop.connections.insert(connection.get());
  app_.connections().Increment();
  if (stopping_) {
    connection->Drain();
  }
  try {
    co_await connection->Run();
  } catch (const std::exception& exception) {
    LogError("a connection failed", {{"error", std::string_view(exception.what())}});
  }
  loop.connections.erase(connection.get());
  app_.connections().Decrement();
  serving_--;
  open_.Add(-1);
}

asio::awaitable<void> BeastServer::Refuse(tcp::socket socket) {
  boost::beast::tcp_stream stream(std::move(socket));
  boost::system::error_code error;
  stream.expires_after(std::chrono::seconds(1));
  const std::string answer = BusyAnswer(app_.services().rng);
  co_await asio::async_write(stream, asio::buffer(answer), asio::redirect_error(asio::use_awaitable, error));
  stream.socket().shutdown(tcp::socket::shutdown_send, error);
  char trash[2048];
  while (!error) {  // until the client has read the answer and closes, or the second is over
    co_await stream.async_read_some(asio::buffer(trash), asio::redirect_error(asio::use_awaitable, error));
  }
  stream.close();
  refusing_--;
  open_.Add(-1);
}

void BeastServer::ForConnections(void (http::Connection::*what)()) {
  for (auto& loop : loops_) {
    asio::post(loop.io, [&loop, what] {
      for (auto* connection : loop.connections) {
        (connection->*what)();
      }
    });
  }
}

void BeastServer::Stop() {
  if (std::exchange(stopped_, true)) {
    return;
  }
  stopping_ = true;
  asio::post(loops_.front().io, [this] {
    for (auto& acceptor : acceptors_) {
      acceptor->close();
    }
  });
  if (!threads_.empty()) {
    ForConnections(&http::Connection::Drain);
    if (!open_.WaitForZero(std::chrono::milliseconds(app_.options().limits.drain_ms))) {
      // What they wait for inside has deadlines of its own.
      do {
        ForConnections(&http::Connection::Abort);
      } while (!open_.WaitForZero(std::chrono::seconds(1)));
    }
  }
  for (auto& loop : loops_) {
    loop.work.reset();
  }
  threads_.clear();
  app_.services().eval_runs->Stop();  // before the services end
}

}  // namespace

Result<std::unique_ptr<Server>> Server::Start(Services services, Options options) {
  try {
    auto server = std::make_unique<BeastServer>(std::move(services), std::move(options));
    ATELIER_TRY(server->Listen());
    return std::unique_ptr<Server>(std::move(server));
  } catch (const std::exception& exception) {
    return Internal(std::string("the server cannot start: ") + exception.what());
  }
}

}  // namespace atelier::api
