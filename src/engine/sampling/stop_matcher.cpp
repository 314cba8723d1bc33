#include "engine/sampling/stop_matcher.h"

#include <algorithm>
#include <utility>

#include "base/ids.h"

namespace atelier::engine {

StopMatcher::StopMatcher(StopOptions options)
    : token_ids_(std::move(options.token_ids)),
      include_stop_text_(options.include_stop_text),
      patterns_(std::move(options.strings)) {
  std::sort(token_ids_.begin(), token_ids_.end());
}

Result<StopMatcher> StopMatcher::Make(StopOptions options) {
  if (options.strings.size() > kMaxStopStrings) {
    return InvalidArgument("stop has " + std::to_string(options.strings.size()) + " strings, at most " +
                               std::to_string(kMaxStopStrings) + " are allowed",
                           "stop");
  }
  for (const std::string& text : options.strings) {
    if (text.empty() || text.size() > kMaxStopBytes) {
      return InvalidArgument("a stop string must have 1 to " + std::to_string(kMaxStopBytes) + " bytes, got " +
                                 std::to_string(text.size()),
                             "stop");
    }
    if (!IsUtf8(text)) {
      return InvalidArgument("a stop string is not well-formed UTF-8", "stop");
    }
  }
  return StopMatcher(std::move(options));
}

StopOutput StopMatcher::Push(std::string_view text) {
  StopOutput output;
  if (stopped_) {
    return output;
  }
  for (const char byte : text) {
    held_.push_back(byte);
    const auto found = patterns_.Step(byte);
    if (found) {
      stopped_ = true;
      output.stop = patterns_.pattern(*found);
      held_.resize(held_.size() - (include_stop_text_ ? 0 : output.stop->size()));
      break;
    }
  }
  const size_t shown = stopped_ ? held_.size() : held_.size() - patterns_.held();
  output.text = held_.substr(0, shown);
  held_.erase(0, shown);
  return output;
}

std::string StopMatcher::PushThrough(std::string_view text) {
  if (stopped_) {
    return "";
  }
  patterns_.Reset();
  return std::exchange(held_, "").append(text);
}

std::string StopMatcher::Finish() { return std::exchange(held_, ""); }

bool StopMatcher::IsStopToken(int32_t token) const {
  return std::binary_search(token_ids_.begin(), token_ids_.end(), token);
}

}  // namespace atelier::engine
