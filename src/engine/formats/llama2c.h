// Checkpoints of llama2.c (https://github.com/karpathy/llama2.c, export.py's version 0): seven int32 (dim, hidden_dim,
// n_layers, n_heads, n_kv_heads, vocab_size, seq_len; a negative vocab_size says that the head is a matrix of its own),
// then F32 tensors one behind the other; and their tokenisers (int32 longest piece, then each piece as F32 score, int32
// length and bytes).
#pragma once

#include <filesystem>
#include <memory>

#include "base/result.h"
#include "engine/formats/memory_file.h"

namespace atelier::engine {

// The checkpoint as a GGUF model of the architecture "llama", its tensors in the mapped file; with the tokeniser if
// `tokenizer` is not empty. Errors: kInvalidArgument "invalid_model_file" naming the number or size that is wrong;
// kNotFound.
Result<std::shared_ptr<const MemoryFile>> ReadLlama2c(const std::filesystem::path& checkpoint,
                                                      const std::filesystem::path& tokenizer);

}  // namespace atelier::engine
