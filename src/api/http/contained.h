// What handlers compute, kept from taking the server down.
#pragma once

#include <exception>
#include <string>

#include "base/result.h"

namespace atelier::api::http {

// run(), a Result. Nothing of ours throws; should a library do so after all, only this request fails. Errors: its, and
// kInternal.
template <class Run>
auto Contained(const Run& run) -> decltype(run()) {
  try {
    return run();
  } catch (const std::exception& exception) {
    return Internal(std::string("a handler threw: ") + exception.what());
  }
}

}  // namespace atelier::api::http
