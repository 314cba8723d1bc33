#include "engine/importing/adapter_import.h"

#include <algorithm>
#include <memory>
#include <utility>

#include "engine/adapter.h"
#include "engine/importing/peft.h"
#include "engine/model.h"
#include "engine/service/model_files.h"

namespace atelier::engine {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPeftConfig = "adapter_config.json";
constexpr std::string_view kPeftWeights = "adapter_model.safetensors";
constexpr std::string_view kOtherPeftWeights = "adapter_model.bin";  // pickle: never read
constexpr std::string_view kAdapterFile = "adapter.gguf";

std::string_view FileName(const ModelSource& source) {
  return std::string_view(source.name).substr(source.name.rfind('/') + 1);
}

const ModelSource* Named(const std::vector<ModelSource>& sources, std::string_view name) {
  const auto found = std::ranges::find(sources, name, FileName);
  return found == sources.end() ? nullptr : &*found;
}

// The adapter for `base` in a form that can be loaded.
Result<std::shared_ptr<const tensor::GgufFile>> Read(const std::vector<ModelSource>& sources, const ModelConfig& base) {
  const ModelSource* config = Named(sources, kPeftConfig);
  const ModelSource* weights = Named(sources, kPeftWeights);
  if (config != nullptr && weights != nullptr && sources.size() == 2) {
    return ReadPeft(config->file, weights->file, base);
  }
  if (sources.size() == 1 && config == nullptr && weights == nullptr) {
    ATELIER_ASSIGN(file, tensor::GgufFile::Open(sources.front().file));
    return std::shared_ptr<const tensor::GgufFile>(std::move(file));
  }
  return InvalidArgument(
      "these files are no adapter that can be imported: give one GGUF file, or adapter_config.json and "
      "adapter_model.safetensors",
      "files", "invalid_adapter");
}

}  // namespace

bool IsAdapterSource(const std::vector<ModelSource>& sources) {
  for (const std::string_view name : {kPeftConfig, kPeftWeights, kOtherPeftWeights}) {
    if (Named(sources, name) != nullptr) {
      return true;
    }
  }
  if (sources.size() != 1) {
    return false;
  }
  const auto file = tensor::GgufFile::Open(sources.front().file);
  return file.ok() && IsAdapter(**file);
}

Result<ImportedModel> ImportAdapter(const std::vector<ModelSource>& sources, const fs::path& base,
                                    const fs::path& work) {
  ATELIER_ASSIGN(base_path, FindGguf(base));
  ATELIER_ASSIGN(base_file, tensor::GgufFile::Open(base_path));
  // Enough of the base model to know what fits it.
  ATELIER_ASSIGN(model,
                 Model::Load(std::move(base_file), {.threads = 1, .max_context = 1, .round_activations = false}));
  ATELIER_ASSIGN(file, Read(sources, model->config()));
  ATELIER_ASSIGN(adapter, model->LoadAdapter(*file));
  const bool peft = sources.size() == 2;
  ImportedModel out;
  out.metadata = {{"family", "llm-adapter"},
                  {"architecture", model->config().architecture->name},
                  {"rank", adapter->rank()},
                  {"matrices", adapter->matrices()},
                  {"parameters", adapter->bytes() / sizeof(float)},
                  {"format", peft ? "peft" : "gguf"}};
  if (peft) {
    const fs::path to = work / kAdapterFile;
    ATELIER_TRY(WriteGgufFile(*file, to));
    out.files.emplace(kAdapterFile, to);
  } else {
    out.files.emplace(kAdapterFile, size_t{0});
  }
  return out;
}

}  // namespace atelier::engine
