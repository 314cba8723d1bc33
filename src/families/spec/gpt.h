// The family of language models: gpt, in the shapes of Llama and GPT-2.
#pragma once

#include "families/spec/families.h"

namespace atelier::families {

// What a language model learns from.
enum class Material : uint8_t {
  kText,          // column `text`
  kInstructions,  // `instruction`, `output` and perhaps `input`
  kChat,          // `messages`, or `conversations`: a JSON list of objects with role and content
  kCompletions,   // `prompt`, `completion`: continued as they stand
  kPreferences,   // `prompt` (or `conversations`), `chosen`, `rejected`: each a text or, as JSON, messages
};
std::string_view Name(Material material);

// What the columns are. Errors: kInvalidArgument "dataset_unsuitable" on `dataset`, naming the columns that would do.
Result<Material> MaterialOf(const data::Manifest& manifest);

std::span<const Setting> GptSettings();
std::span<const Default> GptDefaults();

// Checks columns and rows, that the width fits the heads, and that an adapter or a preference has a model to go on
// from: one of the family "llm". `hidden` and `kv_heads` become numbers.
Result<boost::json::object> FitGpt(const FitInput& input);

}  // namespace atelier::families
