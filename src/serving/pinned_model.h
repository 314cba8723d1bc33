// A LanguageModel over a worker of the manager's.
#pragma once

#include <cstdint>
#include <memory>

#include "base/clock.h"
#include "serving/language_model.h"
#include "serving/routing.h"

namespace atelier::serving {

struct PinnedLimits {
  int64_t generate_timeout_ms = 0;  // of a request that names none
  int64_t answer_timeout_ms = 0;    // of the others
};

// The lease's signature is that of a generative model. Borrows the clock.
std::shared_ptr<LanguageModel> PinModel(RoutedLease routed, Clock& clock, PinnedLimits limits);

}  // namespace atelier::serving
