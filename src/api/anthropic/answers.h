// Answers of /v1/messages.
#pragma once

#include <memory>
#include <string>

#include "api/text/run.h"

namespace atelier::api::anthropic {

struct Wish {
  std::string id;  // msg_...
  std::string model;
  std::string request_id;
};

json::object Message(const Wish& wish, const text::Answer& answer);
std::unique_ptr<text::StreamWriter> MakeStream(Wish wish);

}  // namespace atelier::api::anthropic
