// What a handler gets and gives. Nothing here knows sockets.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "access/keys.h"
#include "api/http/form.h"
#include "api/http/head.h"
#include "api/http/sse.h"
#include "api/http/target.h"
#include "base/json.h"
#include "base/result.h"

namespace atelier::api {

enum class Method { kGet, kHead, kPost, kPut, kPatch, kDelete, kOptions };
std::optional<Method> MethodFromName(std::string_view name);
std::string_view Name(Method method);

struct Request {
  std::string id;  // x-request-id
  Method method = Method::kGet;
  const http::Head* head = nullptr;  // lives as long as the request
  http::Target target;
  http::Pairs params;  // of the route's pattern, decoded
  std::string body;    // JSON routes
  http::Form form;     // form routes
  bool is_form = false;
  std::string remote;  // address of the peer
  access::Role role = access::Role::kMember;
  std::string key_id;
  bool unrecorded = false;  // the server's own: not to be recorded as traffic

  // A quick handler may set it: called at most once, on an io thread, if the client goes away before the answer.
  std::function<void()> abandoned{};

  const std::string& Param(std::string_view name) const;
  std::optional<std::string_view> Header(std::string_view name) const { return head->Find(name); }
  std::optional<std::string_view> Query(std::string_view name) const { return target.Query(name); }
  // The body as one JSON object; an empty body is an empty object.
  Result<json::object> Json() const;
};

// Bytes of an answer that are not in memory. Not thread-safe; Read may block.
class BodySource {
 public:
  virtual ~BodySource() = default;
  virtual uint64_t size() const = 0;
  virtual Result<size_t> Read(std::span<std::byte> out) = 0;  // 0 at the end
};

// An answer without a known length: server-sent events, or lines. Not thread-safe; Next may block on the catalogue, but
// never waits for events.
class EventSource {
 public:
  virtual ~EventSource() = default;
  // Appends the events that are ready, in wire form. True: that was the end of the stream.
  virtual Result<bool> Next(std::string& out) = 0;
  // Whose changes end the wait between two calls of Next.
  virtual const std::string& topic() const = 0;
  // What is sent when there was nothing for a while.
  virtual std::string_view ping() const { return http::kPing; }
  // Whether it is over soon, so that a server that drains lets it go on.
  virtual bool ends() const { return false; }
};

struct Response;

// An answer that takes long and is sent when it is known. Not thread-safe; Poll may block on the catalogue, but never
// waits for events.
class PendingAnswer {
 public:
  virtual ~PendingAnswer() = default;
  virtual Result<std::optional<Response>> Poll() = 0;  // nothing: not yet
  virtual const std::string& topic() const = 0;        // whose changes end the wait between two calls
};

struct Response {
  int status = 200;
  std::string content_type = "application/json";
  std::string body;
  http::Pairs headers;
  std::unique_ptr<BodySource> source;        // instead of body
  std::unique_ptr<EventSource> events;       // instead of body
  std::unique_ptr<PendingAnswer> pending{};  // instead of all else
  int64_t worker_ns = 0;                     // of the handler's time, what a worker took
};

Response JsonResponse(const json::value& value, int status = 200);

// An error as a client may see it. What went wrong inside is logged with the request's id and told only as "internal
// error".
struct ClientError {
  int status = 500;
  std::string message;
  std::string reason;
  std::string param;
};
ClientError ForClient(const Error& error, std::string_view request_id, std::string_view path);
json::object OpenAiError(const ClientError& error);
json::object AnthropicError(const ClientError& error, std::string_view request_id);
// In the shape of the route's group: OpenAI's; Anthropic's for /v1/messages; that of the Open Inference Protocol and
// Ollama below /v2 and /api.
Response ErrorResponse(const Error& error, const Request& request);

// Paging of lists: limit 1..100 (default 20), order asc|desc, after.
struct PageQuery {
  std::string after;
  int limit = 20;
  bool descending = true;
};
Result<PageQuery> ParsePage(const Request& request, int max_limit = 100, int default_limit = 20);
// {"object":"list",...}; the items have an "id".
json::object ListObject(json::array items, bool has_more);

inline int64_t Seconds(int64_t unix_ms) { return unix_ms / 1000; }
// RFC 3339, UTC.
std::string Rfc3339(int64_t unix_ms);

}  // namespace atelier::api
