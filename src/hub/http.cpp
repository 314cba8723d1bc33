#include "hub/http.h"

#include <curl/curl.h>
#include <sys/socket.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <memory>
#include <optional>

#include "hub/address.h"

namespace atelier::hub {
namespace {

constexpr int kMaxRedirects = 10;
constexpr long kConnectTimeoutS = 20;
constexpr long kSilenceS = 30;
constexpr size_t kMaxHeaders = 200;
constexpr size_t kMaxErrorBytes = 64U << 10U;

using Easy = std::unique_ptr<CURL, decltype(&curl_easy_cleanup)>;

class HeaderList {
 public:
  HeaderList() = default;
  ~HeaderList() { curl_slist_free_all(list_); }
  HeaderList(const HeaderList&) = delete;
  HeaderList& operator=(const HeaderList&) = delete;
  void Add(const std::string& name, const std::string& value) {
    if (auto* longer = curl_slist_append(list_, (name + ": " + value).c_str()); longer != nullptr) {
      list_ = longer;
    }
  }
  curl_slist* get() const { return list_; }

 private:
  curl_slist* list_ = nullptr;
};

// What libcurl's callbacks see of one exchange.
struct Exchange {
  CURL* easy;
  HttpAnswer& answer;
  const HttpSink& sink;
  const std::function<bool()>& cancelled;
  size_t max_body_bytes;
  bool check_address;
  std::optional<Error> error{};
};

std::string Lower(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  return lower;
}

std::string_view Trim(std::string_view text) {
  while (!text.empty() && static_cast<unsigned char>(text.front()) <= ' ') {
    text.remove_prefix(1);
  }
  while (!text.empty() && static_cast<unsigned char>(text.back()) <= ' ') {
    text.remove_suffix(1);
  }
  return text;
}

size_t OnHeader(const char* data, size_t /*one*/, size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view line(data, size);
  if (line.starts_with("HTTP/")) {
    exchange.answer.headers.clear();  // an answer before this one was only a 1xx
    return size;
  }
  const auto colon = line.find(':');
  if (colon == std::string_view::npos || exchange.answer.headers.size() >= kMaxHeaders) {
    return size;
  }
  std::string name = Lower(Trim(line.substr(0, colon)));
  std::string value(Trim(line.substr(colon + 1)));
  if (name == "x-linked-etag" || name == "x-linked-size" || name == "x-repo-commit") {
    exchange.answer.linked.emplace(name, value);  // the first that says so counts
  }
  exchange.answer.headers[std::move(name)] = std::move(value);
  return size;
}

int StatusOf(CURL* easy) {
  long status = 0;
  curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
  return static_cast<int>(status);
}

size_t OnBody(const char* data, size_t /*one*/, size_t size, void* context) {
  auto& exchange = *static_cast<Exchange*>(context);
  const std::string_view bytes(data, size);
  exchange.answer.status = StatusOf(exchange.easy);
  const bool success = exchange.answer.status >= 200 && exchange.answer.status < 300;
  if (success && exchange.sink) {
    if (Status taken = exchange.sink(exchange.answer, bytes); !taken.ok()) {
      exchange.error = std::move(taken).error();
      return 0;
    }
    return size;
  }
  std::string& body = exchange.answer.body;
  if (!success) {
    body += bytes.substr(0, kMaxErrorBytes - std::min(kMaxErrorBytes, body.size()));
  } else if (body.size() + size > exchange.max_body_bytes) {
    exchange.error = MakeError(Code::kOutOfRange, "the hub's answer is too large", "answer_too_large");
    return 0;
  } else {
    body += bytes;
  }
  return size;
}

int OnProgress(void* context, curl_off_t /*total*/, curl_off_t /*now*/, curl_off_t /*up*/, curl_off_t /*sent*/) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (exchange.cancelled && exchange.cancelled()) {
    exchange.error = MakeError(Code::kCancelled, "the transfer was cancelled");
    return 1;
  }
  return 0;
}

Error NotAllowed(const std::string& why) { return InvalidArgument(why, "source", "url_not_allowed"); }

curl_socket_t OnSocket(void* context, curlsocktype /*purpose*/, curl_sockaddr* address) {
  auto& exchange = *static_cast<Exchange*>(context);
  if (exchange.check_address && !IsPublicAddress(&address->addr)) {
    exchange.error =
        NotAllowed("the URL leads to an address that is not public (see the setting hub.private_addresses)");
    return CURL_SOCKET_BAD;
  }
  return ::socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
}

bool ProxyInEnvironment() {
  for (const char* name : {"https_proxy", "HTTPS_PROXY", "http_proxy", "all_proxy", "ALL_PROXY"}) {
    if (const char* value = std::getenv(name); value != nullptr && *value != '\0') {
      return true;
    }
  }
  return false;
}

bool IsRedirect(int status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

}  // namespace

struct Http::Hop {
  Url url;
  bool checked = false;     // its address must be public
  bool use_proxy = true;    // of the environment
  bool credential = false;  // whether it may have it
};

std::string HttpAnswer::Header(const std::string& name) const {
  const auto found = headers.find(name);
  return found == headers.end() ? "" : found->second;
}

Http::Http(HttpOptions options) : options_(std::move(options)) {
  static const CURLcode started = curl_global_init(CURL_GLOBAL_DEFAULT);  // once, whatever the number of objects
  static_cast<void>(started);
}

bool Http::Trusted(const Url& url) const {
  return options_.private_addresses || std::ranges::find(options_.trusted, url.origin()) != options_.trusted.end();
}

Result<HttpAnswer> Http::Get(const HttpRequest& request, const HttpSink& sink) const {
  HttpAnswer answer;
  const bool begins_trusted = options_.private_addresses || (!request.foreign && Trusted(request.url));
  const bool proxied = begins_trusted && ProxyInEnvironment();
  Hop hop{request.url, !begins_trusted, begins_trusted, request.credential != nullptr};
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    if (hop.checked && hop.url.scheme != "https") {
      return NotAllowed("the URL must be https:// (see the setting hub.private_addresses)");
    }
    answer.status = 0;
    answer.headers.clear();
    answer.body.clear();
    ATELIER_TRY(Fetch(request, hop, sink, answer));
    const std::string location = answer.Header("location");
    if (!IsRedirect(answer.status) || location.empty()) {
      return answer;
    }
    ATELIER_ASSIGN(next, ResolveUrl(hop.url, location));
    if (hop.url.scheme == "https" && next.scheme != "https") {
      return NotAllowed("a redirect leads from https to http");
    }
    hop.credential = hop.credential && next.origin() == hop.url.origin();
    hop.checked = !(begins_trusted && Trusted(next)) && !proxied;
    hop.url = std::move(next);
  }
  return FailedPrecondition(
      "there are more than " + std::to_string(kMaxRedirects) + " redirects at " + request.url.ForPeople(),
      "too_many_redirects");
}

Status Http::Fetch(const HttpRequest& request, const Hop& hop, const HttpSink& sink, HttpAnswer& answer) const {
  const Easy easy(curl_easy_init(), curl_easy_cleanup);
  if (easy == nullptr) {
    return Internal("no transfer can be begun");
  }
  HeaderList headers;
  for (const auto& [name, value] : request.headers) {
    headers.Add(name, value);
  }
  headers.Add("Accept-Encoding", "identity");
  if (hop.credential && !request.credential->header.empty()) {
    headers.Add(request.credential->header, request.credential->value.Reveal());
  }
  Exchange exchange{easy.get(), answer, sink, options_.cancelled, options_.max_body_bytes, hop.checked};
  const auto set = [&](CURLoption option, auto value) { curl_easy_setopt(easy.get(), option, value); };
  set(CURLOPT_URL, hop.url.text.c_str());
  set(CURLOPT_PROTOCOLS_STR, "https,http");
  set(CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_1_1));
  set(CURLOPT_FOLLOWLOCATION, 0L);
  set(CURLOPT_NOSIGNAL, 1L);
  set(CURLOPT_CONNECTTIMEOUT, kConnectTimeoutS);
  set(CURLOPT_LOW_SPEED_LIMIT, 1L);
  set(CURLOPT_LOW_SPEED_TIME, kSilenceS);
  set(CURLOPT_USERAGENT, "atelier");
  set(CURLOPT_HTTPHEADER, headers.get());
  set(CURLOPT_HEADERFUNCTION, OnHeader);
  set(CURLOPT_HEADERDATA, &exchange);
  set(CURLOPT_WRITEFUNCTION, OnBody);
  set(CURLOPT_WRITEDATA, &exchange);
  set(CURLOPT_NOPROGRESS, 0L);
  set(CURLOPT_XFERINFOFUNCTION, OnProgress);
  set(CURLOPT_XFERINFODATA, &exchange);
  set(CURLOPT_OPENSOCKETFUNCTION, OnSocket);
  set(CURLOPT_OPENSOCKETDATA, &exchange);
  if (!hop.use_proxy) {
    set(CURLOPT_NOPROXY, "*");
  }
  const CURLcode code = curl_easy_perform(easy.get());
  if (code != CURLE_OK) {
    if (exchange.error.has_value()) {
      return std::move(*exchange.error);
    }
    return Unavailable("the connection to " + hop.url.host + " failed: " + curl_easy_strerror(code),
                       "connection_failed");
  }
  answer.status = StatusOf(easy.get());
  return {};
}

Error ErrorOfStatus(const HttpAnswer& answer, const std::string& what) {
  std::string said = answer.Header("x-error-message");
  said = said.empty() ? "" : ": " + said.substr(0, 300);
  const int status = answer.status;
  if (status == 401 || status == 403) {
    return MakeError(Code::kPermissionDenied, what + " is private, gated or absent" + said, "hub_access_denied");
  }
  if (status == 404 || status == 410) {
    return NotFound(what + " is not there" + said, "hub_not_found");
  }
  std::optional<int> wait;
  const std::string text = answer.Header("retry-after");
  int seconds = 0;
  if (std::from_chars(text.data(), text.data() + text.size(), seconds).ec == std::errc() && seconds >= 0) {
    wait = seconds;
  }
  const std::string answered = what + ": the hub answered " + std::to_string(status) + said;
  if (status == 429) {
    return Error{Code::kResourceExhausted, answered + " (too many requests)", "rate_limited", "", wait};
  }
  if (status == 408 || status >= 500) {
    return Error{Code::kUnavailable, answered, "hub_unavailable", "", wait};
  }
  return FailedPrecondition(answered, "hub_refused");
}

}  // namespace atelier::hub
