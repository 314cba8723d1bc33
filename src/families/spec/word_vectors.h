// The families of word vectors: word2vec and glove.
#pragma once

#include <string>
#include <vector>

#include "families/spec/families.h"

namespace atelier::families {

std::span<const Setting> Word2vecSettings();
std::span<const Default> Word2vecDefaults();
std::span<const Setting> GloveSettings();
std::span<const Default> GloveDefaults();

// Whether the data set has rows and text to learn from; `columns` becomes the list of the columns that are read.
// Errors: kInvalidArgument "dataset_unsuitable" where none is text, and on `settings.columns` where one is no column of
// text.
Result<boost::json::object> FitWordVectors(const FitInput& input);

}  // namespace atelier::families
