#include <algorithm>
#include <array>
#include <fstream>
#include <sstream>

#include "base/json.h"
#include "families/bert/bert.h"
#include "families/gpt/learner.h"
#include "families/learner.h"
#include "families/model.h"
#include "families/sequence/learner.h"
#include "families/sequence/predictor.h"
#include "families/sequential/chain_predictor.h"
#include "families/sequential/learner.h"
#include "families/translation/translation.h"
#include "families/words/words.h"

namespace atelier::families {
namespace {

constexpr uintmax_t kMaxJsonBytes = 256U << 20U;

constexpr auto kEntries = std::to_array<Entry>({
    {.name = "mlp", .learn = LearnChain, .open = OpenChain, .measure = MeasureChain},
    {.name = "cnn", .learn = LearnChain, .open = OpenChain, .measure = MeasureChain},
    {.name = "lstm", .learn = LearnSequence, .open = OpenSequence, .measure = MeasureSequence},
    {.name = "gru", .learn = LearnSequence, .open = OpenSequence, .measure = MeasureSequence},
    {.name = "rnn", .learn = LearnSequence, .open = OpenSequence, .measure = MeasureSequence},
    {.name = "textcnn", .learn = LearnSequence, .open = OpenSequence, .measure = MeasureSequence},
    {.name = "textbag", .learn = LearnSequence, .open = OpenSequence, .measure = MeasureSequence},
    {.name = "word2vec", .train = TrainWordVectors, .open = OpenWordVectors, .measure = MeasureWordVectors},
    {.name = "glove", .train = TrainWordVectors, .open = OpenWordVectors, .measure = MeasureWordVectors},
    {.name = "gpt", .learn = LearnGpt},
    {.name = "bert", .learn = LearnBert, .open = OpenBert, .measure = MeasureBert},
    {.name = "translation", .learn = LearnTranslation, .open = OpenTranslation, .measure = MeasureTranslation},
});

}  // namespace

std::span<const Entry> Entries() { return kEntries; }

Result<const Entry*> FindEntry(std::string_view family) {
  const auto found = std::ranges::find(kEntries, family, &Entry::name);
  if (found == kEntries.end()) {
    return InvalidArgument("this program has no model family '" + std::string(family.substr(0, 64)) + "'", "family",
                           "unknown_family");
  }
  return &*found;
}

Result<const Entry*> EntryOf(const ModelFiles& files) {
  ATELIER_ASSIGN(json, JsonFile(files, files.contains(kMetadataFile) ? kMetadataFile : kConfigFile));
  const auto found = std::ranges::find(kEntries, GetString(json, "family"), &Entry::name);
  if (found == kEntries.end()) {
    return InvalidArgument("the model is of no family that this program knows", "", "invalid_model_file");
  }
  return &*found;
}

Result<std::unique_ptr<Predictor>> Predictor::Open(const std::filesystem::path& folder, int threads) {
  ATELIER_ASSIGN(files, FilesIn(folder));
  ATELIER_ASSIGN(entry, EntryOf(files));
  if (entry->open == nullptr) {
    return InvalidArgument("models of the family " + std::string(entry->name) + " answer elsewhere", "",
                           "invalid_model_file");
  }
  return entry->open(files, threads);
}

Result<ModelFiles> FilesIn(const std::filesystem::path& folder) {
  std::error_code ec;
  ModelFiles files;
  for (const auto& item : std::filesystem::directory_iterator(folder, ec)) {
    if (item.is_regular_file(ec)) {
      files[item.path().filename().string()] = item.path();
    }
  }
  if (files.empty()) {
    return NotFound("there is no model in " + folder.filename().string());
  }
  return files;
}

Result<std::filesystem::path> FileOf(const ModelFiles& files, const std::string& name) {
  const auto found = files.find(name);
  if (found == files.end()) {
    return NotFound("the model has no file " + name);
  }
  return found->second;
}

Result<json::object> JsonFile(const ModelFiles& files, const std::string& name) {
  ATELIER_ASSIGN(path, FileOf(files, name));
  std::error_code ec;
  const auto size = std::filesystem::file_size(path, ec);
  if (ec) {
    return NotFound("the model's file " + name + " cannot be read");
  }
  const auto bad = [&](const std::string& what) { return InvalidArgument(name + what, "", "invalid_model_file"); };
  if (size > kMaxJsonBytes) {
    return bad(" is too large");
  }
  std::ifstream in(path, std::ios::binary);
  std::ostringstream text;
  text << in.rdbuf();
  auto value = ParseJson(text.str(), {.max_bytes = kMaxJsonBytes, .max_depth = 64});
  if (!value.ok()) {
    return bad(": " + value.error().message);
  }
  if (!value->is_object()) {
    return bad(" must be an object");
  }
  return std::move(value->get_object());
}

}  // namespace atelier::families
