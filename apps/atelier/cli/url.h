// The server's address, and text made safe for a request target.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::cli {

struct Url {
  bool tls = false;
  std::string host;  // without the brackets of an IPv6 address
  std::string port;
  std::string path;  // prefix before "/v1", without a slash at the end; may be empty

  std::string HostHeader() const;  // "host", "host:port" or "[::1]:port"
  std::string Text() const;        // "http://host:port/path", for messages
  bool IsLoopback() const;
};

// `http://host[:port][/prefix]`, https likewise; a bare `host:port` means http. Errors: kInvalidArgument "usage" (other
// schemes, user information, queries, ports out of range).
Result<Url> ParseUrl(std::string_view text);

// Percent-encodes everything but RFC 3986's unreserved characters: one path segment or query value.
std::string PercentEncode(std::string_view text);

}  // namespace atelier::cli
