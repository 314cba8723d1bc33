// Files that someone gave us, as a model's folder that the engine has proved to run. For job processes: the files are
// not trusted.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <string>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "tensor/gguf.h"

namespace atelier::engine {

struct ModelSource {
  std::string name;            // as it was called, with or without folders
  std::filesystem::path file;  // where it lies
};

struct ImportedModel {
  // The model's files by their names: which source it is, or a new file under `work`.
  std::map<std::string, std::variant<size_t, std::filesystem::path>> files;
  // family, task, architecture, parameters, quantisation, context, vocabulary, embedding_width, chat_template, tools,
  // reasoning, fingerprint, format ("gguf", "llama2c", "huggingface"); name, license, base_model, source, size_label
  // where the file names them.
  json::object metadata;
};

// One GGUF file; all parts of a split one; a folder in Hugging Face's layout, or a checkpoint of llama2.c and its
// tokeniser, which become a GGUF file. Loads the model just as a worker would. `work` is an empty folder. Errors:
// kInvalidArgument "invalid_model_file" on `files` (none of these); those of MakeGenerator, ReadLlama2c and
// hugging_face::FolderToGguf, which name the key or tensor.
Result<ImportedModel> ImportModel(const std::vector<ModelSource>& sources, const std::filesystem::path& work,
                                  size_t threads, Clock& clock);

// Errors: kResourceExhausted "storage_full"; those of WriteGguf.
Status WriteGgufFile(const tensor::GgufFile& file, const std::filesystem::path& to);

}  // namespace atelier::engine
