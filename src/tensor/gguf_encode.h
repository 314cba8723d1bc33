// The header of a GGUF file as bytes: the part of gguf_writer.h that knows how values lie in a file.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::tensor {

// Appends a number in the file's width.
template <class T>
void AppendNumber(std::string& out, T number) {
  out.append(reinterpret_cast<const char*>(&number), sizeof(number));
}

// Appends a length and as many bytes.
inline void AppendString(std::string& out, std::string_view text) {
  AppendNumber<uint64_t>(out, text.size());
  out += text;
}

// Appends a type and the value. Errors: kInvalidArgument naming `key`, if the value does not fit its `stored`.
Status AppendValue(std::string& out, std::string_view key, const GgufValue& value);

}  // namespace atelier::tensor
