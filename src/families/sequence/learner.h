// Training and measuring of the sequence families, by the contract of families/learner.h.
#pragma once

#include <memory>

#include "families/learner.h"

namespace atelier::families {

Result<std::unique_ptr<Learner>> LearnSequence(const LearnInput& input);
Result<Outcomes> MeasureSequence(const ModelFiles& files, const MeasureInput& input);

}  // namespace atelier::families
