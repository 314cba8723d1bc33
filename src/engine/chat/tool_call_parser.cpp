#include "engine/chat/tool_call_parser.h"

#include <algorithm>
#include <utility>

namespace atelier::engine::chat {

ToolCallParser::ToolCallParser(ToolFormat format, std::vector<std::string> names, std::function<std::string()> make_id)
    : format_(format),
      names_(std::move(names)),
      make_id_(std::move(make_id)),
      gate_(RowOf(format).marks),
      bare_object_(RowOf(format).bare_object) {}

void ToolCallParser::Start(std::string name) { out_->Start(calls_++, make_id_(), std::move(name)); }

void ToolCallParser::Arguments(std::string_view piece) { out_->Text(DeltaKind::kToolCallArguments, piece, calls_ - 1); }

void ToolCallParser::Commit() {
  anchor_ = cursor_;
  lead_.clear();
}

void ToolCallParser::BeginReading(size_t from) {
  lead_ = gate_.TakeHeld();
  anchor_ = from;
  cursor_ = from;
  reader_ = MakeCallReader(format_, names_);
}

void ToolCallParser::StopReading() {
  reader_.reset();
  Content(lead_);
  lead_.clear();
  cursor_ = anchor_;  // what was not committed is looked at as text
}

void ToolCallParser::StepText(char byte) {
  if (bare_object_ && !IsSpace(byte)) {
    bare_object_ = false;
    if (byte == '{') {
      BeginReading(cursor_ - 1);
      return;
    }
  }
  std::string released;
  const auto mark = gate_.Push(byte, released);
  Content(released);
  if (mark) {
    BeginReading(cursor_);
  }
}

void ToolCallParser::Run() {
  while (cursor_ < buffer_.size()) {
    const char byte = buffer_[cursor_++];
    if (reader_ == nullptr) {
      StepText(byte);
      continue;
    }
    const Progress progress = reader_->Step(byte, *this);
    if (progress == Progress::kDone) {
      reader_.reset();
    } else if (progress == Progress::kFailed) {
      StopReading();
    }
  }
}

void ToolCallParser::Feed(std::string_view text, DeltaList& out) {
  if (format_ == ToolFormat::kNone) {  // nothing to wait for
    out.Text(DeltaKind::kContent, text);
    return;
  }
  out_ = &out;
  buffer_.append(text);
  Run();
  const size_t done = reader_ == nullptr ? cursor_ : anchor_;
  buffer_.erase(0, done);
  cursor_ -= done;
  anchor_ = 0;
  out_ = nullptr;
}

void ToolCallParser::Finish(DeltaList& out) {
  out_ = &out;
  while (reader_ != nullptr) {
    StopReading();
    Run();
  }
  const std::string held = gate_.TakeHeld();
  if (calls_ == 0 || !std::all_of(held.begin(), held.end(), IsSpace)) {
    Content(held);
  }
  buffer_.clear();
  cursor_ = 0;
  out_ = nullptr;
}

}  // namespace atelier::engine::chat
