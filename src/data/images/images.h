// Folders of pictures as a format of data sets.
#pragma once

#include "data/formats/format.h"

namespace atelier::data {

extern const Format kImagesFormat;

}  // namespace atelier::data
