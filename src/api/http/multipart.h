// multipart/form-data (RFC 7578), parsed as it arrives; linear in the bytes, whatever the pieces.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::api::http {

struct PartHeader {
  std::string name;
  std::optional<std::string> filename{};
  std::string content_type;
};

// What the parser tells. An error returned stops the parser and is what Feed returns.
class PartSink {
 public:
  virtual ~PartSink() = default;
  virtual Status OnPart(PartHeader header) = 0;
  virtual Status OnData(std::string_view data) = 0;
  virtual Status OnPartEnd() = 0;
};

// The boundary of a Content-Type value. Errors: kInvalidArgument "invalid_multipart" (none, or not 1 to 70 of its
// characters, or nothing but dashes), kInvalidArgument "unsupported_media_type" (not multipart/form-data).
Result<std::string> BoundaryOf(std::string_view content_type);

// Errors of Feed and Finish: kInvalidArgument "invalid_multipart", kOutOfRange "request_too_large" (too many parts, too
// long part headers), the sink's. After an error the parser must not be used any more.
class MultipartParser {
 public:
  static constexpr size_t kMaxPartHeaderBytes = 16U << 10U;
  static constexpr size_t kMaxParts = 1000;

  // Borrows the sink.
  MultipartParser(const std::string& boundary, PartSink& sink);
  Status Feed(std::string_view bytes);
  // The body is over: an error unless its last boundary was seen.
  Status Finish() const;

 private:
  enum class State { kPreamble, kData, kAfterBoundary, kHeader, kEpilogue };

  // One step on the bytes from `offset`; false: more bytes are needed.
  Result<bool> Step(size_t& offset);
  Result<bool> StepContent(size_t& offset);
  Result<bool> StepAfterBoundary(size_t& offset);
  Result<bool> StepHeader(size_t& offset);

  std::string delimiter_;  // CRLF "--" boundary
  PartSink& sink_;
  State state_ = State::kPreamble;
  std::string buffer_ = "\r\n";  // not yet consumed; the first boundary needs no line end before it
  size_t searched_ = 0;          // bytes of an incomplete part header that hold no end
  size_t parts_ = 0;
};

}  // namespace atelier::api::http
