// A GGUF file becomes a folder in Hugging Face's layout, which `transformers` opens.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::engine::hugging_face {

struct ExportOptions {
  uint64_t shard_bytes = 5'000'000'000;  // weights that are more lie in several files
  std::string card{};                    // README.md; empty: none
};

// Writes config.json, model.safetensors (or shards and their index), tokenizer.json, tokenizer_config.json,
// generation_config.json and, for models of embeddings, the modules of sentence-transformers. `folder` is there.
// Numbers keep their type, quantised ones become F16. Errors: kUnimplemented "unsupported_architecture" or
// "unsupported_model", naming what Hugging Face's layout has no place for; those of ReadModelConfig and
// TokenizerSpecFromGguf; kResourceExhausted "storage_full".
Status ExportFolder(const tensor::GgufFile& file, const std::filesystem::path& folder, const ExportOptions& options);

}  // namespace atelier::engine::hugging_face
