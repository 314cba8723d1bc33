// A checkpoint of llama2.c and its tokeniser: two bytes say how long the tokeniser is, which comes first.
#include <cstring>

#include "engine/formats/llama2c.h"
#include "fuzz/tokenize.h"
#include "text/llama2c.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  uint16_t length = 0;
  if (size < sizeof(length)) {
    return 0;
  }
  std::memcpy(&length, data, sizeof(length));
  const std::string_view rest(reinterpret_cast<const char*>(data) + sizeof(length), size - sizeof(length));
  const std::string_view tokenizer = rest.substr(0, length);
  const std::string_view checkpoint = rest.substr(tokenizer.size());
  auto spec = text::ReadLlama2cTokenizer(tokenizer);
  if (spec.ok()) {
    fuzz::Tokenize(std::move(*spec), checkpoint);
  } else {
    fuzz::CheckError(spec.error());
  }
  const fuzz::MemoryPath checkpoint_file(checkpoint);
  const fuzz::MemoryPath tokenizer_file(tokenizer);
  auto model = engine::ReadLlama2c(checkpoint_file.path(), tokenizer_file.path());
  if (!model.ok()) {
    fuzz::CheckError(model.error());
    return 0;
  }
  unsigned sum = 0;
  for (const auto& [name, tensor] : (*model)->tensors()) {
    for (const std::byte byte : tensor.bytes) {
      sum += static_cast<unsigned>(byte);
    }
  }
  fuzz::Require(sum <= 255 * size);  // each tensor's bytes are there, and no other's
  return 0;
}
