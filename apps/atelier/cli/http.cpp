#include "atelier/cli/http.h"

#include <csignal>

#include <algorithm>
#include <array>
#include <boost/asio.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/ssl.hpp>
#include <chrono>
#include <optional>

namespace atelier::cli {
namespace {

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
using ErrorCode = boost::system::error_code;
using std::chrono::milliseconds;
using std::chrono::seconds;

constexpr size_t kChunk = 256U << 10U;
constexpr size_t kMaxBody = 256U << 20U;  // of an answer kept in memory

// A signal handler can reach nothing but a static.
volatile std::sig_atomic_t interrupted = 0;

void OnInterrupt(int /*signal*/) {
  interrupted = 1;
  std::signal(SIGINT, SIG_DFL);
}

void OnEveryInterrupt(int /*signal*/) { interrupted = 1; }

Error InterruptedError() { return MakeError(Code::kCancelled, "interrupted", "interrupted"); }

Error NoServer(const Url& url, const std::string& why) {
  return Unavailable("no server at " + url.Text() + ": " + why, "no_server");
}

Error Broken(const Url& url, const ErrorCode& ec) {
  const std::string why = ec == beast::error::timeout ? "no answer for too long" : ec.message();
  return Unavailable("the connection to " + url.Text() + " broke: " + why, "connection_failed");
}

// Runs one asynchronous operation to its end, so that time limits and SIGINT can end it.
class Loop {
 public:
  asio::io_context& context() { return context_; }

  // `start(handler)` begins the operation on `socket`.
  template <class Start>
  ErrorCode Run(beast::tcp_stream& socket, int timeout_s, Start start) {
    socket.expires_after(seconds(timeout_s));
    std::optional<ErrorCode> outcome;
    start([&outcome](const ErrorCode& ec, auto&&... /*rest*/) { outcome = ec; });
    context_.restart();
    bool closed = false;
    while (!outcome) {
      context_.run_one_for(milliseconds(100));
      if (context_.stopped()) {
        context_.restart();
      }
      if (Interrupted() && !closed) {
        closed = true;
        socket.close();
      }
    }
    return *outcome;
  }

 private:
  asio::io_context context_{1};
};

template <class Stream>
class Exchange {
 public:
  Exchange(Loop& loop, Stream& stream, const HttpOptions& options, const HttpRequest& request)
      : loop_(loop), stream_(stream), options_(options), request_(request) {}

  Result<HttpResponse> Run(const Sink& sink) {
    Status sent = SendAll();
    if (!sent.ok() && sent.error().reason != "connection_failed") {
      return std::move(sent).error();
    }
    // A server that refuses early answers and closes while the body is still being sent: its answer counts.
    auto response = Receive(sink);
    return !response.ok() && !sent.ok() ? Result<HttpResponse>(std::move(sent).error()) : std::move(response);
  }

 private:
  beast::tcp_stream& socket() { return beast::get_lowest_layer(stream_); }

  Error Failure(const ErrorCode& ec) { return Interrupted() ? InterruptedError() : Broken(options_.url, ec); }

  Status SendAll() {
    uint64_t length = 0;
    for (const auto& piece : request_.body) {
      length += piece.size();
    }
    http::request<http::empty_body> head;
    head.version(11);
    head.method_string(request_.method);
    head.target(options_.url.path + request_.target);
    head.set(http::field::host, options_.url.HostHeader());
    head.set(http::field::user_agent, options_.user_agent);
    head.set(http::field::accept, request_.accept.empty() ? "application/json" : request_.accept);
    head.set(http::field::connection, "close");
    if (!options_.key.empty()) {
      head.set(http::field::authorization, "Bearer " + options_.key);
    }
    if (request_.method != "GET") {
      head.set(http::field::content_length, std::to_string(length));
    }
    if (!request_.content_type.empty()) {
      head.set(http::field::content_type, request_.content_type);
    }
    for (const auto& [name, value] : request_.headers) {
      head.set(name, value);
    }
    http::request_serializer<http::empty_body> serializer(head);
    const ErrorCode ec = loop_.Run(socket(), request_.read_timeout_s, [&](auto handler) {
      http::async_write_header(stream_, serializer, std::move(handler));
    });
    if (ec) {
      return Failure(ec);
    }
    for (const auto& piece : request_.body) {
      ATELIER_TRY(SendPiece(piece));
    }
    return {};
  }

  Status SendPiece(const Piece& piece) {
    std::string buffer;
    for (uint64_t done = 0; done < piece.size();) {
      const auto count = static_cast<size_t>(std::min<uint64_t>(kChunk, piece.size() - done));
      std::string_view chunk = std::string_view(piece.text).substr(piece.source == nullptr ? done : 0, count);
      if (piece.source != nullptr) {
        buffer.resize(count);
        ATELIER_TRY(piece.source->Read(piece.offset + done, std::span(buffer.data(), count)));
        chunk = buffer;
      }
      const ErrorCode ec = loop_.Run(socket(), request_.read_timeout_s, [&](auto handler) {
        asio::async_write(stream_, asio::buffer(chunk.data(), chunk.size()), std::move(handler));
      });
      if (ec) {
        return Failure(ec);
      }
      done += count;
      sent_ += count;
      if (request_.on_sent) {
        request_.on_sent(sent_);
      }
    }
    return {};
  }

  Result<HttpResponse> Receive(const Sink& sink) {
    beast::flat_buffer buffer;
    http::response_parser<http::buffer_body> parser;
    parser.body_limit(boost::none);
    ErrorCode ec = loop_.Run(socket(), request_.read_timeout_s, [&](auto handler) {
      http::async_read_header(stream_, buffer, parser, std::move(handler));
    });
    if (ec) {
      return Failure(ec);
    }
    HttpResponse response;
    response.status = parser.get().result_int();
    for (const auto& field : parser.get()) {
      std::string name(field.name_string());
      std::transform(name.begin(), name.end(), name.begin(), [](unsigned char c) { return std::tolower(c); });
      response.headers[name] = std::string(field.value());
    }
    const bool to_sink = sink && response.status >= 200 && response.status < 300;
    std::array<char, 65536> chunk{};
    while (!parser.is_done()) {
      parser.get().body().data = chunk.data();
      parser.get().body().size = chunk.size();
      ec = loop_.Run(socket(), request_.read_timeout_s,
                     [&](auto handler) { http::async_read_some(stream_, buffer, parser, std::move(handler)); });
      if (ec && ec != http::error::need_buffer) {
        return Failure(ec);
      }
      const std::string_view arrived(chunk.data(), chunk.size() - parser.get().body().size);
      if (to_sink) {
        ATELIER_TRY(sink(arrived));
      } else if (response.body.size() + arrived.size() > kMaxBody) {
        return Unavailable("the answer of " + options_.url.Text() + " is too large", "connection_failed");
      } else {
        response.body += arrived;
      }
    }
    return response;
  }

  Loop& loop_;
  Stream& stream_;
  const HttpOptions& options_;
  const HttpRequest& request_;
  uint64_t sent_ = 0;
};

Status Connect(Loop& loop, beast::tcp_stream& socket, const HttpOptions& options) {
  ErrorCode ec;
  asio::ip::tcp::resolver resolver(loop.context());
  const auto endpoints = resolver.resolve(options.url.host, options.url.port, ec);
  if (ec) {
    return NoServer(options.url, "the host is unknown");
  }
  ec = loop.Run(socket, options.connect_timeout_s,
                [&](auto handler) { socket.async_connect(endpoints, std::move(handler)); });
  if (Interrupted()) {
    return InterruptedError();
  }
  if (ec) {
    return NoServer(options.url, ec == beast::error::timeout
                                     ? "no answer within " + std::to_string(options.connect_timeout_s) + " s"
                                     : ec.message());
  }
  socket.socket().set_option(asio::ip::tcp::no_delay(true), ec);
  return {};
}

Result<HttpResponse> SendTls(Loop& loop, const HttpOptions& options, const HttpRequest& request, const Sink& sink) {
  ErrorCode ec;
  asio::ssl::context tls(asio::ssl::context::tls_client);
  tls.set_default_verify_paths(ec);
  if (!options.ca_file.empty()) {
    tls.load_verify_file(options.ca_file, ec);
    if (ec) {
      return InvalidArgument("cannot use the authorities in '" + options.ca_file + "': " + ec.message(), "", "usage");
    }
  }
  tls.set_verify_mode(asio::ssl::verify_peer, ec);
  tls.set_verify_callback(asio::ssl::host_name_verification(options.url.host), ec);
  beast::ssl_stream<beast::tcp_stream> stream(loop.context(), tls);
  SSL_set_tlsext_host_name(stream.native_handle(), options.url.host.c_str());
  ATELIER_TRY(Connect(loop, beast::get_lowest_layer(stream), options));
  ec = loop.Run(beast::get_lowest_layer(stream), options.connect_timeout_s,
                [&](auto handler) { stream.async_handshake(asio::ssl::stream_base::client, std::move(handler)); });
  if (ec) {
    return Interrupted() ? InterruptedError() : NoServer(options.url, "TLS: " + ec.message());
  }
  return Exchange(loop, stream, options, request).Run(sink);
}

}  // namespace

Result<HttpResponse> Http::Send(const HttpRequest& request, const Sink& sink) {
  if (Interrupted()) {
    return InterruptedError();
  }
  try {
    Loop loop;
    if (options_.url.tls) {
      return SendTls(loop, options_, request, sink);
    }
    beast::tcp_stream stream(loop.context());
    ATELIER_TRY(Connect(loop, stream, options_));
    return Exchange(loop, stream, options_, request).Run(sink);
  } catch (const std::exception& error) {
    return Unavailable("the exchange with " + options_.url.Text() + " failed: " + error.what(), "connection_failed");
  }
}

void WatchInterrupts() {
  interrupted = 0;
  std::signal(SIGINT, OnInterrupt);
}

void WatchEveryInterrupt() {
  interrupted = 0;
  std::signal(SIGINT, OnEveryInterrupt);
}

bool Interrupted() { return interrupted != 0; }

}  // namespace atelier::cli
