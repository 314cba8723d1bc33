// Base64 of RFC 4648, section 4.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace atelier::api::text {

std::string EncodeBase64(std::string_view bytes);

// The values as little-endian 32-bit floats, in base64: how OpenAI's clients take vectors.
std::string EncodeFloats(const std::vector<float>& values);

}  // namespace atelier::api::text
