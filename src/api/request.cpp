#include "api/request.h"

#include <array>
#include <charconv>

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

Response ErrorResponse(const Error& error, const Request& request) {
  const int status = HttpStatus(error);
  std::string message = error.message;
  std::string reason = error.reason;
  if (IsInside(error.code) && status >= 500 && reason != "storage_full") {
    LogError("internal error", {{"request_id", request.id}, {"path", request.target.path}, {"error", error.message}});
    message = "internal error";
    reason.clear();
  }
  const bool kserve = request.target.path == "/v2" || request.target.path.starts_with("/v2/");
  json::object body;
  if (kserve) {
    body["error"] = message;
  } else {
    body["error"] = {{"message", message},
                     {"type", OpenAiErrorType(status)},
                     {"param", TextOrNull(error.param)},
                     {"code", TextOrNull(reason)}};
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

Result<PageQuery> ParsePage(const Request& request) {
  PageQuery page;
  if (const auto limit = request.Query("limit"); limit.has_value()) {
    const auto [end, error] = std::from_chars(limit->data(), limit->data() + limit->size(), page.limit);
    if (error != std::errc() || end != limit->data() + limit->size() || page.limit < 1 || page.limit > 100) {
      return InvalidArgument("'limit' must be an integer from 1 to 100", "limit");
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

}  // namespace atelier::api
