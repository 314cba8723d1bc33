// Lines of a text, in bounded memory.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "data/formats/input.h"

namespace atelier::data {

inline constexpr size_t kMaxLineBytes = size_t{8} << 20U;

// Lines end with LF or CRLF; a UTF-8 byte order mark at the start is left out. Not thread-safe.
class LineReader {
 public:
  // `reason` is that of its errors.
  LineReader(ChunkSource source, std::string name, std::string reason = "invalid_jsonl")
      : source_(std::move(source)), name_(std::move(name)), reason_(std::move(reason)) {}

  // false at the end. `line` lives until the next call. Errors: kInvalidArgument naming the line (longer than 8 MiB,
  // UTF-16), the source's.
  Result<bool> Next(std::string_view& line);
  // Next, for text: errors also where a line is no UTF-8 or holds a NUL.
  Result<bool> NextText(std::string_view& line);
  int64_t number() const { return number_; }  // of the last line, from 1

 private:
  ChunkSource source_;
  std::string name_;
  std::string reason_;
  std::string_view chunk_;
  std::string kept_;  // a line that spans pieces
  int64_t number_ = 0;
};

}  // namespace atelier::data
