// The one table from error codes to the outside's numbers and words.
#pragma once

#include <string_view>

#include "base/result.h"

namespace atelier {

// HTTP status of an error. The reason refines the code where HTTP is finer than gRPC (413, 415, 422, 507 ...).
int HttpStatus(const Error& error);

// OpenAI's `error.type` for an HTTP status, e.g. "invalid_request_error".
std::string_view OpenAiErrorType(int http_status);

// Lower-case name of a code, e.g. "invalid_argument".
std::string_view CodeName(Code code);

// A machine word for an error: its reason, or else its code's name.
std::string ReasonOf(const Error& error);

// The code with that name, or kUnknown.
Code CodeFromName(std::string_view name);

}  // namespace atelier
