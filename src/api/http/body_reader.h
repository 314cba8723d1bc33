// The body of one request, framed by Beast's parser, read at no less than a minimum rate.
#pragma once

#include <boost/asio/awaitable.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <cstdint>
#include <span>
#include <string_view>

#include "api/http/read_timer.h"
#include "api/server.h"
#include "base/clock.h"
#include "base/result.h"

namespace atelier::api::http {

namespace asio = boost::asio;
namespace beast = boost::beast;

// Borrows the stream and the buffer, which holds what was received after the head. Not thread-safe.
class BodyReader {
 public:
  BodyReader(beast::tcp_stream& stream, beast::flat_buffer& inbox, ReadTimer& timer, const Limits& limits, Clock& clock)
      : stream_(stream), inbox_(inbox), timer_(timer), limits_(limits), clock_(clock) {}

  // The head that announces the body; it was checked already. Errors: kInvalidArgument (Beast reads it differently).
  Status Begin(std::string_view head);
  // Some bytes; 0 at the end of the body. Errors: kInvalidArgument "bad_request" (framing, or the client went away),
  // kDeadlineExceeded "request_timeout" (too slow).
  asio::awaitable<Result<size_t>> Read(std::span<char> out);
  bool done() const { return parser_.is_done(); }
  int64_t waiting_ns() const { return waiting_ns_; }

 private:
  beast::tcp_stream& stream_;
  beast::flat_buffer& inbox_;
  ReadTimer& timer_;
  const Limits& limits_;
  Clock& clock_;
  beast::http::request_parser<beast::http::buffer_body> parser_;
  int64_t waiting_ns_ = 0;
  uint64_t received_ = 0;
};

}  // namespace atelier::api::http
