// A folder in Hugging Face's layout: small files as JSON or text, weights in one file of safetensors or several.
#pragma once

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "engine/importing/import.h"
#include "tensor/safetensors.h"

namespace atelier::engine::hugging_face {

// Immutable once open. Views borrow from it.
class Folder {
 public:
  // Errors: kInvalidArgument "invalid_model_file" or "invalid_json", naming the file, tensor or key (weights that are
  // pickled, an index that names a file beside or outside of the folder, tensors that index and files disagree on);
  // those of SafetensorsFile::Open.
  static Result<Folder> Open(const std::vector<ModelSource>& sources);
  // Whether there is a file of safetensors, or a config.json with pickled weights.
  static bool Is(const std::vector<ModelSource>& sources);

  bool Has(std::string_view name) const { return files_.find(name) != files_.end(); }
  // The text of a file; empty where it is absent. Errors: kInvalidArgument, naming the file (larger than `max_bytes`).
  Result<std::string> Text(std::string_view name, size_t max_bytes = 8U << 20U) const;
  // The object of a file; an empty one where it is absent. Errors: the same, and "invalid_json".
  Result<json::object> Json(std::string_view name, const JsonLimits& limits = {}) const;
  // The name of the folder itself; may be empty.
  const std::string& name() const { return name_; }
  const std::map<std::string, tensor::View>& tensors() const { return tensors_; }

 private:
  Status OpenShard(const std::string& name);
  Status OpenIndexed();

  std::string name_;
  std::map<std::string, std::filesystem::path, std::less<>> files_;  // by their names within the folder
  std::vector<std::unique_ptr<tensor::SafetensorsFile>> shards_;
  std::map<std::string, tensor::View> tensors_;
};

}  // namespace atelier::engine::hugging_face
