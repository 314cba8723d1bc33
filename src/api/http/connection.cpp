#include "api/http/connection.h"
#include "api/http/contained.h"

#include <atomic>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <chrono>
#include <optional>

#include "api/http/body_reader.h"
#include "api/http/bridge.h"
#include "api/http/contained.h"
#include "api/http/exchange.h"

namespace atelier::api::http {
namespace {

constexpr size_t kPieceBytes = 256U << 10U;  // of bodies that are not kept in memory
constexpr size_t kReadBytes = 8U << 10U;
// The parser keeps what it cannot use yet, such as a chunk's extension: beyond this much the request is refused.
constexpr size_t kInboxSlackBytes = 128U << 10U;
constexpr auto kWatchInterval = std::chrono::milliseconds(250);  // of a client that waits for a quick handler

HeadLimits HeadLimitsOf(const Limits& limits) {
  return {limits.header_bytes, limits.header_fields, limits.target_bytes};
}

void StartQuick(const Route& route, const Services& services, Request& request, const Done& done) {
  auto called = std::make_shared<std::atomic<bool>>(false);
  const Done once = [called, done](Result<Response> response) {
    if (!called->exchange(true)) {
      done(std::move(response));
    }
  };
  try {
    if (auto status = route.quick(services, request, once); !status.ok()) {
      once(std::move(status).error());
    }
  } catch (const std::exception& exception) {
    once(Internal(std::string("a handler threw: ") + exception.what()));
  }
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, App& app)
    : app_(app),
      stream_(std::move(socket)),
      inbox_(app.options().limits.header_bytes + kInboxSlackBytes),
      read_timer_(stream_),
      wait_(stream_.get_executor()) {
  boost::system::error_code error;
  stream_.socket().set_option(asio::ip::tcp::no_delay(true), error);
  const auto remote = stream_.socket().remote_endpoint(error);
  remote_ = error ? "unknown" : remote.address().to_string();
  const auto local = stream_.socket().local_endpoint(error);
  local_ = error ? "" : local.address().to_string();
}

asio::awaitable<void> Connection::Run() {
  const auto self = shared_from_this();
  bool more = true;
  while (more) {
    Exchange exchange;
    exchange.request.remote = remote_;
    more = co_await ReadHead(exchange);
    if (more) {
      more = co_await Serve(exchange);
    }
  }
  if (linger_) {
    co_await Linger();
  }
  boost::system::error_code ignored;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_both, ignored);
  stream_.close();
}

void Connection::Drain() {
  draining_ = true;
  wait_.cancel();
  if (idle_) {
    stream_.close();
  }
}

void Connection::Abort() {
  draining_ = true;
  wait_.cancel();
  stream_.close();
}

asio::awaitable<bool> Connection::ReadHead(Exchange& exchange) {
  const auto& limits = app_.options().limits;
  HeadScanner scanner(HeadLimitsOf(limits));
  const auto patience = served_ == 0 ? limits.header_timeout_ms : limits.idle_timeout_ms;
  read_timer_.Start(inbox_.size() > 0 ? limits.header_timeout_ms : patience);
  Result<size_t> found = size_t{0};
  while (true) {
    const auto data = inbox_.cdata();
    const std::string_view text(static_cast<const char*>(data.data()), data.size());
    if (!text.empty()) {
      found = scanner.Scan(text);
    }
    if (!found.ok() || *found > 0) {
      break;
    }
    idle_ = text.empty();
    if (draining_ && idle_) {
      co_return false;
    }
    boost::system::error_code error;
    const size_t got =
        co_await stream_.async_read_some(inbox_.prepare(kReadBytes), asio::redirect_error(asio::use_awaitable, error));
    if (read_timer_.fired() && !idle_) {
      found = MakeError(Code::kDeadlineExceeded, "the request head comes too slowly", "request_timeout");
      break;
    }
    if (error) {
      co_return false;
    }
    inbox_.commit(got);
    if (idle_) {
      idle_ = false;
      read_timer_.Start(limits.header_timeout_ms);
    }
  }
  read_timer_.Stop();
  idle_ = false;
  exchange.timing.start_ns = app_.services().clock.MonotonicNs();
  Result<Head> head = found.ok() ? Result<Head>(Head{}) : Result<Head>(found.error());
  if (found.ok()) {
    exchange.text.assign(static_cast<const char*>(inbox_.cdata().data()), *found);
    inbox_.consume(*found);
    head = ParseHead(exchange.text, HeadLimitsOf(limits));
  }
  if (!head.ok()) {
    auto response = app_.Malformed(head.error(), exchange.request);
    linger_ = true;
    co_await Write(exchange, response);
    app_.Record(exchange.request, nullptr, response, exchange.timing);
    co_return false;
  }
  ++served_;
  exchange.head = std::move(head).value();
  exchange.keep = exchange.head.keep_alive;
  co_return true;
}

asio::awaitable<bool> Connection::Serve(Exchange& exchange) {
  auto& request = exchange.request;
  auto response = app_.Admit(exchange.head, local_, request, exchange.route);
  if (!response.has_value()) {
    BodyReader body(stream_, inbox_, read_timer_, app_.options().limits, app_.services().clock);
    const auto read = co_await ReadBody(exchange, body);
    exchange.timing.waiting_ns = body.waiting_ns();
    exchange.body_pending = exchange.head.has_body() && !body.done();
    if (read.ok()) {
      response = co_await Handle(exchange);
    } else {
      response = ErrorResponse(read.error(), request);
    }
  } else {
    exchange.body_pending = exchange.head.has_body();
  }
  if (exchange.body_pending) {
    exchange.keep = false;
    linger_ = true;
  }
  exchange.keep = exchange.keep && !draining_;
  const bool written = co_await Write(exchange, *response);
  app_.Record(request, exchange.route, *response, exchange.timing);
  co_return written&& exchange.keep;
}

asio::awaitable<Result<void>> Connection::ReadBody(Exchange& exchange, BodyReader& body) {
  if (exchange.head.has_body()) {
    const auto begun = body.Begin(exchange.text);
    if (!begun.ok()) {
      co_return begun;
    }
    if (exchange.head.expect_continue && inbox_.size() == 0) {
      const bool invited = co_await WriteBytes("HTTP/1.1 100 Continue\r\n\r\n");
      if (!invited) {
        co_return InvalidArgument("the client went away", "", "bad_request");
      }
    }
  }
  if (exchange.request.is_form) {
    co_return co_await ReadForm(exchange, body);
  }
  co_return co_await ReadText(exchange, body);
}

asio::awaitable<Result<void>> Connection::ReadText(Exchange& exchange, BodyReader& body) {
  if (!exchange.head.has_body()) {
    co_return Status();
  }
  const uint64_t max = app_.MaxBody(*exchange.route, exchange.request);
  const bool wanted = exchange.route->body != BodyKind::kNone;
  std::string& text = exchange.request.body;
  uint64_t total = 0;
  while (true) {
    // Grows with what arrives, not with what was announced.
    const auto& announced = exchange.head.content_length;
    const size_t room = announced.has_value()
                            ? std::min(kPieceBytes, static_cast<size_t>(*announced - std::min(*announced, total) + 1))
                            : 2 * kReadBytes;
    const size_t used = wanted ? static_cast<size_t>(total) : 0;
    text.resize(used + room);
    const auto got = co_await body.Read(std::span(text.data() + used, room));
    if (!got.ok()) {
      co_return got.error();
    }
    total += *got;
    text.resize(wanted ? static_cast<size_t>(total) : 0);
    if (total > max) {
      co_return MakeError(Code::kOutOfRange, "the body is larger than " + std::to_string(max) + " bytes",
                          "request_too_large");
    }
    if (*got == 0) {
      co_return Status();
    }
  }
}

asio::awaitable<Result<void>> Connection::ReadForm(Exchange& exchange, BodyReader& body) {
  auto boundary = BoundaryOf(exchange.head.Find("content-type").value_or(""));
  if (!boundary.ok()) {
    co_return boundary.error();
  }
  const auto& limits = app_.options().limits;
  const auto& route = *exchange.route;
  const bool to_blobs = !route.file_field.empty();
  FormLimits form_limits;
  form_limits.file_bytes = route.size == BodySize::kPart ? 64ULL << 20U
                           : to_blobs                    ? limits.file_bytes
                                                         : limits.image_bytes;
  FormReader reader(*boundary, std::string(to_blobs ? route.file_field : "file"),
                    to_blobs ? &app_.services().blobs : nullptr, form_limits);
  const uint64_t max = app_.MaxBody(route, exchange.request);
  std::string piece(to_blobs ? kPieceBytes : kPieceBytes / 4, '\0');
  uint64_t total = 0;
  while (exchange.head.has_body()) {
    const auto got = co_await body.Read(std::span(piece.data(), piece.size()));
    if (!got.ok()) {
      co_return got.error();
    }
    if (*got == 0) {
      break;
    }
    total += *got;
    if (total > max) {
      co_return MakeError(Code::kOutOfRange, "the body is larger than " + std::to_string(max) + " bytes",
                          "request_too_large");
    }
    const std::string_view bytes(piece.data(), *got);
    const auto feed = [&reader, bytes] { return reader.Feed(bytes); };
    Status fed;
    if (to_blobs) {
      fed = co_await Blocking(app_.pool(), feed, true);
    } else {
      fed = feed();
    }
    if (!fed.ok()) {
      co_return fed;
    }
  }
  auto form = reader.Finish();
  if (!form.ok()) {
    co_return form.error();
  }
  exchange.request.form = std::move(form).value();
  co_return Status();
}

asio::awaitable<Response> Connection::Handle(Exchange& exchange) {
  const auto& services = app_.services();
  const Route& route = *exchange.route;
  Request& request = exchange.request;
  Result<Response> response = Internal("no answer");
  if (route.quick != nullptr) {
    const auto answered = std::make_shared<bool>(false);
    const auto start = [this, &route, &services, &request, answered](const Done& done) {
      StartQuick(route, services, request, done);
      if (request.abandoned) {
        asio::co_spawn(stream_.get_executor(), WatchClient(std::move(request.abandoned), answered), asio::detached);
      }
    };
    response = co_await Await<Result<Response>>(start);
    *answered = true;
  } else {
    const auto run = [&route, &services, &request] {
      return Contained([&] { return route.handler(services, request); });
    };
    response = co_await Blocking(app_.pool(), run);
    if (response.ok() && response->pending != nullptr) {
      const auto pending = std::move(response->pending);
      response = co_await WaitFor(*pending);
    }
  }
  co_return response.ok() ? std::move(response).value() : ErrorResponse(response.error(), request);
}

asio::awaitable<void> Connection::WatchClient(std::function<void()> abandoned, std::shared_ptr<const bool> answered) {
  const auto self = shared_from_this();
  asio::steady_timer pause(stream_.get_executor());
  while (!*answered) {
    boost::system::error_code ignored;
    pause.expires_after(kWatchInterval);
    co_await pause.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
    if (!*answered && ClientGone()) {
      abandoned();
      co_return;
    }
  }
}

asio::awaitable<void> Connection::Linger() {
  static constexpr size_t kMostBytes = 16U << 20U;
  boost::system::error_code error;
  stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, error);
  stream_.expires_after(std::chrono::seconds(2));
  std::string trash(kPieceBytes / 4, '\0');
  for (size_t total = 0; !error && total < kMostBytes;) {
    total += co_await stream_.async_read_some(asio::buffer(trash), asio::redirect_error(asio::use_awaitable, error));
  }
}

}  // namespace atelier::api::http
