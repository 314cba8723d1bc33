// From JSON and forms to what a worker computes on.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "api/http/form.h"
#include "base/json.h"
#include "base/result.h"
#include "serving/predictor.h"

namespace atelier::api {

inline constexpr size_t kMaxInstances = 4096;  // a request

// Strict base64 (RFC 4648, section 4), padded; a "data:...;base64," before it is skipped. Errors: kInvalidArgument on
// `param`.
Result<std::string> DecodeBase64(std::string_view text, const std::string& param);

// A number, a nested list of numbers, {"image": base64}, {"text": ...}, a record or a string. Errors: kInvalidArgument.
Result<serving::Instance> ParseInstance(const json::value& value, const std::string& param);
// "inputs" (a list) or "input" (one) of the body that `fields` reads.
Result<std::vector<serving::Instance>> ParseInstances(const json::object& body, Fields& fields);
// Each file is one picture.
Result<std::vector<serving::Instance>> FormInstances(http::Form& form);

// Appends a nested list's numbers in row-major order, and its shape when it is empty; a ragged list is an error.
Status AppendTensor(const json::value& value, const std::string& param, serving::Tensor& tensor);

}  // namespace atelier::api
