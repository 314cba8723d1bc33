#include "engine/service/model_files.h"

#include <algorithm>
#include <system_error>
#include <utility>
#include <variant>
#include <vector>

#include "base/hash.h"
#include "engine/formats/gguf_tokenizer.h"

namespace atelier::engine {
namespace {

constexpr std::string_view kTemplateKey = "tokenizer.chat_template";
constexpr size_t kMaxFolderEntries = 100'000;

// Whether NAME is a part of a split model that is not its first.
bool IsLaterPart(const std::string& stem) {
  const size_t of = stem.rfind("-of-");
  return of != std::string::npos && of >= 6 && stem[of - 6] == '-' && stem.compare(of - 5, 5, "00001") != 0 &&
         std::all_of(stem.begin() + static_cast<std::ptrdiff_t>(of) - 5, stem.begin() + static_cast<std::ptrdiff_t>(of),
                     [](char c) { return c >= '0' && c <= '9'; });
}

Error BadFolder(const std::string& what) { return InvalidArgument(what, "", "invalid_model_file"); }

Result<std::filesystem::path> GgufOf(const std::filesystem::path& folder) {
  std::error_code failed;
  std::vector<std::filesystem::path> found;
  size_t entries = 0;
  for (std::filesystem::directory_iterator at(folder, failed), end; !failed && at != end; at.increment(failed)) {
    if (++entries > kMaxFolderEntries) {
      return BadFolder("the model's folder has too many files");
    }
    if (at->path().extension() == ".gguf" && !IsLaterPart(at->path().stem().string())) {
      found.push_back(at->path());
    }
  }
  if (failed) {
    return NotFound("the model's folder cannot be read: " + failed.message());
  }
  if (found.size() != 1) {
    return BadFolder(found.empty() ? "there is no GGUF file in the model's folder"
                                   : "there is more than one GGUF model in the folder");
  }
  return found.front();
}

// Of names, shapes and plain metadata: equal for equal models, different for different quantisations.
std::string FingerprintOf(const tensor::GgufFile& file) {
  Sha256 hash;
  for (const auto& [key, value] : file.metadata()) {
    hash.Update(key);
    if (const auto* text = std::get_if<std::string>(&value.value)) {
      hash.Update(*text);
    } else if (const auto* number = std::get_if<uint64_t>(&value.value)) {
      hash.Update(std::to_string(*number));
    }
  }
  for (const auto& [name, tensor] : file.tensors()) {
    hash.Update(name);
    hash.Update(std::to_string(static_cast<uint32_t>(tensor.type)));
    constexpr size_t kSample = 64;
    hash.Update(tensor.bytes.first(std::min(kSample, tensor.bytes.size())));
  }
  return "fp_" + hash.Finish().substr(0, 10);
}

}  // namespace

Result<ModelFiles> ModelFilesOf(std::shared_ptr<const tensor::GgufFile> file) {
  ModelFiles files;
  ATELIER_ASSIGN(tokenizer, TokenizerSpecFromGguf(*file));
  files.tokenizer = std::move(tokenizer);
  if (file->Has(kTemplateKey)) {
    ATELIER_ASSIGN(source, file->Text(kTemplateKey));
    files.chat_template = std::move(source);
  }
  files.fingerprint = FingerprintOf(*file);
  files.weights = std::move(file);
  return files;
}

Result<std::filesystem::path> FindGguf(const std::filesystem::path& folder_or_file) {
  std::error_code ignored;
  return std::filesystem::is_directory(folder_or_file, ignored) ? GgufOf(folder_or_file) : folder_or_file;
}

Result<ModelFiles> ReadModelFiles(const std::filesystem::path& folder_or_file) {
  ATELIER_ASSIGN(file, FindGguf(folder_or_file));
  ATELIER_ASSIGN(opened, tensor::GgufFile::Open(file));
  return ModelFilesOf(std::move(opened));
}

}  // namespace atelier::engine
