// What steps over pictures and sounds need, of the module media.
#pragma once

#include "data/steps/media_tools.h"

namespace atelier::data {

// Lives for ever and has no state.
const steps::MediaTools& AllMediaTools();

}  // namespace atelier::data
