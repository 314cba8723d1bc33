#include "atelier/cli/url.h"

#include <algorithm>
#include <charconv>

namespace atelier::cli {
namespace {

Error Wrong(std::string_view text, std::string_view why) {
  return InvalidArgument("'" + std::string(text) + "' is not a server address: " + std::string(why), "url", "usage");
}

bool IsDigit(char c) { return c >= '0' && c <= '9'; }
bool IsAlphanumeric(char c) { return IsDigit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

Status CheckPort(std::string_view text, std::string_view port) {
  int number = 0;
  const auto [end, ec] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (ec != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535) {
    return Wrong(text, "the port must be a number from 1 to 65535");
  }
  return {};
}

// Splits "host", "host:port", "[v6]" or "[v6]:port".
Status SplitAuthority(std::string_view text, std::string_view authority, Url& url) {
  std::string_view rest;
  if (authority.starts_with('[')) {
    const size_t close = authority.find(']');
    if (close == std::string_view::npos) {
      return Wrong(text, "']' is missing");
    }
    url.host = authority.substr(1, close - 1);
    rest = authority.substr(close + 1);
  } else {
    const size_t colon = authority.find(':');
    url.host = authority.substr(0, colon);
    rest = colon == std::string_view::npos ? "" : authority.substr(colon);
    const auto valid = [](char c) { return IsAlphanumeric(c) || c == '.' || c == '-' || c == '_'; };
    if (!std::all_of(url.host.begin(), url.host.end(), valid)) {
      return Wrong(text, "the host name has other characters than letters, digits, '.', '-' and '_'");
    }
  }
  if (url.host.empty()) {
    return Wrong(text, "the host is missing");
  }
  if (rest.empty()) {
    return {};
  }
  if (rest.front() != ':') {
    return Wrong(text, "':' and a port may follow the host");
  }
  url.port = rest.substr(1);
  return CheckPort(text, url.port);
}

}  // namespace

std::string Url::HostHeader() const {
  const std::string name = host.find(':') == std::string::npos ? host : "[" + host + "]";
  return port == (tls ? "443" : "80") ? name : name + ":" + port;
}

std::string Url::Text() const { return (tls ? "https://" : "http://") + HostHeader() + path; }

bool Url::IsLoopback() const { return host == "localhost" || host == "::1" || host.starts_with("127."); }

Result<Url> ParseUrl(std::string_view text) {
  Url url;
  std::string_view rest = text;
  const size_t scheme_end = text.find("://");
  if (scheme_end != std::string_view::npos) {
    const std::string_view scheme = text.substr(0, scheme_end);
    if (scheme != "http" && scheme != "https") {
      return Wrong(text, "it must begin with http:// or https://");
    }
    url.tls = scheme == "https";
    rest = text.substr(scheme_end + 3);
  }
  if (rest.find_first_of("@?#\\ ") != std::string_view::npos) {
    return Wrong(text, "it may hold a host, a port and a path only");
  }
  url.port = url.tls ? "443" : "80";
  const size_t slash = rest.find('/');
  ATELIER_TRY(SplitAuthority(text, rest.substr(0, slash), url));
  if (slash != std::string_view::npos) {
    url.path = rest.substr(slash);
    while (url.path.ends_with('/')) {
      url.path.pop_back();
    }
    const auto printable = [](char c) { return c > ' ' && c < 0x7f; };
    if (!std::all_of(url.path.begin(), url.path.end(), printable)) {
      return Wrong(text, "the path must be printable ASCII");
    }
  }
  return url;
}

std::string PercentEncode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    if (IsAlphanumeric(c) || c == '-' || c == '.' || c == '_' || c == '~') {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += {'%', kDigits[byte >> 4U], kDigits[byte & 15U]};
    }
  }
  return out;
}

}  // namespace atelier::cli
