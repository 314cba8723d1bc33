// Training and measuring of models that are one chain of layers (mlp, cnn).
#pragma once

#include "families/model.h"

namespace atelier::families {

Result<std::unique_ptr<Learner>> LearnChain(const LearnInput& input);
Result<Outcomes> MeasureChain(const ModelFiles& files, const MeasureInput& input);

}  // namespace atelier::families
