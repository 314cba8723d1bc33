// One unary call of WorkerClient.
#pragma once

#include <grpcpp/grpcpp.h>

#include <chrono>
#include <cstdint>
#include <utility>

namespace atelier::serving {

// What one call needs until it is done.
template <class Request, class Response>
struct Call {
  Call(Request message, int64_t timeout_ms) : request(std::move(message)) {
    context.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  }

  grpc::ClientContext context;
  Request request;
  Response response;
};

}  // namespace atelier::serving
