// Fetching over HTTP: one GET with its redirects, each looked at before it is followed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "hub/options.h"
#include "hub/url.h"

namespace atelier::hub {

// A header that proves who asks. It goes to the origin (scheme, host, port) of the first URL only, and not even there
// once a redirect has left it.
struct Credential {
  std::string header{};  // "Authorization"; empty: none
  Secret value{};
};

struct HttpRequest {
  Url url;
  std::vector<std::pair<std::string, std::string>> headers{};
  const Credential* credential = nullptr;  // borrowed
  bool foreign = false;                    // named by a stranger: no origin is trusted, not even an endpoint
};

struct HttpAnswer {
  int status = 0;
  std::map<std::string, std::string> headers{};  // of the last answer; names in lower case
  // What Hugging Face says beside its redirects, and others do not: x-linked-etag, x-linked-size, x-repo-commit.
  std::map<std::string, std::string> linked{};
  std::string body{};  // what no sink took

  std::string Header(const std::string& name) const;
};

// Takes pieces of the body of a 2xx answer; the head is there when it is called. An error ends the transfer.
using HttpSink = std::function<Status(const HttpAnswer& head, std::string_view bytes)>;

struct HttpOptions {
  std::vector<std::string> trusted{};  // origins that may lie anywhere
  bool private_addresses = false;      // whether all others may, too, and may be plain HTTP
  std::function<bool()> cancelled{};   // looked at about once a second; may be empty
  size_t max_body_bytes = 16U << 20U;  // of a body without a sink
};

// Thread-safe: each call is a connection of its own.
class Http {
 public:
  explicit Http(HttpOptions options);

  // Any status is a success. At most ten redirects, never from https to http. What does not begin at a trusted origin
  // trusts none. An origin that is not trusted must be https and have a public address, which is looked at when it is
  // connected to; a proxy of the environment is used for trusted origins and where they redirect to (and then does the
  // looking), not for others.
  // Errors: kInvalidArgument "url_not_allowed"; kUnavailable "connection_failed" (also when nothing comes for 30 s);
  // kOutOfRange "answer_too_large"; kFailedPrecondition "too_many_redirects"; kCancelled; those of the sink.
  Result<HttpAnswer> Get(const HttpRequest& request, const HttpSink& sink = {}) const;

 private:
  struct Hop;
  bool Trusted(const Url& url) const;
  Status Fetch(const HttpRequest& request, const Hop& hop, const HttpSink& sink, HttpAnswer& answer) const;

  HttpOptions options_;
};

// What a status of 300 and more means, for people, with `what` for what was asked. kUnavailable "hub_unavailable"
// (408, 5xx), kResourceExhausted "rate_limited" (429), both with retry_after_s where it was said and worth a retry;
// kPermissionDenied "hub_access_denied" (401, 403); kNotFound "hub_not_found" (404, 410); else kFailedPrecondition
// "hub_refused".
Error ErrorOfStatus(const HttpAnswer& answer, const std::string& what);

}  // namespace atelier::hub
