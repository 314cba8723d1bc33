// Answers of /v1/responses.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "api/text/run.h"
#include "base/clock.h"

namespace atelier::api::openai {

struct ResponseWish {
  std::string id;  // resp_...
  std::string request_id;
  json::object echo;  // what the answer repeats of the request
  bool logprobs = false;
  Clock* clock = nullptr;
  // Called with a whole answer that did not fail.
  std::function<void(const json::object& body, const json::array& output)> finished{};
};

// "status", "output" and the rest of a response that has ended well, or was cut short.
json::object ResponseObject(const ResponseWish& wish, const text::Answer& answer);
std::unique_ptr<text::StreamWriter> MakeResponseStream(ResponseWish wish);

}  // namespace atelier::api::openai
