// Whether and how tokens are drafted (speculation.h).
#pragma once

#include <cstdint>

namespace atelier::engine {

enum class SpeculationMode : uint8_t {
  kAuto,    // looks in prompt, answer and prediction, or asks the draft model; only where it pays
  kOff,     // one token a step
  kLookup,  // looks in prompt, answer and prediction, whatever a step costs here
  kModel,   // asks the draft model, the same
};

}  // namespace atelier::engine
