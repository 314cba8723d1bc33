// The text of one setting to its typed value.
#pragma once

#include <string>
#include <string_view>

#include "base/result.h"
#include "base/settings.h"

namespace atelier {

// Checks `text` against the descriptor and puts the value into `settings`, which is unchanged on failure. `home`
// replaces "~" in paths. Errors: kInvalidArgument whose message does not name the source.
Status AssignSetting(Settings& settings, const SettingDescriptor& descriptor, std::string_view text,
                     const std::string& home);

}  // namespace atelier
