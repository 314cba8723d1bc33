// The picture formats: folders of images, also inside tar and zip archives. Needs OpenCV, so only jobs link it.
#pragma once

#include <span>

#include "data/importer.h"

namespace atelier::data {

// All formats: TabularFormats() and the pictures.
std::span<const Format* const> AllFormats();

}  // namespace atelier::data
