#include "engine/service/adapters.h"

#include <utility>

#include "engine/service/model_files.h"

namespace atelier::engine {

Result<AdapterInfo> Adapters::Load(const std::string& name, const std::filesystem::path& folder_or_file) {
  if (name.empty()) {
    return InvalidArgument("an adapter has a name", "name");
  }
  ATELIER_ASSIGN(path, FindGguf(folder_or_file));
  ATELIER_ASSIGN(file, tensor::GgufFile::Open(path));
  ATELIER_ASSIGN(adapter, model_.LoadAdapter(*file));
  AdapterInfo info{name, static_cast<int32_t>(adapter->rank()), static_cast<int64_t>(adapter->bytes())};
  const bool kept = named_.With([&](Named& named) {
    if (named.size() >= most_ && !named.contains(name)) {
      return false;
    }
    named[name].swap(adapter);  // a former one goes outside the lock
    return true;
  });
  if (!kept) {
    return MakeError(Code::kResourceExhausted,
                     "the model has " + std::to_string(most_) + " adapters already, as many as max_adapters allows",
                     "too_many_adapters");
  }
  return info;
}

Status Adapters::Unload(const std::string& name) {
  const auto gone = named_.With([&](Named& named) { return named.extract(name); });
  return gone.empty() ? Status(NotFound("there is no adapter '" + name + "'", "adapter_not_found")) : Status();
}

Result<std::shared_ptr<const Adapter>> Adapters::Find(const std::string& name) const {
  if (name.empty()) {
    return std::shared_ptr<const Adapter>();
  }
  return named_.With([&](const Named& named) -> Result<std::shared_ptr<const Adapter>> {
    const auto found = named.find(name);
    if (found == named.end()) {
      return NotFound("this model has no adapter '" + name + "'", "model_not_found");
    }
    return found->second;
  });
}

}  // namespace atelier::engine
