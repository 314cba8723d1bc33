// Answers of /api/chat and /api/generate: one object, or lines of them.
#pragma once

#include <memory>
#include <string>

#include "api/text/run.h"
#include "base/clock.h"
#include "base/json.h"

namespace atelier::api::ollama {

struct Wish {
  std::string model;
  std::string request_id;
  bool chat = false;  // else generate
  Clock* clock = nullptr;
};

// The head that all objects have: model and created_at.
json::object Head(const Wish& wish);
json::object WholeAnswer(const Wish& wish, const text::Answer& answer);
std::unique_ptr<text::StreamWriter> MakeLines(Wish wish);

}  // namespace atelier::api::ollama
