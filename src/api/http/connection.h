// One client connection: a coroutine that reads requests and writes answers until either side has enough.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <cstdint>
#include <memory>
#include <span>
#include <string>

#include "api/app.h"
#include "api/http/read_timer.h"

namespace atelier::api::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

class BodyReader;

// Lives on one io thread; every member is touched from that thread only.
class Connection : public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::ip::tcp::socket socket, App& app);

  asio::awaitable<void> Run();
  // No further requests: an idle connection closes now, a busy one after its answer.
  void Drain();
  // Closes whatever goes on.
  void Abort();

 private:
  struct Exchange;  // one request and its answer

  // False: there is no further request, or it was answered with an error and the connection must close.
  asio::awaitable<bool> ReadHead(Exchange& exchange);
  asio::awaitable<bool> Serve(Exchange& exchange);
  asio::awaitable<Result<void>> ReadBody(Exchange& exchange, BodyReader& body);
  asio::awaitable<Result<void>> ReadText(Exchange& exchange, BodyReader& body);
  asio::awaitable<Result<void>> ReadForm(Exchange& exchange, BodyReader& body);
  asio::awaitable<Response> Handle(Exchange& exchange);

  // False: the client is gone or too slow.
  asio::awaitable<bool> Write(Exchange& exchange, Response& response);
  asio::awaitable<bool> WriteBytes(std::string_view bytes);
  asio::awaitable<bool> WriteSource(BodySource& source);
  asio::awaitable<bool> WriteEvents(EventSource& events, bool chunked);
  asio::awaitable<bool> WriteChunk(std::string_view bytes, bool chunked);
  asio::awaitable<void> WaitForEvents(bool drains);
  asio::awaitable<Result<Response>> WaitFor(PendingAnswer& pending);
  uint64_t WakeOn(const std::string& topic);
  std::string HeadOf(const Exchange& exchange, const Response& response) const;
  bool ClientGone();
  // Tells a quick handler, until it has answered, that nobody waits any more.
  asio::awaitable<void> WatchClient(std::function<void()> abandoned, std::shared_ptr<const bool> answered);
  // Reads and drops what the client still sends, a little while, so that it can read our answer before the reset.
  asio::awaitable<void> Linger();

  App& app_;
  beast::tcp_stream stream_;
  beast::flat_buffer inbox_;
  std::string remote_;
  std::string local_;
  ReadTimer read_timer_;
  asio::steady_timer wait_;
  int64_t served_ = 0;  // requests
  bool woken_ = false;
  bool idle_ = false;  // between two requests
  bool draining_ = false;
  bool linger_ = false;
};

}  // namespace atelier::api::http
