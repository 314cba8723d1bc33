#include "serving/wishes.h"

#include <algorithm>

#include "base/json.h"

namespace atelier::serving {

BatchOptions BatchOptionsOf(const boost::json::object& settings, const BatchOptions& defaults) {
  const auto within = [&](std::string_view key, int fallback, int64_t min, int64_t max) {
    return static_cast<int>(std::clamp(GetInt(settings, key, fallback), min, max));
  };
  return {within("max_batch", defaults.max_batch, 1, 4096), within("max_delay_us", defaults.max_delay_us, 0, 1'000'000),
          within("max_queue", defaults.max_queue, 1, 1'000'000)};
}

}  // namespace atelier::serving
