// The adapters that a model's requests may name.
#pragma once

#include <cstddef>
#include <filesystem>
#include <map>
#include <memory>
#include <string>

#include "base/guarded.h"
#include "base/result.h"
#include "engine/adapter.h"
#include "engine/generation.h"
#include "engine/model.h"

namespace atelier::engine {

// Thread-safe. Borrows the model. Whoever has found an adapter keeps it, whatever becomes of its name.
class Adapters {
 public:
  Adapters(Model& model, size_t most) : model_(model), most_(most) {}

  // As Generator::LoadAdapter and UnloadAdapter.
  Result<AdapterInfo> Load(const std::string& name, const std::filesystem::path& folder_or_file);
  Status Unload(const std::string& name);
  // nullptr for the empty name. Errors: kNotFound "model_not_found".
  Result<std::shared_ptr<const Adapter>> Find(const std::string& name) const;

 private:
  using Named = std::map<std::string, std::shared_ptr<const Adapter>>;  // shared with the requests that use them

  Model& model_;
  const size_t most_;
  Guarded<Named> named_;
};

}  // namespace atelier::engine
