// The bytes of a GGUF header, one item after the other, and the values of its metadata.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <span>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::tensor {

// Never reads beyond its bytes: a Read that would returns false and changes nothing.
class GgufReader {
 public:
  explicit GgufReader(std::span<const std::byte> bytes) : bytes_(bytes) {}

  uint64_t position() const { return position_; }
  uint64_t remaining() const { return bytes_.size() - position_; }
  std::span<const std::byte> rest() const { return bytes_.subspan(position_); }

  // A number in the file's width.
  template <class T>
  bool Read(T& value) {
    if (remaining() < sizeof(T)) {
      return false;
    }
    std::memcpy(&value, bytes_.data() + position_, sizeof(T));
    position_ += sizeof(T);
    return true;
  }

  // The next bytes as text; they must be there.
  std::string_view Take(uint64_t count) {
    const std::string_view text(reinterpret_cast<const char*>(bytes_.data()) + position_, count);
    position_ += count;
    return text;
  }

  // A length and as many bytes.
  bool ReadString(std::string_view& text) {
    const uint64_t begin = position_;
    uint64_t length = 0;
    if (!Read(length) || length > remaining()) {
      position_ = begin;
      return false;
    }
    text = Take(length);
    return true;
  }

 private:
  std::span<const std::byte> bytes_;
  uint64_t position_ = 0;
};

// A type and the value that follows. Errors: kInvalidArgument naming `key` (unknown type, beyond the end, a Boolean
// that is neither 0 nor 1, an array of arrays, an integer of an array beyond int64's range).
Result<GgufValue> ParseGgufValue(GgufReader& reader, std::string_view key);

}  // namespace atelier::tensor
