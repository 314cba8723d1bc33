// Every kind of step that there is, for the list in steps.cpp.
#pragma once

#include "data/steps/step.h"

namespace atelier::data::steps {

extern const StepKind kSelectStep;
extern const StepKind kDropStep;
extern const StepKind kRenameStep;
extern const StepKind kTargetStep;

}  // namespace atelier::data::steps
