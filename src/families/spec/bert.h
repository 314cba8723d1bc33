// The family of encoders: bert.
#pragma once

#include <string_view>

#include "families/spec/families.h"

namespace atelier::families {

std::span<const Setting> BertSettings();
std::span<const Default> BertDefaults();
// Of a training that goes on from a model (Devlin et al., arXiv:1810.04805, appendix A.3).
std::span<const Default> BertFineTuning();

// Resolves `task` and the columns `text`, `text_pair` and `target`; `hidden` and `warmup_steps` become numbers. Checks
// that a base is an encoder: of the family bert, or one that was imported.
Result<boost::json::object> FitBert(const FitInput& input);

}  // namespace atelier::families
