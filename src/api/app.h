// Everything between a parsed head and bytes to send that needs no socket: checks, routing, books.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http/gate.h"
#include "api/http/pool.h"
#include "api/request.h"
#include "api/routes.h"
#include "api/server.h"
#include "api/services.h"
#include "api/wakes.h"
#include "base/guarded.h"
#include "base/metrics.h"

namespace atelier::api {

// How long a request took, for the books.
struct Timing {
  int64_t start_ns = 0;    // the head was complete
  int64_t waiting_ns = 0;  // of that, for the client's body
};

// Thread-safe.
class App {
 public:
  App(Services services, Options options);
  ~App();

  // Fills in id, method, target and who asks, and decides whether a body may come: Host and Origin, key, route, and
  // what the head says of the body, in this order. A response: refused, the body is not wanted.
  // `local_address` is the connection's own, without the port.
  std::optional<Response> Admit(const http::Head& head, std::string_view local_address, Request& request,
                                const Route*& route);
  uint64_t MaxBody(const Route& route, const Request& request) const;
  // Books the answer: metrics and the log.
  void Record(const Request& request, const Route* route, const Response& response, const Timing& timing);
  // A request whose head could not be read.
  Response Malformed(const Error& error, Request& request) const;

  const Services& services() const { return services_; }
  const Options& options() const { return options_; }
  http::Pool& pool() { return pool_; }
  Wakes& wakes() { return *services_.wakes; }
  prometheus::Gauge& connections() { return connections_; }

 private:
  struct RouteBook {
    prometheus::Histogram* seconds = nullptr;
    std::map<std::pair<int, int>, prometheus::Counter*> by_answer;  // (method, status)
  };

  std::optional<Response> CheckMethod(const http::Head& head, Request& request) const;
  std::optional<Response> FindRoute(Request& request, const Route*& route) const;
  Status CheckBody(const http::Head& head, Request& request, const Route& route) const;

  Services services_;
  const Options options_;
  const Router router_;
  http::Gate gate_;
  uint64_t job_listener_;
  Guarded<std::vector<RouteBook>> books_;  // one a route, the last for requests without one
  prometheus::Histogram& overhead_;
  prometheus::Gauge& connections_;
  http::Pool pool_;  // last: its work uses what is above
};

}  // namespace atelier::api
