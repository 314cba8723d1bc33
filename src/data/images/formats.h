// Folders of pictures and of recordings, also inside tar and zip archives. They need OpenCV and libsndfile, so only
// jobs link them.
#pragma once

#include <span>

#include "data/importer.h"

namespace atelier::data {

// All formats: TabularFormats() and these.
std::span<const Format* const> AllFormats();

}  // namespace atelier::data
