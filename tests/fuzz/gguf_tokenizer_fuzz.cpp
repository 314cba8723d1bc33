// The tokeniser that the metadata of a GGUF file describes.
#include <span>

#include "engine/formats/gguf_tokenizer.h"
#include "engine/formats/memory_file.h"
#include "fuzz/tokenize.h"
#include "tensor/gguf_parse.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace atelier;
  auto part = tensor::ParseGguf(std::as_bytes(std::span(data, size)));
  if (!part.ok()) {
    return 0;  // see gguf_fuzz.cpp
  }
  engine::MemoryFile file;
  for (auto& [key, value] : part->metadata) {
    file.Set(key, std::move(value));
  }
  auto spec = engine::TokenizerSpecFromGguf(file);
  if (!spec.ok()) {
    fuzz::CheckError(spec.error());
    return 0;
  }
  fuzz::Tokenize(std::move(*spec), {reinterpret_cast<const char*>(data), size});
  return 0;
}
