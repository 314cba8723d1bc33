#include "api/http/body_reader.h"

#include <algorithm>
#include <boost/asio/buffer.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/beast/http/read.hpp>
#include <limits>

namespace atelier::api::http {
namespace {

Error Bad(std::string message) { return InvalidArgument(std::move(message), "", "bad_request"); }

}  // namespace

Status BodyReader::Begin(std::string_view head) {
  parser_.eager(false);
  parser_.header_limit(std::numeric_limits<uint32_t>::max());  // the head was measured before
  parser_.body_limit(boost::none);                             // counted by who reads
  boost::system::error_code error;
  parser_.put(asio::buffer(head.data(), head.size()), error);
  if (error || !parser_.is_header_done()) {
    return Bad("the request head is malformed");
  }
  return {};
}

asio::awaitable<Result<size_t>> BodyReader::Read(std::span<char> out) {
  while (!parser_.is_done()) {
    const int64_t earned_ms = static_cast<int64_t>(received_ * 1000 / static_cast<uint64_t>(limits_.body_bytes_per_s));
    const int64_t left_ms = limits_.body_grace_ms + earned_ms - waiting_ns_ / 1'000'000;
    if (left_ms <= 0) {
      co_return MakeError(Code::kDeadlineExceeded, "the body comes too slowly", "request_timeout");
    }
    auto& body = parser_.get().body();
    body.data = out.data();
    body.size = out.size();
    body.more = true;
    // However much was earned, a silent client is not waited for longer than the grace.
    timer_.Start(std::min(left_ms, limits_.body_grace_ms));
    const int64_t start_ns = clock_.MonotonicNs();
    boost::system::error_code error;
    co_await beast::http::async_read_some(stream_, inbox_, parser_, asio::redirect_error(asio::use_awaitable, error));
    timer_.Stop();
    waiting_ns_ += clock_.MonotonicNs() - start_ns;
    const size_t got = out.size() - body.size;
    received_ += got;
    if (timer_.fired() && got == 0) {
      co_return MakeError(Code::kDeadlineExceeded, "the body comes too slowly", "request_timeout");
    }
    if (error && error != beast::http::error::need_buffer) {
      co_return Bad("the body is malformed or incomplete");
    }
    if (got > 0) {
      co_return got;
    }
  }
  co_return size_t{0};
}

}  // namespace atelier::api::http
