// Ends an answer at a stop string or a stop token.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "engine/sampling/pattern_set.h"

namespace atelier::engine {

inline constexpr size_t kMaxStopStrings = 16;
inline constexpr size_t kMaxStopBytes = 1000;

struct StopOptions {
  std::vector<std::string> strings{};  // at most 16, each of 1 to 1,000 bytes of UTF-8
  std::vector<int32_t> token_ids{};    // the request's own and the model's end tokens
  bool include_stop_text = false;      // vLLM's include_stop_str_in_output
};

struct StopOutput {
  std::string text;                 // what may be shown now
  std::optional<std::string> stop;  // the stop string that was found: the answer ends here
};

// Watches the text of one answer as it is generated. The answer ends at the first byte with which a stop string ends,
// wherever the pieces are cut; of stop strings that end there the longest counts, and the text before it is shown. Text
// that may be the start of a stop string is held back until that is decided. Text of whole code points comes out in
// whole code points. Not thread-safe.
class StopMatcher {
 public:
  // Errors: kInvalidArgument on "stop": too many, empty, too long, no UTF-8.
  static Result<StopMatcher> Make(StopOptions options);

  // Takes the next piece of text. Nothing comes after the stop.
  StopOutput Push(std::string_view text);
  // The same for text in which the answer may not end yet (min_tokens): shown at once, no stop string begins in it.
  std::string PushThrough(std::string_view text);
  // The answer ended by itself: what was held back.
  std::string Finish();

  bool stopped() const { return stopped_; }
  bool IsStopToken(int32_t token) const;

 private:
  explicit StopMatcher(StopOptions options);

  std::vector<int32_t> token_ids_;  // in order
  bool include_stop_text_;
  PatternSet patterns_;
  std::string held_;
  bool stopped_ = false;
};

}  // namespace atelier::engine
