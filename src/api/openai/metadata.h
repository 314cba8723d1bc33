// `metadata` of OpenAI's objects: at most 16 texts that a client keeps with them.
#pragma once

#include "base/json.h"
#include "base/result.h"

namespace atelier::api::openai {

// Empty where it is absent. Errors: kInvalidArgument (too many, names above 64 or texts above 512 characters, no
// texts).
Result<json::object> ReadMetadata(Fields& fields);

}  // namespace atelier::api::openai
