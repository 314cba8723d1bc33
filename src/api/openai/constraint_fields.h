// What an answer must look like: response_format, and vLLM's guided_* and structured_outputs.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::api::openai {

// At most one of them may be there. Errors: kInvalidArgument on the field.
Result<engine::OutputConstraint> ReadConstraint(const json::object& body);

// `format`: {"type": "text" | "json_object" | "json_schema", "json_schema": {"name", "schema", ...}}. With `flat` name
// and schema stand beside the type, as in /v1/responses. `path` names it in errors.
Result<engine::OutputConstraint> ReadFormat(const json::object& format, const std::string& path, bool flat);

}  // namespace atelier::api::openai
