// One HTTP/1.1 exchange after the other with the server, over TCP or TLS.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "atelier/cli/source.h"
#include "atelier/cli/url.h"
#include "base/result.h"

namespace atelier::cli {

// A stretch of a request's body: text, or a range of a source (which must outlive the exchange).
struct Piece {
  std::string text{};
  Source* source = nullptr;
  uint64_t offset = 0;
  uint64_t length = 0;  // of the range

  uint64_t size() const { return source == nullptr ? text.size() : length; }
};

struct HttpRequest {
  std::string method = "GET";
  std::string target{};  // path and query, encoded; the address's own path is put before it
  std::string content_type{};
  std::string accept{};
  std::map<std::string, std::string> headers{};
  std::vector<Piece> body{};
  std::function<void(uint64_t)> on_sent{};  // bytes of the body sent so far
  int read_timeout_s = 300;                 // between two arrivals of bytes
};

struct HttpResponse {
  int status = 0;
  std::string body;                            // empty where a sink took it
  std::map<std::string, std::string> headers;  // names in lower case
};

// Takes the body of a 2xx answer as it arrives; an error ends the exchange and is returned.
using Sink = std::function<Status(std::string_view)>;

struct HttpOptions {
  Url url;
  std::string key;  // API key; empty: none is sent
  std::string user_agent = "atelier";
  std::string ca_file;  // TLS: authorities to trust besides the system's
  int connect_timeout_s = 10;
};

// Not thread-safe.
class Http {
 public:
  explicit Http(HttpOptions options) : options_(std::move(options)) {}

  const HttpOptions& options() const { return options_; }

  // Any answer is a success, whatever its status. Errors: kUnavailable "no_server" (refused, unreachable, unknown host,
  // TLS refused) or "connection_failed" (broke or went silent later); kCancelled "interrupted" (SIGINT); the errors of
  // sources and of the sink.
  Result<HttpResponse> Send(const HttpRequest& request, const Sink& sink = {});

 private:
  HttpOptions options_;
};

// SIGINT from now on only sets a flag, which Send and Interrupted look at; a second one ends the process. Clears it.
void WatchInterrupts();
// The same, but no number of them ends the process.
void WatchEveryInterrupt();
bool Interrupted();

}  // namespace atelier::cli
