// The weights of a GPT under the names and in the layout of Hugging Face's model.safetensors.
#pragma once

#include <torch/torch.h>

#include <string>

#include "base/result.h"
#include "families/gpt/network.h"
#include "families/learner.h"
#include "families/weights.h"

namespace atelier::families::gpt {

// "model.layers.0.self_attn.q_proj.weight" ... or "transformer.h.0.attn.c_attn.weight" ..., F32, contiguous.
Tensors ToHuggingFace(const NetworkImpl& network);

// Reads every parameter of the network out of model.safetensors, or the files of its index, of F32, F16 or BF16.
// Errors: kInvalidArgument "invalid_model_file", naming the tensor (missing, of another shape or type); those of
// SafetensorsFile::Open.
Status ReadWeights(const ModelFiles& files, NetworkImpl& network);

// Where a linear map's weight "blocks.N.attention.query.weight" lies in `transformers`: the module, without ".weight",
// and which of its `parts` along the outputs it is (query, key and value of GPT-2 are one module).
struct ModulePlace {
  std::string module{};  // empty: none
  int part = 0;
  int parts = 1;
};
ModulePlace ModuleOf(const Shape& shape, const std::string& parameter);

}  // namespace atelier::families::gpt
