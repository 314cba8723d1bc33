// A family's predictor as serving's interface: the two floors do not know each other.
#pragma once

#include <memory>

#include "families/predictor.h"
#include "serving/predictor.h"

namespace atelier::apps {

std::unique_ptr<serving::Predictor> Adapt(std::unique_ptr<families::Predictor> predictor);

}  // namespace atelier::apps
