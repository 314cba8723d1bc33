#include "api/request.h"

#include <array>
#include <charconv>
#include <cstdio>
#include <ctime>

#include "base/codes.h"
#include "base/log.h"

namespace atelier::api {
namespace {

constexpr std::array<std::pair<Method, std::string_view>, 7> kMethods{{
    {Method::kGet, "GET"},
    {Method::kHead, "HEAD"},
    {Method::kPost, "POST"},
    {Method::kPut, "PUT"},
    {Method::kPatch, "PATCH"},
    {Method::kDelete, "DELETE"},
    {Method::kOptions, "OPTIONS"},
}};

json::value TextOrNull(const std::string& text) { return text.empty() ? json::value(nullptr) : json::value(text); }

// Below these codes the message may hold paths or SQL, and tells a client nothing it can act on.
bool IsInside(Code code) { return code == Code::kInternal || code == Code::kUnknown || code == Code::kDataLoss; }

enum class ErrorShape { kOpenAi, kAnthropic, kText };

ErrorShape ShapeOf(std::string_view path) {
  if (path == "/v2" || path.starts_with("/v2/") || path.starts_with("/api/")) {
    return ErrorShape::kText;  // Open Inference Protocol, Ollama
  }
  return path == "/v1/messages" || path.starts_with("/v1/messages/") ? ErrorShape::kAnthropic : ErrorShape::kOpenAi;
}

std::string_view AnthropicErrorType(int status) {
  switch (status) {
    case 401:
      return "authentication_error";
    case 403:
      return "permission_error";
    case 404:
      return "not_found_error";
    case 413:
      return "request_too_large";
    case 429:
      return "rate_limit_error";
    case 503:
      return "overloaded_error";
    default:
      return status >= 500 ? "api_error" : "invalid_request_error";
  }
}

}  // namespace

std::optional<Method> MethodFromName(std::string_view name) {
  for (const auto& [method, text] : kMethods) {
    if (text == name) {
      return method;
    }
  }
  return std::nullopt;
}

std::string_view Name(Method method) { return kMethods.at(static_cast<size_t>(method)).second; }

const std::string& Request::Param(std::string_view name) const {
  static const std::string kEmpty;
  for (const auto& [key, value] : params) {
    if (key == name) {
      return value;
    }
  }
  return kEmpty;
}

Result<json::object> Request::Json() const {
  if (body.empty()) {
    return json::object();
  }
  ATELIER_ASSIGN(value, ParseJson(body));
  if (!value.is_object()) {
    return InvalidArgument("the body must be a JSON object", "", "invalid_json");
  }
  return std::move(value.get_object());
}

Response JsonResponse(const json::value& value, int status) {
  Response response;
  response.status = status;
  response.body = json::serialize(value);
  return response;
}

ClientError ForClient(const Error& error, std::string_view request_id, std::string_view path) {
  ClientError out{HttpStatus(error), error.message, error.reason, error.param};
  if (IsInside(error.code) && out.status >= 500 && out.reason != "storage_full") {
    LogError("internal error", {{"request_id", request_id}, {"path", path}, {"error", error.message}});
    out.message = "internal error";
    out.reason.clear();
  }
  return out;
}

json::object OpenAiError(const ClientError& error) {
  return {{"error",
           {{"message", error.message},
            {"type", OpenAiErrorType(error.status)},
            {"param", TextOrNull(error.param)},
            {"code", TextOrNull(error.reason)}}}};
}

json::object AnthropicError(const ClientError& error, std::string_view request_id) {
  return {{"type", "error"},
          {"error", {{"type", AnthropicErrorType(error.status)}, {"message", error.message}}},
          {"request_id", request_id}};
}

Response ErrorResponse(const Error& error, const Request& request) {
  const ClientError seen = ForClient(error, request.id, request.target.path);
  const int status = seen.status;
  json::object body;
  switch (ShapeOf(request.target.path)) {
    case ErrorShape::kText:
      body["error"] = seen.message;
      break;
    case ErrorShape::kAnthropic:
      body = AnthropicError(seen, request.id);
      break;
    case ErrorShape::kOpenAi:
      body = OpenAiError(seen);
      break;
  }
  Response response = JsonResponse(body, status);
  if (status == 401) {
    response.headers.emplace_back("WWW-Authenticate", "Bearer");
  }
  if (error.retry_after_s.has_value()) {
    response.headers.emplace_back("Retry-After", std::to_string(*error.retry_after_s));
  } else if (status == 429 || status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  } else if (status == 409) {
    // Client libraries take a conflict for a passing one unless they are told.
    response.headers.emplace_back("x-should-retry", "false");
  }
  return response;
}

Result<PageQuery> ParsePage(const Request& request, int max_limit, int default_limit) {
  PageQuery page;
  page.limit = default_limit;
  if (const auto limit = request.Query("limit"); limit.has_value()) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), page.limit);
    if (error != std::errc() || end != limit->data() + limit->size() || page.limit < 1 || page.limit > max_limit) {
      return InvalidArgument("'limit' must be an integer from 1 to " + std::to_string(max_limit), "limit");
    }
  }
  if (const auto order = request.Query("order"); order.has_value()) {
    if (*order != "asc" && *order != "desc") {
      return InvalidArgument("'order' must be asc or desc", "order");
    }
    page.descending = *order == "desc";
  }
  page.after = request.Query("after").value_or("");
  return page;
}

json::object ListObject(json::array items, bool has_more) {
  json::object list{{"object", "list"}, {"first_id", nullptr}, {"last_id", nullptr}, {"has_more", has_more}};
  if (!items.empty()) {
    const auto id_of = [](const json::value& item) {
      const auto* id = item.as_object().if_contains("id");
      return id == nullptr ? json::value(nullptr) : *id;
    };
    list["first_id"] = id_of(items.front());
    list["last_id"] = id_of(items.back());
  }
  list["data"] = std::move(items);
  return list;
}

std::string Rfc3339(int64_t unix_ms) {
  const auto seconds = static_cast<std::time_t>(unix_ms / 1000);
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::array<char, 40> date{};
  const size_t length = std::strftime(date.data(), date.size(), "%Y-%m-%dT%H:%M:%S", &parts);
  std::array<char, 8> fraction{};
  std::snprintf(fraction.data(), fraction.size(), ".%03dZ", static_cast<int>(unix_ms % 1000));
  return std::string(date.data(), length) + fraction.data();
}

}  // namespace atelier::api
