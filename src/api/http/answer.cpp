// The writing half of a connection.
#include <sys/socket.h>

#include <algorithm>
#include <atomic>
#include <boost/asio/buffer.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/status.hpp>
#include <cerrno>
#include <charconv>
#include <chrono>
#include <ctime>

#include "api/http/bridge.h"
#include "api/http/connection.h"
#include "api/http/contained.h"
#include "api/http/exchange.h"
#include "api/http/sse.h"

namespace atelier::api::http {
namespace {

constexpr size_t kPieceBytes = 64U << 10U;
constexpr auto kPollInterval = std::chrono::seconds(1);
constexpr auto kPingInterval = std::chrono::seconds(15);

// IMF-fixdate of RFC 9110; made once a second.
const std::string& DateNow(int64_t unix_ms) {
  thread_local int64_t made_for = -1;
  thread_local std::string text;
  const std::time_t seconds = unix_ms / 1000;
  if (made_for != seconds) {
    std::tm parts{};
    gmtime_r(&seconds, &parts);
    char buffer[40];
    text.assign(buffer, std::strftime(buffer, sizeof buffer, "%a, %d %b %Y %H:%M:%S GMT", &parts));
    made_for = seconds;
  }
  return text;
}

bool IsHeaderText(std::string_view text) {
  return std::none_of(text.begin(), text.end(),
                      [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; });
}

bool HasNoBody(int status) { return status == 204 || status == 304; }

}  // namespace

std::string Connection::HeadOf(const Exchange& exchange, const Response& response) const {
  const auto& services = app_.services();
  const int64_t spent_ns = services.clock.MonotonicNs() - exchange.timing.start_ns - exchange.timing.waiting_ns;
  const auto reason = beast::http::obsolete_reason(static_cast<beast::http::status>(response.status));
  std::string head;
  head.reserve(512);
  const auto add = [&head](std::string_view name, std::string_view value) {
    if (IsHeaderText(value)) {
      head.append(name).append(": ").append(value).append("\r\n");
    }
  };
  head.append("HTTP/1.1 ")
      .append(std::to_string(response.status))
      .append(" ")
      .append(reason.data(), reason.size())
      .append("\r\n");
  add("Server", "atelier");
  add("Date", DateNow(services.clock.UnixMs()));
  add("x-request-id", exchange.request.id);
  if (exchange.head.Find("anthropic-version").has_value()) {
    add("request-id", exchange.request.id);  // what Anthropic's clients look for
  }
  add("openai-processing-ms", std::to_string(std::max<int64_t>(spent_ns, 0) / 1'000'000));
  add("X-Content-Type-Options", "nosniff");
  if (!HasNoBody(response.status)) {
    add("Content-Type", response.content_type);
    if (response.events != nullptr) {
      add("Cache-Control", "no-cache");
      add("X-Accel-Buffering", "no");
      if (exchange.head.minor_version == 1) {
        add("Transfer-Encoding", "chunked");
      }
    } else {
      add("Content-Length",
          std::to_string(response.source != nullptr ? response.source->size() : response.body.size()));
    }
  }
  for (const auto& [name, value] : response.headers) {
    add(name, value);
  }
  if (!exchange.keep) {
    add("Connection", "close");
  } else if (exchange.head.minor_version == 0) {
    add("Connection", "keep-alive");
  }
  return head += "\r\n";
}

asio::awaitable<bool> Connection::Write(Exchange& exchange, Response& response) {
  const bool head_only = exchange.request.method == Method::kHead || HasNoBody(response.status);
  const bool chunked = exchange.head.minor_version == 1;
  exchange.keep = exchange.keep && (response.events == nullptr || chunked);
  std::string head = HeadOf(exchange, response);
  if (head_only) {
    co_return co_await WriteBytes(head);
  }
  if (response.events == nullptr && response.source == nullptr && response.body.size() <= kPieceBytes) {
    head += response.body;
    co_return co_await WriteBytes(head);
  }
  const bool begun = co_await WriteBytes(head);
  if (!begun) {
    co_return false;
  }
  if (response.events != nullptr) {
    co_return co_await WriteEvents(*response.events, chunked);
  }
  if (response.source != nullptr) {
    co_return co_await WriteSource(*response.source);
  }
  co_return co_await WriteBytes(response.body);
}

asio::awaitable<bool> Connection::WriteBytes(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto piece = bytes.substr(0, kPieceBytes);
    boost::system::error_code error;
    stream_.expires_after(std::chrono::milliseconds(app_.options().limits.write_timeout_ms));
    co_await asio::async_write(stream_, asio::buffer(piece.data(), piece.size()),
                               asio::redirect_error(asio::use_awaitable, error));
    if (error) {
      co_return false;
    }
    bytes.remove_prefix(piece.size());
  }
  co_return true;
}

asio::awaitable<bool> Connection::WriteSource(BodySource& source) {
  std::string piece(4 * kPieceBytes, '\0');
  uint64_t left = source.size();
  while (left > 0) {
    const auto got = co_await Blocking(
        app_.pool(), [&] { return source.Read(std::as_writable_bytes(std::span(piece.data(), piece.size()))); }, true);
    // The length was announced: an answer cut short is all that can be said of an error now.
    if (!got.ok() || *got == 0 || *got > left) {
      co_return false;
    }
    left -= *got;
    const bool written = co_await WriteBytes(std::string_view(piece.data(), *got));
    if (!written) {
      co_return false;
    }
  }
  co_return true;
}

asio::awaitable<bool> Connection::WriteChunk(std::string_view bytes, bool chunked) {
  if (!chunked) {
    co_return co_await WriteBytes(bytes);
  }
  char size[20];
  const auto end = std::to_chars(size, size + sizeof size, bytes.size(), 16).ptr;
  std::string chunk;
  chunk.reserve(bytes.size() + 24);
  chunk.append(size, end).append("\r\n").append(bytes).append("\r\n");
  co_return co_await WriteBytes(chunk);
}

bool Connection::ClientGone() {
  char byte = 0;
  const auto got = ::recv(stream_.socket().native_handle(), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  return got == 0 || (got < 0 && errno != EAGAIN && errno != EWOULDBLOCK && errno != EINTR);
}

asio::awaitable<void> Connection::WaitForEvents(bool drains) {
  if (!woken_ && !drains) {
    boost::system::error_code ignored;
    wait_.expires_after(kPollInterval);  // a wake-up may come from another gateway's job, which tells us nothing
    co_await wait_.async_wait(asio::redirect_error(asio::use_awaitable, ignored));
  }
  woken_ = false;
}

uint64_t Connection::WakeOn(const std::string& topic) {
  const auto pending = std::make_shared<std::atomic<bool>>(false);
  return app_.wakes().Add(topic, [weak = weak_from_this(), executor = stream_.get_executor(), pending] {
    if (pending->exchange(true)) {
      return;  // one wake-up at a time is enough
    }
    asio::post(executor, [weak, pending] {
      pending->store(false);
      if (const auto self = weak.lock(); self != nullptr) {
        self->woken_ = true;
        self->wait_.cancel();
      }
    });
  });
}

asio::awaitable<Result<Response>> Connection::WaitFor(PendingAnswer& pending) {
  const uint64_t token = WakeOn(pending.topic());
  Result<std::optional<Response>> answer = std::optional<Response>();
  while (answer.ok() && !answer->has_value() && !draining_ && !ClientGone()) {
    answer = co_await Blocking(
        app_.pool(), [&] { return Contained([&] { return pending.Poll(); }); }, true);
    if (answer.ok() && !answer->has_value()) {
      co_await WaitForEvents(false);
    }
  }
  app_.wakes().Remove(pending.topic(), token);
  if (!answer.ok()) {
    co_return std::move(answer).error();
  }
  if (!answer->has_value()) {
    co_return Unavailable("the server is stopping", "stopping");
  }
  co_return std::move(**answer);
}

asio::awaitable<bool> Connection::WriteEvents(EventSource& events, bool chunked) {
  const uint64_t token = WakeOn(events.topic());
  auto last_write = std::chrono::steady_clock::now();
  bool alive = true;
  bool over = false;
  const auto drains = [&] { return draining_ && !events.ends(); };
  while (alive && !over && !drains()) {
    std::string ready;
    const auto next = co_await Blocking(
        app_.pool(), [&] { return Contained([&] { return events.Next(ready); }); }, true);
    if (!next.ok()) {
      ready +=
          FormatEvent(std::nullopt, "error",
                      R"({"error":{"message":"the stream broke","type":"server_error","param":null,"code":null}})");
    }
    over = !next.ok() || *next;
    const auto now = std::chrono::steady_clock::now();
    if (ready.empty() && now - last_write >= kPingInterval) {
      ready = events.ping();
    }
    if (!ready.empty()) {
      alive = co_await WriteChunk(ready, chunked);
      last_write = now;
    }
    if (alive && !over) {
      co_await WaitForEvents(drains());
      alive = !ClientGone();
    }
  }
  app_.wakes().Remove(events.topic(), token);
  if (alive && chunked) {
    alive = co_await WriteBytes("0\r\n\r\n");
  }
  co_return alive;
}

}  // namespace atelier::api::http
