// A LoRA adapter that someone gave us, as the one GGUF file that workers load, proved to fit its base model. For job
// processes: the files are not trusted.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "engine/importing/import.h"

namespace atelier::engine {

// Whether the files are an adapter, whole or broken: a GGUF file that says so, or files of PEFT.
bool IsAdapterSource(const std::vector<ModelSource>& sources);

// One GGUF adapter, or the two files adapter_config.json and adapter_model.safetensors of a PEFT folder, which become
// one. `base`: the base model's folder or file. `work` is an empty folder. The metadata: family "llm-adapter",
// architecture, rank, matrices, parameters, format ("gguf", "peft"). Errors: kInvalidArgument "invalid_adapter" on
// `files`; those of ReadPeft and Adapter::Load, which name the key or tensor; those of loading the base model.
Result<ImportedModel> ImportAdapter(const std::vector<ModelSource>& sources, const std::filesystem::path& base,
                                    const std::filesystem::path& work);

}  // namespace atelier::engine
