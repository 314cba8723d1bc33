// From callbacks on other threads to coroutines.
#pragma once

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <functional>
#include <memory>
#include <optional>
#include <type_traits>
#include <utility>

#include "api/http/pool.h"
#include "base/result.h"

namespace atelier::api::http {

namespace asio = boost::asio;

// Calls `start(done)`; the coroutine goes on, on its own executor, with what `done` was given. `done` must be called
// exactly once; it may be called from any thread, even before `start` returns.
template <class T, class Start>
asio::awaitable<T> Await(Start start) {
  auto initiate = [start = std::move(start)](auto handler) mutable {
    // std::function wants copies, a coroutine's handler cannot be copied.
    auto shared = std::make_shared<decltype(handler)>(std::move(handler));
    std::function<void(T)> done = [shared](T value) {
      auto executor = asio::get_associated_executor(*shared);
      asio::post(executor, [shared, value = std::make_shared<T>(std::move(value))]() mutable {
        auto resume = std::move(*shared);
        resume(std::move(*value));
      });
    };
    start(std::move(done));
  };
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(T)>(std::move(initiate), asio::use_awaitable);
}

// Runs `work`, which gives a Result, on the pool. Errors: the work's; kUnavailable "overloaded" where the pool's queue
// is full and `must` is false.
template <class Work>
auto Blocking(Pool& pool, Work work, bool must = false) -> asio::awaitable<std::invoke_result_t<Work&>> {
  using T = std::invoke_result_t<Work&>;
  auto shared = std::make_shared<Work>(std::move(work));
  return Await<T>([&pool, shared, must](std::function<void(T)> done) {
    if (!pool.Run([shared, done] { done((*shared)()); }, must)) {
      done(Unavailable("the server has too much to do", "overloaded"));
    }
  });
}

}  // namespace atelier::api::http
