#include "api/openai/metadata.h"

#include <algorithm>
#include <string_view>

namespace atelier::api::openai {
namespace {

constexpr size_t kMaxPairs = 16;
constexpr int64_t kMaxKey = 64;
constexpr int64_t kMaxValue = 512;

int64_t Characters(std::string_view text) {
  return std::ranges::count_if(text, [](char byte) { return (static_cast<unsigned char>(byte) & 0xC0U) != 0x80U; });
}

}  // namespace

Result<json::object> ReadMetadata(Fields& fields) {
  ATELIER_ASSIGN(metadata, fields.ObjectOr("metadata"));
  if (metadata == nullptr) {
    return json::object();
  }
  if (metadata->size() > kMaxPairs) {
    return InvalidArgument("'metadata' has more than 16 pairs", "metadata");
  }
  for (const auto& pair : *metadata) {
    const json::value& value = pair.value();
    if (Characters(pair.key()) > kMaxKey || !value.is_string() || Characters(value.get_string()) > kMaxValue) {
      return InvalidArgument("'metadata' maps names of at most 64 characters to texts of at most 512", "metadata");
    }
  }
  return *metadata;
}

}  // namespace atelier::api::openai
