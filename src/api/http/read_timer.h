// Ends a read that takes too long and leaves the socket open, so that the client can be told. (tcp_stream's own timeout
// closes it.)
#pragma once

#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <chrono>
#include <cstdint>
#include <memory>

namespace atelier::api::http {

// One thread only. Borrows the stream.
class ReadTimer {
 public:
  explicit ReadTimer(boost::beast::tcp_stream& stream)
      : stream_(stream), timer_(stream.get_executor()), state_(std::make_shared<State>()) {}
  ~ReadTimer() { ++state_->round; }
  ReadTimer(const ReadTimer&) = delete;
  ReadTimer& operator=(const ReadTimer&) = delete;

  // From now on, reads are cancelled after that time.
  void Start(int64_t ms) {
    state_->fired = false;
    stream_.expires_never();
    timer_.expires_after(std::chrono::milliseconds(ms));
    timer_.async_wait([this, state = state_, round = ++state_->round](boost::system::error_code error) {
      // A handler that was queued already when the timer was stopped comes too late.
      if (!error && state->round == round) {
        state->fired = true;
        stream_.socket().cancel(error);
      }
    });
  }
  void Stop() {
    ++state_->round;
    timer_.cancel();
  }
  bool fired() const { return state_->fired; }

 private:
  struct State {
    uint64_t round = 0;
    bool fired = false;
  };

  boost::beast::tcp_stream& stream_;
  boost::asio::steady_timer timer_;
  std::shared_ptr<State> state_;  // shared: the timer's handler may run after this object
};

}  // namespace atelier::api::http
