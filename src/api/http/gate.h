// Who may come in: Host, Origin and key, before anything is routed.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "access/keys.h"
#include "api/http/head.h"
#include "api/http/target.h"
#include "base/clock.h"
#include "base/guarded.h"

namespace atelier::api::http {

// A token bucket an address, for failures only. Thread-safe; its memory is bounded.
class FailureLimiter {
 public:
  FailureLimiter(Clock& clock, double burst, double per_second)
      : clock_(clock), burst_(burst), per_second_(per_second) {}

  // Takes one token; false: none was left.
  bool Allow(const std::string& address);

 private:
  struct Bucket {
    double tokens = 0;
    int64_t at_ns = 0;
  };
  using Buckets = std::map<std::string, Bucket, std::less<>>;

  double TokensNow(const Bucket& bucket, int64_t now_ns) const;
  // Forgets addresses whose bucket is full again; all of them if that does not help.
  void Trim(Buckets& buckets, int64_t now_ns) const;

  Clock& clock_;
  const double burst_;
  const double per_second_;
  Guarded<Buckets> buckets_;
};

// Thread-safe.
class Gate {
 public:
  // `hosts` are allowed besides the loopback's names.
  Gate(const access::Keys& keys, Clock& clock, std::vector<std::string> hosts);

  // Guards against DNS rebinding and pages of other sites. `local_address` is the connection's own: naming it is fine.
  // Errors: kPermissionDenied "misdirected_request" | "forbidden_origin".
  Status CheckOrigin(const Head& head, const std::string& authority, std::string_view local_address) const;

  // Errors: kUnauthenticated "invalid_api_key", the same whatever was wrong; kResourceExhausted after too many failures
  // from one address. Good keys are never limited.
  Result<access::Key> Authenticate(const Head& head, const std::string& remote);

 private:
  const access::Keys& keys_;
  std::vector<std::string> hosts_;
  FailureLimiter failures_;
};

// The name of "name", "name:port", "[v6]:port", in lower case; empty where it is malformed.
std::string HostName(std::string_view host);

}  // namespace atelier::api::http
