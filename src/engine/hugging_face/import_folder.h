// A folder in Hugging Face's layout becomes one GGUF file: what runs is GGUF.
#pragma once

#include <filesystem>
#include <vector>

#include "base/result.h"
#include "engine/hugging_face/families.h"
#include "engine/importing/import.h"

namespace atelier::engine::hugging_face {

// Writes `to`, a tensor at a time. Returns the family, static. Errors: those of Folder::Open, FindFamily,
// ConfigToMetadata, ToGguf and TokenizerToMetadata; kResourceExhausted "storage_full".
Result<const Family*> FolderToGguf(const std::vector<ModelSource>& sources, const std::filesystem::path& to);

}  // namespace atelier::engine::hugging_face
