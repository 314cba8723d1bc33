#include "base/codes.h"

#include <gtest/gtest.h>

namespace atelier {
namespace {

// HTTP numbers as google.rpc.Code documents them, except out_of_range (our "too large") and failed_precondition (our
// "conflict with the state").
TEST(Codes, EachCodeHasItsHttpStatusAndName) {
  struct Row {
    Code code;
    std::string_view name;
    int http;
  };
  const Row rows[] = {
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
  };
  for (const auto& row : rows) {
    EXPECT_EQ(HttpStatus(MakeError(row.code, "")), row.http) << row.name;
    EXPECT_EQ(CodeName(row.code), row.name);
    EXPECT_EQ(CodeFromName(row.name), row.code) << row.name;
  }
  EXPECT_EQ(CodeFromName("no_such_code"), Code::kUnknown);
}

TEST(Codes, AnErrorWithoutReasonIsNamedByItsCode) {
  EXPECT_EQ(ReasonOf(MakeError(Code::kNotFound, "gone", "model_not_found")), "model_not_found");
  EXPECT_EQ(ReasonOf(MakeError(Code::kNotFound, "gone")), "not_found");
}

TEST(Codes, TheReasonRefinesTheStatus) {
  EXPECT_EQ(HttpStatus(InvalidArgument("", "", "unsupported_media_type")), 415);
  EXPECT_EQ(HttpStatus(InvalidArgument("", "", "unprocessable")), 422);
  EXPECT_EQ(HttpStatus(InvalidArgument("", "", "method_not_allowed")), 405);
  EXPECT_EQ(HttpStatus(MakeError(Code::kOutOfRange, "", "headers_too_large")), 431);
  EXPECT_EQ(HttpStatus(MakeError(Code::kOutOfRange, "", "uri_too_long")), 414);
  EXPECT_EQ(HttpStatus(MakeError(Code::kResourceExhausted, "", "storage_full")), 507);
  EXPECT_EQ(HttpStatus(InvalidArgument("", "", "some_other_reason")), 400);
}

TEST(Codes, AClientsMistakeIsNeverAServerError) {
  for (const int status : {400, 401, 404, 405, 413, 415, 422}) {
    EXPECT_EQ(OpenAiErrorType(status), "invalid_request_error") << status;
  }
  EXPECT_EQ(OpenAiErrorType(403), "permission_error");
  EXPECT_EQ(OpenAiErrorType(429), "requests");
  EXPECT_EQ(OpenAiErrorType(500), "server_error");
  EXPECT_EQ(OpenAiErrorType(503), "service_unavailable_error");
}

}  // namespace
}  // namespace atelier
