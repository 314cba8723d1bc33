// The REST server. One object, from Start to Stop.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "api/services.h"
#include "base/result.h"

namespace atelier::api {

struct Limits {
  size_t header_bytes = 32U << 10U;
  size_t header_fields = 100;
  size_t target_bytes = 8U << 10U;
  uint64_t small_bytes = 64ULL << 10U;  // bodies that no route reads
  uint64_t json_bytes = 8ULL << 20U;
  uint64_t media_bytes = 64ULL << 20U;  // forms of /v1/predict
  uint64_t image_bytes = 20ULL << 20U;  // one of their files
  uint64_t file_bytes = 512ULL << 20U;  // POST /v1/files
  int connections = 2000;
  int64_t header_timeout_ms = 10'000;
  int64_t idle_timeout_ms = 75'000;
  int64_t write_timeout_ms = 30'000;
  int64_t body_grace_ms = 10'000;  // waiting that a body may use up before its rate counts
  int64_t body_bytes_per_s = 1024;
  int64_t drain_ms = 20'000;  // Stop waits so long for requests under way
  size_t pool_waiting = 512;  // requests waiting for a pool thread; more get 503
};

struct Options {
  std::string host = "127.0.0.1";  // an address or a name to bind to
  uint16_t port = 8080;            // 0: any free one
  int io_threads = 0;              // 0: one a core, at most 8
  int pool_threads = 4;
  std::vector<std::string> allowed_hosts;  // in Host, besides localhost, 127.0.0.1, [::1], `host` and the local address
  Limits limits;
};

// Start and Stop from one thread. The services must outlive the server: stop it first.
class Server {
 public:
  // Binds and listens. Errors: kUnavailable (port in use), kInvalidArgument (host).
  static Result<std::unique_ptr<Server>> Start(Services services, Options options);
  virtual ~Server() = default;  // as Stop

  virtual uint16_t port() const = 0;
  // Accepts no more, lets requests under way finish up to the drain limit, then closes. Idempotent.
  virtual void Stop() = 0;
};

}  // namespace atelier::api
