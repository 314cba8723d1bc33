#include "text/stream_decoder.h"

#include <utility>

#include "text/tokenizers/tokenizer_base.h"
#include "text/utf8.h"

namespace atelier::text {

StreamDecoder::StreamDecoder(const Tokenizer& tokenizer, bool at_start)
    : tokenizer_(tokenizer), drop_space_(at_start && DropsFirstSpace(tokenizer.spec())) {}

std::string StreamDecoder::Push(int32_t id) {
  std::string_view bytes = tokenizer_.Bytes(id);
  if (drop_space_ && !bytes.empty()) {
    drop_space_ = false;
    bytes.remove_prefix(bytes.front() == ' ' ? 1 : 0);
  }
  return PushBytes(bytes);
}

std::string StreamDecoder::PushBytes(std::string_view bytes) {
  held_ += bytes;
  std::string out;
  size_t at = 0;
  while (at < held_.size()) {
    const Utf8Step step = ReadUtf8(held_, at);
    if (step.truncated) {
      break;
    }
    out += step.valid ? std::string_view(held_).substr(at, step.length) : kReplacementCharacter;
    at += step.length;
  }
  held_.erase(0, at);
  return out;
}

std::string StreamDecoder::Finish() { return ReplaceInvalidUtf8(std::exchange(held_, "")); }

}  // namespace atelier::text
