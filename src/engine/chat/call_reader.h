// Reads tool calls in one format, byte by byte, from where its mark ends.
#pragma once

#include <string>
#include <string_view>

namespace atelier::engine::chat {

// Where a reader puts what it reads.
class CallSink {
 public:
  virtual ~CallSink() = default;
  // A call begins. Its arguments follow, in pieces.
  virtual void Start(std::string name) = 0;
  virtual void Arguments(std::string_view piece) = 0;
  // What was read up to and with the current byte has been said by the calls above. What a reader did not commit
  // becomes plain text again if it fails.
  virtual void Commit() = 0;
};

enum class Progress {
  kMore,
  kDone,    // the calls end with this byte, which was committed
  kFailed,  // no call, or no more of them: what was not committed is plain text
};

class CallReader {
 public:
  virtual ~CallReader() = default;
  virtual Progress Step(char byte, CallSink& sink) = 0;
};

}  // namespace atelier::engine::chat
