// One request and its answer on a connection.
#pragma once

#include <string>

#include "api/http/connection.h"

namespace atelier::api::http {

struct Connection::Exchange {
  std::string text;  // the head as received; `head` borrows it
  Head head;
  Request request;
  const Route* route = nullptr;
  Timing timing;
  bool keep = false;          // the connection goes on after the answer
  bool body_pending = false;  // part of the body was not read

  Exchange() = default;
  Exchange(const Exchange&) = delete;
  Exchange& operator=(const Exchange&) = delete;
};

}  // namespace atelier::api::http
