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
// The request must have `return_token_ids`: the stream begins with the number of the prompt's tokens.
std::unique_ptr<text::StreamWriter> MakeStream(Wish wish);

}  // namespace atelier::api::anthropic
