// Serving of the sequence families.
#pragma once

#include <memory>

#include "families/learner.h"
#include "families/predictor.h"

namespace atelier::families {

Result<std::unique_ptr<Predictor>> OpenSequence(const ModelFiles& files, int threads);

}  // namespace atelier::families
