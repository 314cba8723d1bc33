// DeepSeek's tool calls, between marks of their own:
//   R1, V3   <｜tool▁calls▁begin｜> { <｜tool▁call▁begin｜>function<｜tool▁sep｜>NAME \n ```json \n {...} \n ```
//            <｜tool▁call▁end｜> } <｜tool▁calls▁end｜>
//   V3.1     <｜tool▁calls▁begin｜> { <｜tool▁call▁begin｜>NAME<｜tool▁sep｜>{...}<｜tool▁call▁end｜> }
//   <｜tool▁calls▁end｜>
#pragma once

#include <string>
#include <string_view>

#include "engine/chat/json_scanner.h"
#include "engine/chat/literal.h"
#include "engine/chat/object_reader.h"

namespace atelier::engine::chat {

inline constexpr std::string_view kDeepSeekCallsBegin = "<｜tool▁calls▁begin｜>";
inline constexpr std::string_view kDeepSeekCallsEnd = "<｜tool▁calls▁end｜>";
inline constexpr std::string_view kDeepSeekCallBegin = "<｜tool▁call▁begin｜>";
inline constexpr std::string_view kDeepSeekCallEnd = "<｜tool▁call▁end｜>";
inline constexpr std::string_view kDeepSeekSeparator = "<｜tool▁sep｜>";

// Reads both forms, which differ in what follows the separator.
class DeepSeekReader final : public CallReader {
 public:
  Progress Step(char byte, CallSink& sink) override;

 private:
  enum class Place { kList, kHead, kAfterSeparator, kName, kFence, kObject, kArguments, kTail };

  Progress List(char byte, CallSink& sink);
  Progress Head(char byte);
  Progress AfterSeparator(char byte, CallSink& sink);
  Progress Name(char byte);
  Progress Fence(char byte);
  Progress Object(char byte, CallSink& sink);
  Progress Arguments(char byte, CallSink& sink);
  Progress Tail(char byte, CallSink& sink);

  Place place_ = Place::kList;
  std::string text_;  // what stands before the separator, then the name
  Literal literal_;
  bool fence_closed_ = false;
  JsonScanner scanner_{false};
};

}  // namespace atelier::engine::chat
