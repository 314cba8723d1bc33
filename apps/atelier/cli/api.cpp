#include "atelier/cli/api.h"

#include "atelier/cli/url.h"
#include "base/codes.h"
#include "base/ids.h"
#include "base/json.h"
#include "base/rng.h"

namespace atelier::cli {
namespace {

constexpr JsonLimits kAnswerLimits{.max_bytes = 256U << 20U, .max_depth = 64};

Code CodeOfStatus(int status) {
  switch (status) {
    case 401:
      return Code::kUnauthenticated;
    case 403:
      return Code::kPermissionDenied;
    case 404:
      return Code::kNotFound;
    case 409:
      return Code::kFailedPrecondition;
    case 429:
      return Code::kResourceExhausted;
    case 503:
      return Code::kUnavailable;
    default:
      return status < 500 ? Code::kInvalidArgument : Code::kInternal;
  }
}

// RFC 7578 leaves the escaping of names to what browsers do: the three characters that would end the parameter.
std::string QuoteName(std::string_view name) {
  std::string out = "\"";
  for (const char c : name) {
    if (c == '"' || c == '\r' || c == '\n') {
      out += c == '"' ? "%22" : c == '\r' ? "%0D" : "%0A";
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace

Error ErrorOfAnswer(const HttpResponse& response) {
  Error error = MakeError(CodeOfStatus(response.status), "the server answered " + std::to_string(response.status),
                          "http_" + std::to_string(response.status));
  const auto body = ParseJson(response.body, kAnswerLimits);
  const auto* object = body.ok() ? body->if_object() : nullptr;
  const auto* inner = object == nullptr ? nullptr : object->if_contains("error");
  if (inner == nullptr) {
    return error;
  }
  if (inner->is_string()) {
    error.message = std::string(inner->get_string());
  } else if (const auto* fields = inner->if_object()) {
    error.message = GetString(*fields, "message", error.message);
    error.reason = GetString(*fields, "code", error.reason);
    error.param = GetString(*fields, "param");
  }
  return error;
}

Result<json::object> Api::Call(const HttpRequest& request) {
  ATELIER_ASSIGN(response, http_.Send(request));
  if (response.status < 200 || response.status >= 300) {
    return ErrorOfAnswer(response);
  }
  if (response.body.empty()) {
    return json::object{};
  }
  auto value = ParseJson(response.body, kAnswerLimits);
  if (!value.ok() || !value->is_object()) {
    return Unavailable("the answer of " + http_.options().url.Text() + " is not JSON: is it an Atelier server?",
                       "connection_failed");
  }
  return std::move(value->get_object());
}

Result<json::object> Api::Get(const std::string& target) { return Call({.target = target}); }

Result<json::object> Api::Delete(const std::string& target) { return Call({.method = "DELETE", .target = target}); }

Result<json::object> Api::SendJson(std::string method, const std::string& target, const json::object& body) {
  HttpRequest request{.method = std::move(method), .target = target, .content_type = "application/json"};
  request.body.push_back({.text = json::serialize(body)});
  return Call(request);
}

Result<json::object> Api::Post(const std::string& target, const json::object& body) {
  return SendJson("POST", target, body);
}

Result<json::object> Api::Put(const std::string& target, const json::object& body) {
  return SendJson("PUT", target, body);
}

Result<json::array> Api::List(const std::string& path, const std::string& query, size_t limit) {
  json::array items;
  std::string after;
  while (items.size() < limit) {
    const std::string page = std::to_string(std::min<size_t>(100, limit - items.size()));
    ATELIER_ASSIGN(answer, Get(path + "?limit=" + page + (query.empty() ? "" : "&" + query) +
                               (after.empty() ? "" : "&after=" + PercentEncode(after))));
    const auto* data = answer.if_contains("data");
    if (data == nullptr || !data->is_array()) {
      break;
    }
    for (const auto& item : data->get_array()) {
      items.push_back(item);
    }
    after = GetString(answer, "last_id");
    if (!GetBool(answer, "has_more") || after.empty() || data->get_array().empty()) {
      break;
    }
  }
  return items;
}

Multipart::Multipart() {
  SystemRng rng;
  boundary_ = NewId("atelier-", rng);
}

void Multipart::Field(std::string_view name, std::string_view value) {
  pieces_.push_back({.text = "--" + boundary_ + "\r\nContent-Disposition: form-data; name=" + QuoteName(name) +
                             "\r\n\r\n" + std::string(value) + "\r\n"});
}

void Multipart::File(std::string_view name, std::string_view filename, Source& source, uint64_t offset,
                     uint64_t length) {
  pieces_.push_back({.text = "--" + boundary_ + "\r\nContent-Disposition: form-data; name=" + QuoteName(name) +
                             "; filename=" + QuoteName(filename) +
                             "\r\nContent-Type: application/octet-stream\r\n\r\n"});
  pieces_.push_back({.source = &source, .offset = offset, .length = length});
  pieces_.push_back({.text = "\r\n"});
}

void Multipart::Finish(HttpRequest& request) {
  pieces_.push_back({.text = "--" + boundary_ + "--\r\n"});
  request.content_type = "multipart/form-data; boundary=" + boundary_;
  request.body = std::move(pieces_);
}

}  // namespace atelier::cli
