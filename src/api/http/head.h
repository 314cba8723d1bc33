// The head of an HTTP/1 request, read strictly (RFC 9112): what a lenient parser might read differently is refused.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::api::http {

struct Field {
  std::string_view name;
  std::string_view value;  // without the white space around it
};

struct HeadLimits {
  size_t bytes = 32U << 10U;
  size_t fields = 100;
  size_t target_bytes = 8U << 10U;
};

// The views borrow the text that was parsed.
struct Head {
  std::string_view method;
  std::string_view target;
  int minor_version = 1;  // of HTTP/1.x: 0 or 1
  std::vector<Field> fields;
  std::optional<uint64_t> content_length{};
  bool chunked = false;
  bool keep_alive = true;
  bool expect_continue = false;

  bool has_body() const { return chunked || content_length.value_or(0) > 0; }
  // The first field with that name (any case).
  std::optional<std::string_view> Find(std::string_view name) const;
  size_t Count(std::string_view name) const;
};

bool EqualIgnoringCase(std::string_view a, std::string_view b);

// Finds the end of a head in bytes that arrive piece by piece; each byte is looked at once.
class HeadScanner {
 public:
  explicit HeadScanner(const HeadLimits& limits) : limits_(limits) {}

  // `bytes` is all that has arrived so far. The length of the head with its blank line, or 0 while it is incomplete.
  // Errors: kInvalidArgument "bad_request" (bare CR or LF, NUL), kOutOfRange "uri_too_long" | "headers_too_large".
  Result<size_t> Scan(std::string_view bytes);

 private:
  Status EndLine(size_t length);

  HeadLimits limits_;
  size_t position_ = 0;
  size_t line_start_ = 0;
  size_t lines_ = 0;
};

// Parses a whole head. Errors: kInvalidArgument "bad_request" and the like, kOutOfRange "uri_too_long",
// kUnimplemented (a transfer coding that is not known). After an error the connection cannot be used any more.
Result<Head> ParseHead(std::string_view text, const HeadLimits& limits);

}  // namespace atelier::api::http
