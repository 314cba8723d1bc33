// URLs as libcurl reads them, so that what is checked is what is fetched.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::hub {

struct Url {
  std::string text;    // whole, normal form, without a fragment
  std::string scheme;  // "https" | "http"
  std::string host;    // lower case; an IPv6 address in brackets
  std::string port;    // always there
  std::string path;    // as in the URL, encoded

  std::string origin() const { return scheme + "://" + host + ":" + port; }
  // Without the query, which may hold a signature: for messages and logs.
  std::string ForPeople() const { return scheme + "://" + host + path; }
};

// Absolute, HTTP or HTTPS, no user and password in it. Errors: kInvalidArgument "url_not_allowed".
Result<Url> ParseUrl(const std::string& text);
// A Location header as seen from `base`. Errors: as ParseUrl.
Result<Url> ResolveUrl(const Url& base, const std::string& location);

// Everything but letters, digits and -._~ becomes %XX; with `slashes`, '/' stays, too.
std::string EncodeUrl(std::string_view text, bool slashes = false);
// The last segment of a path, decoded; empty where that is no text.
std::string LastSegment(const std::string& path);

}  // namespace atelier::hub
