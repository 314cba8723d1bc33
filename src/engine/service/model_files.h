// What the engine needs of a model, whatever the files it lies in.
#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "base/result.h"
#include "tensor/gguf.h"
#include "text/tokenizer.h"

namespace atelier::engine {

struct ModelFiles {
  std::shared_ptr<const tensor::GgufFile> weights;  // shared: the model and whoever reads its metadata keep it
  text::TokenizerSpec tokenizer{};
  std::string chat_template{};  // source; empty: none
  std::string fingerprint{};    // of what the weights are, "fp_..."
};

// A folder with one GGUF file or the parts of a split one, or such a file itself. Errors: kNotFound; kInvalidArgument
// "invalid_model_file" (no model in the folder, or several); those of GgufFile::Open and TokenizerSpecFromGguf.
Result<ModelFiles> ReadModelFiles(const std::filesystem::path& folder_or_file);

// The one GGUF file, or the first part of one, in a folder; or the file itself. Errors: kNotFound, kInvalidArgument
// "invalid_model_file".
Result<std::filesystem::path> FindGguf(const std::filesystem::path& folder_or_file);

// Of a GGUF file that is open.
Result<ModelFiles> ModelFilesOf(std::shared_ptr<const tensor::GgufFile> file);

}  // namespace atelier::engine
