// Folders of pictures and of recordings as formats of data sets.
#pragma once

#include "data/formats/format.h"

namespace atelier::data {

extern const Format kImagesFormat;
extern const Format kAudioFormat;

}  // namespace atelier::data
