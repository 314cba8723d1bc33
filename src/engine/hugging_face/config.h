// The numbers of a model: config.json to GGUF's metadata and back.
#pragma once

#include "base/json.h"
#include "base/result.h"
#include "engine/formats/memory_file.h"
#include "engine/hugging_face/families.h"
#include "tensor/gguf.h"

namespace atelier::engine::hugging_face {

// Sets general.architecture and the keys of the architecture, and adds the factors of the rotation, which GGUF holds as
// tensors. `config`: of the language model. Errors: kInvalidArgument naming the key (missing, of the wrong type, out of
// range); kUnimplemented "unsupported_model", naming a key whose value the engine cannot run.
Status ConfigToMetadata(const Family& family, const json::object& config, MemoryFile& to);

// config.json of a file of this family. Errors: those of ReadModelConfig.
Result<json::object> ConfigOfFile(const Family& family, const tensor::GgufFile& file);

// The rows of position embeddings that GGUF leaves out. Errors: kInvalidArgument naming the key.
Result<int64_t> SkippedRows(const Family& family, const json::object& config);

}  // namespace atelier::engine::hugging_face
