// Any bytes as a safetensors file; what is accepted must be written and read again as it was.
#include <algorithm>
#include <span>
#include <vector>

#include "fuzz/fuzz.h"
#include "tensor/safetensors.h"

namespace atelier::tensor {
namespace {

using fuzz::Require;

void Fuzz(std::span<const std::byte> bytes) {
  auto file = SafetensorsFile::Parse(bytes);
  if (!file.ok()) {
    fuzz::CheckError(file.error());
    return;
  }
  std::vector<std::byte> written;
  Require(WriteSafetensors((*file)->tensors(), (*file)->metadata(), [&](std::span<const std::byte> piece) -> Status {
            written.insert(written.end(), piece.begin(), piece.end());
            return {};
          }).ok());
  auto again = SafetensorsFile::Parse(written);
  Require(again.ok() && (*again)->metadata() == (*file)->metadata());
  Require(std::ranges::equal((*again)->tensors(), (*file)->tensors(), [](const auto& a, const auto& b) {
    return a.first == b.first && a.second.type == b.second.type && a.second.shape == b.second.shape &&
           std::ranges::equal(a.second.bytes, b.second.bytes);
  }));
}

}  // namespace
}  // namespace atelier::tensor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  atelier::tensor::Fuzz(std::as_bytes(std::span(data, size)));
  return 0;
}
