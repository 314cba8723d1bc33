// From other encodings to UTF-8, piece by piece.
#pragma once

#include <iconv.h>

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::data {

// What the option 'encoding' takes: "utf-8", "gb18030" (also GB 2312 and GBK, which it contains), "big5", "latin-1",
// "windows-1252", "utf-16", "shift-jis", "euc-kr".
std::span<const std::string_view> EncodingNames();

// Not thread-safe.
class Transcoder {
 public:
  static Result<Transcoder> Create(std::string_view encoding);  // one of EncodingNames()

  // The text as far as it is complete; it lives until the next call. An empty `bytes` is the end. Errors:
  // kInvalidArgument (bytes that are no text in this encoding, or cut off in a character).
  Result<std::string_view> Convert(std::string_view bytes);

 private:
  struct Close {
    void operator()(void* handle) const { ::iconv_close(handle); }
  };

  std::string name_;
  std::unique_ptr<void, Close> handle_;
  std::string rest_;  // the beginning of a character
  std::string out_;
  uint64_t done_ = 0;
};

}  // namespace atelier::data
