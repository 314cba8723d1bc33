#include "engine/hugging_face/folder.h"

#include <algorithm>
#include <fstream>
#include <set>
#include <system_error>

#include "base/ids.h"

namespace atelier::engine::hugging_face {
namespace {

constexpr std::string_view kConfig = "config.json";
constexpr std::string_view kIndex = "model.safetensors.index.json";
constexpr std::string_view kWeights = "model.safetensors";
constexpr size_t kMaxIndexBytes = 64U << 20U;
constexpr size_t kMaxShards = 10'000;

Error Bad(const std::string& param, const std::string& what) {
  return InvalidArgument(what, param, "invalid_model_file");
}

bool IsWithin(std::string_view name, std::string_view file) {
  return name == file || (name.ends_with(file) && name[name.size() - file.size() - 1] == '/');
}

// The part of names that all files of the folder begin with: what stands before the shortest .../config.json.
std::string RootOf(const std::vector<ModelSource>& sources) {
  const std::string* shortest = nullptr;
  for (const ModelSource& source : sources) {
    if (IsWithin(source.name, kConfig) && (shortest == nullptr || source.name.size() < shortest->size())) {
      shortest = &source.name;
    }
  }
  return shortest == nullptr ? "" : shortest->substr(0, shortest->size() - kConfig.size());
}

}  // namespace

bool Folder::Is(const std::vector<ModelSource>& sources) {
  const auto has = [&](std::string_view end, bool whole) {
    return std::ranges::any_of(sources, [&](const ModelSource& source) {
      return whole ? IsWithin(source.name, end) : source.name.ends_with(end);
    });
  };
  return has(".safetensors", false) || (has(kConfig, true) && has("pytorch_model.bin", true));
}

Result<Folder> Folder::Open(const std::vector<ModelSource>& sources) {
  Folder folder;
  const std::string root = RootOf(sources);
  folder.name_ = std::filesystem::path(root).parent_path().filename().string();
  for (const ModelSource& source : sources) {
    if (source.name.starts_with(root) && !folder.files_.emplace(source.name.substr(root.size()), source.file).second) {
      return Bad(source.name, "two files have the name '" + source.name + "'");
    }
  }
  if (folder.Has(kIndex)) {
    ATELIER_TRY(folder.OpenIndexed());
  } else if (folder.Has(kWeights)) {
    ATELIER_TRY(folder.OpenShard(std::string(kWeights)));
  } else {
    return Bad(
        std::string(kWeights),
        "the folder has neither model.safetensors nor model.safetensors.index.json; pickled weights are not read");
  }
  return folder;
}

Status Folder::OpenShard(const std::string& name) {
  const auto found = files_.find(name);
  if (found == files_.end()) {
    return Bad(name, "the file '" + name + "' of the weights is missing");
  }
  auto opened = tensor::SafetensorsFile::Open(found->second);
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    error.message = name + ": " + error.message;
    error.param = name;
    return error;
  }
  for (const auto& [tensor, view] : (*opened)->tensors()) {
    if (!tensors_.emplace(tensor, view).second) {
      return Bad(tensor, "tensor '" + tensor + "' is in two files");
    }
  }
  shards_.push_back(std::move(*opened));
  return {};
}

Status Folder::OpenIndexed() {
  const std::string path(kIndex);
  ATELIER_ASSIGN(parsed, Json(kIndex, {.max_bytes = kMaxIndexBytes, .max_depth = 8}));
  const json::value* map = parsed.if_contains("weight_map");
  if (map == nullptr || !map->is_object()) {
    return Bad(path + ".weight_map", path + " has no weight_map");
  }
  std::set<std::string> shards;
  for (const auto& entry : map->get_object()) {
    const std::string tensor(entry.key());
    if (!entry.value().is_string()) {
      return Bad(tensor, path + " does not say in which file '" + tensor + "' is");
    }
    const std::string file(std::string_view(entry.value().get_string()));
    if (file.empty() || file.find_first_of("/\\") != std::string::npos || file.find("..") != std::string::npos) {
      return Bad(tensor, path + " says that '" + tensor + "' is in " + QuotedName(file) +
                             ", which is no name of a file of the folder");
    }
    shards.insert(file);
  }
  if (shards.size() > kMaxShards) {
    return Bad(path, path + " names more than " + std::to_string(kMaxShards) + " files");
  }
  for (const std::string& shard : shards) {
    ATELIER_TRY(OpenShard(shard));
  }
  for (const auto& entry : map->get_object()) {
    if (!tensors_.contains(std::string(entry.key()))) {
      return Bad(std::string(entry.key()), "tensor '" + std::string(entry.key()) + "' of " + path + " is in no file");
    }
  }
  for (const auto& [name, view] : tensors_) {
    if (!map->get_object().contains(name)) {
      return Bad(name, "tensor '" + name + "' is not in " + path);
    }
  }
  return {};
}

Result<std::string> Folder::Text(std::string_view name, size_t max_bytes) const {
  const auto found = files_.find(name);
  if (found == files_.end()) {
    return std::string();
  }
  std::error_code failed;
  const auto size = std::filesystem::file_size(found->second, failed);
  if (failed || size > max_bytes) {
    return Bad(std::string(name), std::string(name) + (failed ? " cannot be read" : " is too large"));
  }
  std::string text(size, '\0');
  std::ifstream stream(found->second, std::ios::binary);
  stream.read(text.data(), static_cast<std::streamsize>(size));
  return stream ? Result<std::string>(std::move(text)) : Bad(std::string(name), std::string(name) + " cannot be read");
}

Result<json::object> Folder::Json(std::string_view name, const JsonLimits& limits) const {
  ATELIER_ASSIGN(text, Text(name, limits.max_bytes));
  if (text.empty()) {
    return json::object();
  }
  auto parsed = ParseJson(text, limits);
  if (!parsed.ok()) {
    Error error = std::move(parsed).error();
    error.message = std::string(name) + ": " + error.message;
    error.param = name;
    return error;
  }
  return parsed->is_object() ? Result<json::object>(std::move(parsed->get_object()))
                             : Bad(std::string(name), std::string(name) + " is no object");
}

}  // namespace atelier::engine::hugging_face
