#include "base/codes.h"

#include <array>

namespace atelier {
namespace {

struct CodeRow {
  Code code;
  std::string_view name;
  int http;
};
constexpr std::array<CodeRow, 17> kCodes{{
    {Code::kOk, "ok", 200},
    {Code::kCancelled, "cancelled", 499},
    {Code::kUnknown, "unknown", 500},
    {Code::kInvalidArgument, "invalid_argument", 400},
    {Code::kDeadlineExceeded, "deadline_exceeded", 504},
    {Code::kNotFound, "not_found", 404},
    {Code::kAlreadyExists, "already_exists", 409},
    {Code::kPermissionDenied, "permission_denied", 403},
    {Code::kResourceExhausted, "resource_exhausted", 429},
    {Code::kFailedPrecondition, "failed_precondition", 409},
    {Code::kAborted, "aborted", 409},
    {Code::kOutOfRange, "out_of_range", 413},
    {Code::kUnimplemented, "unimplemented", 501},
    {Code::kInternal, "internal", 500},
    {Code::kUnavailable, "unavailable", 503},
    {Code::kDataLoss, "data_loss", 500},
    {Code::kUnauthenticated, "unauthenticated", 401},
}};

struct ReasonRow {
  std::string_view reason;
  int http;
};
constexpr std::array<ReasonRow, 9> kReasons{{
    {"method_not_allowed", 405},
    {"request_timeout", 408},
    {"request_too_large", 413},
    {"uri_too_long", 414},
    {"unsupported_media_type", 415},
    {"misdirected_request", 421},
    {"unprocessable", 422},
    {"headers_too_large", 431},
    {"storage_full", 507},
}};

struct TypeRow {
  int http;
  std::string_view type;
};
constexpr std::array<TypeRow, 4> kTypes{{
    {403, "permission_error"},
    {409, "conflict_error"},
    {429, "requests"},
    {503, "service_unavailable_error"},
}};

}  // namespace

int HttpStatus(const Error& error) {
  for (const auto& row : kReasons) {
    if (row.reason == error.reason) {
      return row.http;
    }
  }
  return kCodes.at(static_cast<size_t>(error.code)).http;
}

std::string_view OpenAiErrorType(int http_status) {
  for (const auto& row : kTypes) {
    if (row.http == http_status) {
      return row.type;
    }
  }
  return http_status >= 500 ? "server_error" : "invalid_request_error";
}

std::string_view CodeName(Code code) { return kCodes.at(static_cast<size_t>(code)).name; }

std::string ReasonOf(const Error& error) {
  return error.reason.empty() ? std::string(CodeName(error.code)) : error.reason;
}

Code CodeFromName(std::string_view name) {
  for (const auto& row : kCodes) {
    if (row.name == name) {
      return row.code;
    }
  }
  return Code::kUnknown;
}

}  // namespace atelier
