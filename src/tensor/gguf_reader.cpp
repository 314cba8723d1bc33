#include "tensor/gguf_reader.h"

#include <limits>
#include <type_traits>
#include <utility>
#include <vector>

#include "base/ids.h"
#include "tensor/gguf_format.h"
#include "tensor/gguf_parse.h"

namespace atelier::tensor {
namespace {

constexpr uint64_t kStringLengthBytes = 8;

Error BadKey(std::string_view key, const std::string& message) {
  return BadGguf("key " + QuotedName(key) + " " + message);
}
Error TooLong(std::string_view key) { return BadKey(key, "has a value that is longer than the file"); }

Result<GgufType> ParseType(GgufReader& reader, std::string_view key) {
  uint32_t type = 0;
  if (!reader.Read(type)) {
    return TooLong(key);
  }
  if (type >= kGgufTypeBytes.size()) {
    return BadKey(key, "has the type " + std::to_string(type) + ", which does not exist");
  }
  return static_cast<GgufType>(type);
}

// Calls `use` with a null pointer to the C++ type of a number.
template <class Use>
auto WithNumberType(GgufType type, Use use) {
  switch (type) {
    case GgufType::kU8:
      return use(static_cast<uint8_t*>(nullptr));
    case GgufType::kI8:
      return use(static_cast<int8_t*>(nullptr));
    case GgufType::kU16:
      return use(static_cast<uint16_t*>(nullptr));
    case GgufType::kI16:
      return use(static_cast<int16_t*>(nullptr));
    case GgufType::kU32:
      return use(static_cast<uint32_t*>(nullptr));
    case GgufType::kI32:
      return use(static_cast<int32_t*>(nullptr));
    case GgufType::kF32:
      return use(static_cast<float*>(nullptr));
    case GgufType::kU64:
      return use(static_cast<uint64_t*>(nullptr));
    case GgufType::kI64:
      return use(static_cast<int64_t*>(nullptr));
    default:
      return use(static_cast<double*>(nullptr));
  }
}

Result<bool> ParseBool(GgufReader& reader, std::string_view key) {
  uint8_t byte = 0;
  if (!reader.Read(byte)) {
    return TooLong(key);
  }
  if (byte > 1) {
    return BadKey(key, "has a Boolean of " + std::to_string(byte));
  }
  return byte == 1;
}

template <class T>
using Widened =
    std::conditional_t<std::is_floating_point_v<T>, double, std::conditional_t<std::is_signed_v<T>, int64_t, uint64_t>>;

Result<GgufValue> ParseNumber(GgufReader& reader, GgufType type, std::string_view key) {
  return WithNumberType(type, [&]<class T>(T*) -> Result<GgufValue> {
    T number{};
    if (!reader.Read(number)) {
      return TooLong(key);
    }
    return GgufValue{static_cast<Widened<T>>(number), type};
  });
}

// The caller has checked that they are there.
Result<GgufValue> ParseNumbers(GgufReader& reader, GgufType type, uint64_t count, std::string_view key) {
  return WithNumberType(type, [&]<class T>(T*) -> Result<GgufValue> {
    using Item = std::conditional_t<std::is_floating_point_v<T>, double, int64_t>;
    std::vector<Item> items(count);
    for (auto& item : items) {
      T number{};
      reader.Read(number);
      if constexpr (std::is_integral_v<T>) {
        if (!std::in_range<int64_t>(number)) {
          return BadKey(key, "has an integer beyond 63 bits");
        }
      }
      item = static_cast<Item>(number);
    }
    return GgufValue{std::move(items), type};
  });
}

Result<GgufValue> ParseArray(GgufReader& reader, std::string_view key) {
  ATELIER_ASSIGN(type, ParseType(reader, key));
  if (type == GgufType::kArray) {
    return BadKey(key, "is an array of arrays");
  }
  uint64_t count = 0;
  const uint64_t item_bytes =
      type == GgufType::kString ? kStringLengthBytes : kGgufTypeBytes.at(static_cast<size_t>(type));
  if (!reader.Read(count) || count > reader.remaining() / item_bytes) {
    return BadKey(key, "has an array that is longer than the file");
  }
  if (type == GgufType::kString) {
    std::vector<std::string> texts(count);
    for (auto& text : texts) {
      std::string_view read;
      if (!reader.ReadString(read)) {
        return TooLong(key);
      }
      text = read;
    }
    return GgufValue{std::move(texts), type};
  }
  if (type == GgufType::kBool) {
    std::vector<bool> flags(count);
    for (size_t i = 0; i < count; ++i) {
      ATELIER_ASSIGN(flag, ParseBool(reader, key));
      flags[i] = flag;
    }
    return GgufValue{std::move(flags), type};
  }
  return ParseNumbers(reader, type, count, key);
}

}  // namespace

Result<GgufValue> ParseGgufValue(GgufReader& reader, std::string_view key) {
  ATELIER_ASSIGN(type, ParseType(reader, key));
  switch (type) {
    case GgufType::kBool: {
      ATELIER_ASSIGN(flag, ParseBool(reader, key));
      return GgufValue{flag, type};
    }
    case GgufType::kString: {
      std::string_view text;
      if (!reader.ReadString(text)) {
        return TooLong(key);
      }
      return GgufValue{std::string(text), type};
    }
    case GgufType::kArray:
      return ParseArray(reader, key);
    default:
      return ParseNumber(reader, type, key);
  }
}

}  // namespace atelier::tensor
