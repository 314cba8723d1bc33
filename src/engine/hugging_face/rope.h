// The rotation of queries and keys (RoPE) as config.json describes it, in its older form (rope_theta, rope_scaling) and
// its newer one (rope_parameters). Source of the formulas: transformers' modeling_rope_utils.py.
#pragma once

#include <cstdint>

#include "base/json.h"
#include "base/result.h"
#include "engine/formats/memory_file.h"
#include "engine/hugging_face/families.h"
#include "engine/model_config.h"

namespace atelier::engine::hugging_face {

// Sets "<architecture>.rope.*" and adds rope_freqs, rope_factors_long and rope_factors_short where they are needed.
// `head`: numbers of a head. Errors: as ConfigToMetadata.
Status RopeToMetadata(const Family& family, const json::object& config, int64_t head, MemoryFile& to);

// Sets rope_theta, rope_scaling and partial_rotary_factor. Scaling that has no name of its own becomes "longrope",
// which names every factor.
void RopeToConfig(const Family& family, const ModelConfig& model, const tensor::GgufFile& file, json::object& config);

}  // namespace atelier::engine::hugging_face
