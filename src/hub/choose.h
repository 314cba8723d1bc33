// Which files of a repository are the model.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"

namespace atelier::hub {

struct ListedFile {
  std::string path;
  std::optional<uint64_t> size{};
  std::string sha256{};    // of files in large-file storage
  std::string git_sha1{};  // of others: git's id of the blob
};

// Indices into `files`. `wanted` is
//   a path: that file, with all parts where it is one part of a split GGUF file;
//   a word: the GGUF file with that word in its name, such as a quantisation ("Q4_K_M", in any case);
//   empty: of several GGUF files the best choice, Q4_K_M before Q4_0, Q8_0, the others and the unquantised; without
//   one, Hugging Face's folder: config.json, *.safetensors and the small files beside them.
// Projectors of pictures ("mmproj") and importance matrices are no models; pickles (*.bin, *.pt) are never taken.
// Errors: kNotFound "hub_file_not_found", kInvalidArgument "no_model_files".
Result<std::vector<size_t>> ChooseFiles(const std::vector<ListedFile>& files, const std::string& wanted);

// "name-00002-of-00003.gguf" as its front and the number of parts; nothing for other names, and above 1000 parts.
struct SplitName {
  std::string front;  // "name"
  int part = 0;
  int count = 0;
};
std::optional<SplitName> ParseSplitName(const std::string& path);
std::string PartName(const SplitName& split, int part);

}  // namespace atelier::hub
