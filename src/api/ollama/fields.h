// What Ollama's requests have in common.
#pragma once

#include <string>
#include <utility>

#include "api/services.h"
#include "base/json.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::api::ollama {

// What a model of Ollama's naming is called here: without the tag ":latest", and with '-' for each '/' and ':', which
// names do not have here.
std::string LocalName(std::string model);

// "model" as LocalName. Errors: kInvalidArgument.
Result<std::string> ReadModel(Fields& fields);

struct Common {
  std::string model;
  bool stream = true;
  engine::GenerationRequest request;  // without a prompt
};
// model, options (with Ollama's defaults), format, stream, logprobs. Errors: kInvalidArgument on the field.
Result<Common> ReadCommon(Fields& fields, const json::object& body, Rng& rng);

// `think` as variables of the chat template; empty: none.
Result<std::string> ReadThink(const json::object& body);

// Messages in OpenAI's shape. Errors: kInvalidArgument.
Result<json::array> ReadMessages(Fields& fields);

// Errors: kInvalidArgument where there are pictures.
Status RefuseImages(Fields& fields);

}  // namespace atelier::api::ollama
