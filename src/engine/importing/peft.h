// LoRA adapters of the PEFT library (https://huggingface.co/docs/peft): adapter_config.json and
// adapter_model.safetensors, whose tensors are base_model.model.MODULE.lora_A.weight [rank, inputs] and
// MODULE.lora_B.weight [outputs, rank]; the scale is alpha / rank, or alpha / sqrt(rank) with use_rslora.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"
#include "engine/model_config.h"
#include "tensor/gguf.h"

namespace atelier::engine {

// The tensor of GGUF, without ".weight", that a module of `transformers` is in models of an architecture of GGUF:
// "model.layers.3.self_attn.q_proj" is "blk.3.attn_q". Only of modules whose weights GGUF holds as they are,
// transposed, or with the rows of queries and keys reordered for rotation by pairs. Nothing: unknown.
std::optional<std::string> GgufTensorOf(std::string_view module, std::string_view architecture);

// The adapter as a GGUF file for `base`. Errors: kInvalidArgument "invalid_adapter", naming the key or tensor;
// kUnimplemented "unsupported_adapter", naming what cannot be used: DoRA, modules_to_save, biases, embeddings, modules
// that are not known, weights that need another base model (PiSSA, OLoRA, CorDA, LoftQ).
Result<std::shared_ptr<const tensor::GgufFile>> ReadPeft(const std::filesystem::path& config,
                                                         const std::filesystem::path& weights, const ModelConfig& base);

}  // namespace atelier::engine
