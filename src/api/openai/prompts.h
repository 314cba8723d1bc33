// Texts that come as strings or as token ids, one or many.
#pragma once

#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::api::openai {

inline constexpr size_t kMaxPrompts = 2048;

// The field `name`: a string, a list of strings, a list of token ids, or a list of such lists. `add_special` is for the
// strings. Errors: kInvalidArgument on the field: missing, empty, mixed, too many.
Result<std::vector<engine::Prompt>> ReadPrompts(const json::object& body, std::string_view name, bool add_special);

}  // namespace atelier::api::openai
