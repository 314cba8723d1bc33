#include "families/word_vectors/model_files.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "base/file_sink.h"
#include "base/json.h"
#include "storage/files.h"
#include "tensor/mapped_file.h"
#include "tensor/safetensors.h"
#include "text/utf8.h"

namespace atelier::families::word_vectors {
namespace {

constexpr const char* kVectors = "word_vectors";
constexpr const char* kCounts = "counts";
constexpr size_t kMaxConfigBytes = 1U << 20U;

Error Invalid(const std::string& what) { return InvalidArgument(what, "", "invalid_model_file"); }

Result<std::vector<std::string>> ReadWords(const std::filesystem::path& file) {
  ATELIER_ASSIGN(mapped, tensor::MappedFile::Open(file));
  std::string_view rest(reinterpret_cast<const char*>(mapped.bytes().data()), mapped.bytes().size());
  std::vector<std::string> words;
  while (!rest.empty()) {
    const size_t end = std::min(rest.find('\n'), rest.size());
    words.push_back(text::ReplaceInvalidUtf8(rest.substr(0, end)));
    rest.remove_prefix(std::min(end + 1, rest.size()));
    if (words.size() > kMaxWords) {
      return Invalid("vocab.txt has more than " + std::to_string(kMaxWords) + " words");
    }
  }
  return words;
}

Result<Table> ReadTable(const tensor::SafetensorsFile& file, size_t words) {
  ATELIER_ASSIGN(view, file.Find(kVectors));
  if (view.type != tensor::DataType::kF32 || view.shape.size() != 2 || view.shape[0] != static_cast<int64_t>(words) ||
      view.shape[1] < 1) {
    return Invalid("model.safetensors: word_vectors must be F32 [words of vocab.txt, dimensions]");
  }
  Table table(words, static_cast<size_t>(view.shape[1]));
  for (size_t i = 0; i < words; ++i) {
    const auto row = table.row(i);
    std::memcpy(row.data(), view.bytes.data() + i * row.size_bytes(), row.size_bytes());
    if (!std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) {
      return Invalid("model.safetensors: row " + std::to_string(i) + " has a number that is not finite");
    }
  }
  return table;
}

Result<std::vector<int64_t>> ReadCounts(const tensor::SafetensorsFile& file, size_t words) {
  std::vector<int64_t> counts(words, 0);
  const auto found = file.tensors().find(kCounts);
  if (found == file.tensors().end()) {
    return counts;
  }
  if (found->second.type != tensor::DataType::kI64 || found->second.bytes.size() != words * sizeof(int64_t)) {
    return Invalid("model.safetensors: counts must be I64 [words of vocab.txt]");
  }
  std::memcpy(counts.data(), found->second.bytes.data(), found->second.bytes.size());
  return counts;
}

}  // namespace

json::object ToJson(const ModelConfig& config, const WordVectors& vectors) {
  return {{"family", config.family},
          {"algorithm", config.algorithm},
          {"dimensions", vectors.vectors.columns()},
          {"words", vectors.vocabulary.size()},
          {"splitting", config.split.splitting == Splitting::kWords ? "words" : "spaces"},
          {"lowercase", config.split.lowercase}};
}

json::object Describe(const WordVectors& vectors) {
  const auto dimensions = static_cast<int64_t>(vectors.vectors.columns());
  const json::object signature{
      {"inputs", json::array{json::object{{"name", "text"}, {"datatype", "BYTES"}, {"shape", {-1, 1}}}}},
      {"outputs", json::array{json::object{{"name", "vector"}, {"datatype", "FP32"}, {"shape", {-1, dimensions}}}}},
      {"input_fields", json::array()},
      {"output_fields", json::array()}};
  return {{"task", "feature-extraction"},
          {"signature", signature},
          {"parameters", static_cast<int64_t>(vectors.vocabulary.size()) * dimensions},
          {"words", vectors.vocabulary.size()},
          {"dimensions", dimensions}};
}

Result<ModelConfig> ModelConfigFromJson(const json::value& value) {
  if (!value.is_object()) {
    return Invalid("config.json is no object");
  }
  const json::object& object = value.get_object();
  const std::string splitting = GetString(object, "splitting", "words");
  if (splitting != "words" && splitting != "spaces") {
    return Invalid("config.json: splitting must be words or spaces");
  }
  return ModelConfig{.family = GetString(object, "family"),
                     .algorithm = GetString(object, "algorithm"),
                     .split = {.splitting = splitting == "words" ? Splitting::kWords : Splitting::kSpaces,
                               .lowercase = GetBool(object, "lowercase", false)}};
}

Status WriteVectors(const WordVectors& vectors, const std::function<Status(std::span<const std::byte>)>& sink) {
  const auto words = static_cast<int64_t>(vectors.vocabulary.size());
  const auto& counts = vectors.vocabulary.counts();
  const std::map<std::string, tensor::SafetensorsPlan> plans{
      {kVectors, {tensor::DataType::kF32, {words, static_cast<int64_t>(vectors.vectors.columns())}}},
      {kCounts, {tensor::DataType::kI64, {words}}}};
  return tensor::WriteSafetensors(
      plans, {{"format", "pt"}},
      [&](const std::string& name, const tensor::SafetensorsSink& out) -> Status {
        if (name == kCounts) {
          return out(std::as_bytes(std::span(counts)));
        }
        for (size_t i = 0; i < vectors.vectors.rows(); ++i) {
          ATELIER_TRY(out(std::as_bytes(vectors.vectors.row(i))));
        }
        return {};
      },
      sink);
}

std::string VocabularyText(const Vocabulary& vocabulary) {
  std::string text;
  for (const std::string& word : vocabulary.words()) {
    text += word + "\n";
  }
  return text;
}

Result<Model> LoadModel(const ModelPaths& paths) {
  ATELIER_ASSIGN(text, storage::ReadSmallFile(paths.config, kMaxConfigBytes));
  ATELIER_ASSIGN(value, ParseJson(text));
  ATELIER_ASSIGN(config, ModelConfigFromJson(value));
  ATELIER_ASSIGN(words, ReadWords(paths.vocabulary));
  ATELIER_ASSIGN(file, tensor::SafetensorsFile::Open(paths.weights));
  ATELIER_ASSIGN(table, ReadTable(*file, words.size()));
  ATELIER_ASSIGN(counts, ReadCounts(*file, words.size()));
  ATELIER_ASSIGN(vocabulary, Vocabulary::Make(std::move(words), std::move(counts)));
  return Model{config, {std::move(vocabulary), std::move(table)}};
}

Status WriteModel(const ModelConfig& config, const WordVectors& vectors, const std::filesystem::path& folder) {
  const auto write = [&](const char* name, std::string_view text) -> Status {
    FileSink sink(folder / name);
    ATELIER_TRY(sink.Write(std::as_bytes(std::span(text.data(), text.size()))));
    return sink.Close();
  };
  ATELIER_TRY(write("config.json", json::serialize(ToJson(config, vectors)) + "\n"));
  ATELIER_TRY(write(kVocabularyFile, VocabularyText(vectors.vocabulary)));
  FileSink sink(folder / "model.safetensors");
  ATELIER_TRY(WriteVectors(vectors, [&](std::span<const std::byte> bytes) { return sink.Write(bytes); }));
  return sink.Close();
}

}  // namespace atelier::families::word_vectors
