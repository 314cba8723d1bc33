// What a generative model is for, by Hugging Face's names of tasks.
#pragma once

#include <string_view>

#include "engine/generation.h"

namespace atelier::engine {

inline std::string_view TaskName(const GenerativeDescription& description) {
  return description.generates ? "text-generation" : description.reranks ? "text-ranking" : "feature-extraction";
}

}  // namespace atelier::engine
