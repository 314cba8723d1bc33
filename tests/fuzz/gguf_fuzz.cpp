// Feeds bytes to the reader of GGUF; what it accepts must dequantise and survive being written and read again.
#include <span>
#include <vector>

#include "fuzz/fuzz.h"
#include "tensor/gguf_parse.h"
#include "tensor/gguf_writer.h"
#include "tensor/quants/formats.h"
#include "tensor/quants/quants.h"

namespace atelier::tensor {
namespace {

using fuzz::Require;

void Decode(const GgufTensor& tensor) {
  size_t count = 1;
  for (const int64_t dimension : tensor.shape) {
    count *= static_cast<size_t>(dimension);
  }
  std::vector<float> weights(count);  // no more than a few times the input, as its bytes are there
  Require(Dequantise(tensor.type, tensor.bytes, weights).ok());
}

void Fuzz(std::span<const std::byte> bytes) {
  auto part = ParseGguf(bytes);
  if (!part.ok()) {
    fuzz::CheckError(part.error());
    return;
  }
  for (const auto& [name, tensor] : part->tensors) {
    Decode(tensor);
  }
  if (part->tensors.empty()) {
    return;
  }
  std::vector<std::byte> written;
  Require(WriteGguf(part->metadata, part->tensors, [&](std::span<const std::byte> piece) -> Status {
            written.insert(written.end(), piece.begin(), piece.end());
            return {};
          }).ok());
  auto again = ParseGguf(written);
  Require(again.ok() && again->metadata.size() == part->metadata.size() &&
          again->tensors.size() == part->tensors.size());
}

}  // namespace
}  // namespace atelier::tensor

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  atelier::tensor::Fuzz(std::as_bytes(std::span(data, size)));
  return 0;
}
