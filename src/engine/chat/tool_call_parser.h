// Splits generated text into content and tool calls.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "engine/chat/delta.h"
#include "engine/chat/formats.h"
#include "engine/chat/text_gate.h"

namespace atelier::engine::chat {

// Works byte by byte: where the pieces are cut makes no difference to what comes out in the end. Text is content until
// a mark of the format; what follows becomes calls as far as its reader commits it; the rest is content again, and is
// looked through for marks again. White space before a mark is dropped, and after the last call, too. Not thread-safe.
class ToolCallParser final : private CallSink {
 public:
  // `names`: see MakeCallReader. `make_id` gives the id of each call.
  ToolCallParser(ToolFormat format, std::vector<std::string> names, std::function<std::string()> make_id);

  void Feed(std::string_view text, DeltaList& out);
  // The text is complete: says what was held back. Nothing may follow.
  void Finish(DeltaList& out);
  int calls() const { return calls_; }  // how many started

 private:
  void Start(std::string name) override;
  void Arguments(std::string_view piece) override;
  void Commit() override;

  void Run();
  void StepText(char byte);
  void BeginReading(size_t from);
  void StopReading();
  void Content(std::string_view text) { out_->Text(DeltaKind::kContent, text); }

  const ToolFormat format_;
  const std::vector<std::string> names_;
  const std::function<std::string()> make_id_;
  TextGate gate_;
  DeltaList* out_ = nullptr;  // of the call that is running
  bool bare_object_;          // "{" would begin a call here
  int calls_ = 0;
  std::string buffer_;
  size_t cursor_ = 0;  // buffer_ up to here was looked at
  // While a reader is at work:
  std::unique_ptr<CallReader> reader_;
  std::string lead_;   // white space and mark before it; empty once it committed
  size_t anchor_ = 0;  // buffer_ up to here is committed
};

}  // namespace atelier::engine::chat
