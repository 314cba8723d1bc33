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

GenerativeOptions GenerativeOptionsOf(const boost::json::object& settings) {
  GenerativeOptions out;
  for (const GenerativeSetting& setting : kGenerativeSettings) {
    if (settings.contains(setting.name)) {
      out.*setting.member = std::clamp(GetInt(settings, setting.name), setting.min, setting.max);
    }
  }
  out.speculation = GetString(settings, "speculation");
  return out;
}

}  // namespace atelier::serving
