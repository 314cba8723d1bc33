#include "tensor/gguf_encode.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <span>
#include <type_traits>
#include <utility>

#include "base/ids.h"
#include "tensor/gguf_parse.h"

namespace atelier::tensor {
namespace {

bool FitsFloat(double value) {
  return !std::isfinite(value) || std::fabs(value) <= static_cast<double>(std::numeric_limits<float>::max());
}

// The type that numbers get where none is said.
template <class Number>
GgufType Choose(std::span<const Number> numbers) {
  const auto all = [&](auto fits) { return std::ranges::all_of(numbers, fits); };
  if constexpr (std::is_same_v<Number, double>) {
    return all(FitsFloat) ? GgufType::kF32 : GgufType::kF64;
  } else if constexpr (std::is_same_v<Number, uint64_t>) {
    return all([](uint64_t number) { return std::in_range<uint32_t>(number); }) ? GgufType::kU32 : GgufType::kU64;
  } else {
    return all([](int64_t number) { return std::in_range<int32_t>(number); }) ? GgufType::kI32 : GgufType::kI64;
  }
}

// Appends all numbers as T; false if one does not fit.
template <class T, class Number>
bool AppendAs(std::string& out, std::span<const Number> numbers) {
  for (const Number number : numbers) {
    if constexpr (std::is_integral_v<T> != std::is_integral_v<Number>) {
      return false;
    } else if constexpr (std::is_integral_v<T>) {
      if (!std::in_range<T>(number)) {
        return false;
      }
    } else if (sizeof(T) == sizeof(float) && !FitsFloat(number)) {
      return false;
    }
    AppendNumber(out, static_cast<T>(number));
  }
  return std::is_integral_v<T> == std::is_integral_v<Number>;
}

template <class Number>
bool AppendNumbers(std::string& out, GgufType type, std::span<const Number> numbers) {
  switch (type) {
    case GgufType::kU8:
      return AppendAs<uint8_t>(out, numbers);
    case GgufType::kI8:
      return AppendAs<int8_t>(out, numbers);
    case GgufType::kU16:
      return AppendAs<uint16_t>(out, numbers);
    case GgufType::kI16:
      return AppendAs<int16_t>(out, numbers);
    case GgufType::kU32:
      return AppendAs<uint32_t>(out, numbers);
    case GgufType::kI32:
      return AppendAs<int32_t>(out, numbers);
    case GgufType::kU64:
      return AppendAs<uint64_t>(out, numbers);
    case GgufType::kI64:
      return AppendAs<int64_t>(out, numbers);
    case GgufType::kF32:
      return AppendAs<float>(out, numbers);
    case GgufType::kF64:
      return AppendAs<double>(out, numbers);
    default:
      return false;
  }
}

void AppendType(std::string& out, GgufType type) { AppendNumber(out, static_cast<uint32_t>(type)); }

void AppendArrayHead(std::string& out, GgufType type, size_t count) {
  AppendType(out, GgufType::kArray);
  AppendType(out, type);
  AppendNumber<uint64_t>(out, count);
}

// Each appends one kind of value; false if it does not fit the type said.
struct Appender {
  std::string& out;
  GgufType stored;

  bool Is(GgufType type) const { return stored == GgufType::kAny || stored == type; }

  bool operator()(bool flag) const {
    AppendType(out, GgufType::kBool);
    AppendNumber<uint8_t>(out, flag ? 1 : 0);
    return Is(GgufType::kBool);
  }
  bool operator()(const std::string& text) const {
    AppendType(out, GgufType::kString);
    AppendString(out, text);
    return Is(GgufType::kString);
  }
  bool operator()(const std::vector<std::string>& texts) const {
    AppendArrayHead(out, GgufType::kString, texts.size());
    for (const auto& text : texts) {
      AppendString(out, text);
    }
    return Is(GgufType::kString);
  }
  bool operator()(const std::vector<bool>& flags) const {
    AppendArrayHead(out, GgufType::kBool, flags.size());
    for (const bool flag : flags) {
      AppendNumber<uint8_t>(out, flag ? 1 : 0);
    }
    return Is(GgufType::kBool);
  }
  template <class Number>
  bool operator()(const std::vector<Number>& numbers) const {
    const GgufType type = stored == GgufType::kAny ? Choose<Number>(numbers) : stored;
    AppendArrayHead(out, type, numbers.size());
    return AppendNumbers<Number>(out, type, numbers);
  }
  template <class Number>
  requires std::is_arithmetic_v<Number>
  bool operator()(Number number) const {
    const std::span<const Number> one(&number, 1);
    const GgufType type = stored == GgufType::kAny ? Choose<Number>(one) : stored;
    AppendType(out, type);
    return AppendNumbers<Number>(out, type, one);
  }
};

}  // namespace

Status AppendValue(std::string& out, std::string_view key, const GgufValue& value) {
  if (!std::visit(Appender{out, value.stored}, value.value)) {
    return InvalidArgument("the value of key " + QuotedName(key) + " does not fit its type in the file");
  }
  return {};
}

}  // namespace atelier::tensor
