#include "engine/importing/import.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <fstream>
#include <set>
#include <system_error>
#include <utility>

#include "base/file_sink.h"
#include "base/ids.h"
#include "engine/formats/llama2c.h"
#include "engine/formats/memory_file.h"
#include "engine/hugging_face/folder.h"
#include "engine/hugging_face/import_folder.h"
#include "engine/model_config.h"
#include "engine/service/generator.h"
#include "engine/service/model_files.h"
#include "engine/task_name.h"
#include "tensor/gguf_writer.h"
#include "tensor/quants/formats.h"

namespace atelier::engine {
namespace {

namespace fs = std::filesystem;

// Enough of a model to know that it loads; a worker gives it more.
constexpr int64_t kProofContext = 16;
constexpr size_t kProofCacheBytes = 512U << 20U;
constexpr size_t kMaxNameBytes = 200;

Error BadFiles(const std::string& what) { return InvalidArgument(what, "files", "invalid_model_file"); }

// The last part of a name, of the letters that a model's files may have.
std::string PlainName(const std::string& name) {
  std::string plain = name.substr(name.rfind('/') + 1);
  for (char& c : plain) {
    const bool kept =
        (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
    c = kept ? c : '_';
  }
  if (plain.size() > kMaxNameBytes) {
    plain.erase(0, plain.size() - kMaxNameBytes);
  }
  if (plain.empty() || plain.front() == '.') {
    plain.insert(0, "model");
  }
  return plain;
}

bool IsGguf(const fs::path& file) {
  std::array<char, 4> magic{};
  std::ifstream(file, std::ios::binary).read(magic.data(), magic.size());
  return std::memcmp(magic.data(), "GGUF", magic.size()) == 0;
}

Status LinkAll(const std::vector<ModelSource>& sources, const fs::path& work, ImportedModel& out) {
  for (size_t i = 0; i < sources.size(); ++i) {
    std::string name = PlainName(sources[i].name);
    if (!name.ends_with(".gguf")) {
      name += ".gguf";
    }
    if (!out.files.emplace(name, i).second) {
      return BadFiles("two files have the name '" + name + "'");
    }
    std::error_code error;
    fs::create_symlink(fs::absolute(sources[i].file), work / name, error);
    if (error) {
      return Internal("cannot lay out the model: " + error.message());
    }
  }
  return {};
}

// The checkpoint is the larger of the two files.
Status ConvertLlama2c(const std::vector<ModelSource>& sources, const fs::path& work, ImportedModel& out) {
  std::error_code error;
  const bool swapped = fs::file_size(sources[0].file, error) < fs::file_size(sources[1].file, error);
  const ModelSource& checkpoint = sources[swapped ? 1 : 0];
  const ModelSource& tokenizer = sources[swapped ? 0 : 1];
  ATELIER_ASSIGN(file, ReadLlama2c(checkpoint.file, tokenizer.file));
  const std::string name = fs::path(PlainName(checkpoint.name)).stem().string() + ".gguf";
  ATELIER_TRY(WriteGgufFile(*file, work / name));
  out.files.emplace(name, work / name);
  return {};
}

Status ConvertFolder(const std::vector<ModelSource>& sources, const fs::path& work, const hugging_face::Family*& family,
                     ImportedModel& out) {
  const std::string name = "model.gguf";
  auto found = hugging_face::FolderToGguf(sources, work / name);
  if (!found.ok()) {
    Error error = std::move(found).error();
    if (error.reason == "missing_required_parameter") {  // it is a file that lacks something, not a request
      error.reason = "invalid_model_file";
    }
    return error;
  }
  family = *found;
  out.files.emplace(name, work / name);
  return {};
}

// An error that names a tensor of GGUF names it as the folder does, too.
Error NamedAsInFolder(Error error, const hugging_face::Family* family) {
  if (family != nullptr) {
    const hugging_face::Match match = hugging_face::MatchGguf(*family, error.param, MemoryFile());
    if (match.row != nullptr) {
      error.param = hugging_face::HuggingFaceName(match);
      error.message += " (of '" + error.param + "')";
    }
  }
  return error;
}

// How most of the weights lie.
std::string QuantisationOf(const tensor::GgufFile& file) {
  std::map<tensor::GgmlType, size_t> bytes;
  for (const auto& [name, tensor] : file.tensors()) {
    bytes[tensor.type] += tensor.bytes.size();
  }
  const auto most = std::ranges::max_element(bytes, {}, [](const auto& entry) { return entry.second; });
  return most == bytes.end() ? "" : std::string(tensor::FormatOf(most->first).name);
}

int64_t ParametersOf(const tensor::GgufFile& file) {
  int64_t parameters = 0;
  for (const auto& [name, tensor] : file.tensors()) {
    int64_t count = 1;
    for (const int64_t size : tensor.shape) {
      count *= size;  // the bytes of a mapped file bound it
    }
    parameters += count;
  }
  return parameters;
}

// Metadata that files may have under one of these keys.
struct Named {
  std::string_view field;
  std::string_view key;
};
constexpr Named kNamed[] = {{"name", "general.name"},
                            {"license", "general.license"},
                            {"base_model", "general.base_model.0.name"},
                            {"source", "general.source.url"},
                            {"size_label", "general.size_label"}};
constexpr size_t kMaxNamedBytes = 1000;

json::object MetadataOf(const tensor::GgufFile& file, const GenerativeDescription& description) {
  json::object out{{"family", "llm"},
                   {"task", TaskName(description)},
                   {"architecture", description.architecture},
                   {"parameters", ParametersOf(file)},
                   {"quantisation", QuantisationOf(file)},
                   {"vocabulary", description.vocabulary},
                   {"embedding_width", description.embedding_width},
                   {"chat_template", description.has_chat_template},
                   {"tools", description.uses_tools},
                   {"reasoning", description.uses_reasoning},
                   {"fingerprint", description.fingerprint}};
  if (const auto config = ReadModelConfig(file); config.ok()) {
    out["context"] = config->context;
  }
  for (const Named& named : kNamed) {
    if (const auto text = file.Text(named.key); text.ok() && text->size() <= kMaxNamedBytes && IsUtf8(*text)) {
      out[named.field] = *text;
    }
  }
  return out;
}

// Loads the model as a worker would.
Status Prove(const fs::path& folder, size_t threads, Clock& clock, json::object& metadata) {
  ATELIER_ASSIGN(files, ReadModelFiles(folder));
  const std::shared_ptr<const tensor::GgufFile> file = files.weights;
  GeneratorOptions options;
  options.threads = threads;
  options.max_context = kProofContext;
  options.kv_bytes = kProofCacheBytes;
  ATELIER_ASSIGN(generator, MakeGenerator(std::move(files), options, clock));
  metadata = MetadataOf(*file, generator->description());
  return {};
}

}  // namespace

Status WriteGgufFile(const tensor::GgufFile& file, const fs::path& to) {
  FileSink sink(to);
  ATELIER_TRY(tensor::WriteGguf(file.metadata(), file.tensors(),
                                [&](std::span<const std::byte> bytes) { return sink.Write(bytes); }));
  return sink.Close();
}

Result<ImportedModel> ImportModel(const std::vector<ModelSource>& sources, const fs::path& work, size_t threads,
                                  Clock& clock) {
  const auto ggufs = std::ranges::count_if(sources, [](const ModelSource& source) { return IsGguf(source.file); });
  const bool is_gguf = !sources.empty() && static_cast<size_t>(ggufs) == sources.size();
  const bool is_folder = !is_gguf && hugging_face::Folder::Is(sources);
  if (!is_gguf && !is_folder && (sources.size() != 2 || ggufs != 0)) {
    return BadFiles(
        "these files are no model that can be imported: give one GGUF file, all parts of a split one, a folder of "
        "Hugging Face's with safetensors, or a checkpoint of llama2.c and its tokeniser");
  }
  ImportedModel out;
  const hugging_face::Family* family = nullptr;
  ATELIER_TRY(is_gguf     ? LinkAll(sources, work, out)
              : is_folder ? ConvertFolder(sources, work, family, out)
                          : ConvertLlama2c(sources, work, out));
  json::object metadata;
  if (auto proof = Prove(work, threads, clock, metadata); !proof.ok()) {
    return NamedAsInFolder(std::move(proof).error(), family);
  }
  metadata["format"] = is_gguf ? "gguf" : is_folder ? "huggingface" : "llama2c";
  out.metadata = std::move(metadata);
  return out;
}

}  // namespace atelier::engine
