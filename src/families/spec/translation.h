// The family that turns one text into another: translation, spelling to sounds, and other pairs of text columns.
#pragma once

#include "families/spec/families.h"

namespace atelier::families {

std::span<const Setting> TranslationSettings();
std::span<const Default> TranslationDefaults();

// Fills in source and target where the data set has two text columns only. Errors: kInvalidArgument (a column that is
// missing or no text, source and target the same, a width that the heads do not divide, a base of another family or
// with other columns), as CheckTrainRows.
Result<boost::json::object> FitTranslation(const FitInput& input);

}  // namespace atelier::families
