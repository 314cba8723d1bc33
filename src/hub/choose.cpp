#include "hub/choose.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cstdio>
#include <string_view>

namespace atelier::hub {
namespace {

constexpr std::string_view kGguf = ".gguf";
constexpr int kMaxParts = 1000;

constexpr std::array<std::string_view, 24> kPreferred{
    "q4_k_m", "q4_0",   "q8_0",   "q5_k_m", "q6_k", "q4_k_s", "iq4_nl", "iq4_xs", "q5_k_s", "q5_0", "q4_1", "q5_1",
    "q3_k_m", "q3_k_l", "q3_k_s", "q2_k",   "q4_k", "q5_k",   "q3_k",   "f16",    "fp16",   "bf16", "f32",  "fp32"};

// Beside config.json and the weights.
constexpr std::array<std::string_view, 21> kFolderFiles{"config.json",
                                                        "model.safetensors.index.json",
                                                        "generation_config.json",
                                                        "tokenizer.json",
                                                        "tokenizer_config.json",
                                                        "tokenizer.model",
                                                        "sentencepiece.bpe.model",
                                                        "spiece.model",
                                                        "vocab.json",
                                                        "merges.txt",
                                                        "vocab.txt",
                                                        "added_tokens.json",
                                                        "special_tokens_map.json",
                                                        "chat_template.jinja",
                                                        "chat_template.json",
                                                        "modules.json",
                                                        "1_Pooling/config.json",
                                                        "config_sentence_transformers.json",
                                                        "sentence_bert_config.json",
                                                        "README.md"};

std::string Lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string NameOf(const std::string& path) { return Lower(path.substr(path.rfind('/') + 1)); }

bool IsModelGguf(const std::string& path) {
  const std::string name = NameOf(path);
  return name.ends_with(kGguf) && name.find("mmproj") == std::string::npos && name.find("imatrix") == std::string::npos;
}

// Whether `word` (lower case) stands in the path between characters that are no part of such a word.
bool HasWord(const std::string& path, const std::string& word) {
  const std::string text = Lower(path);
  const auto joins = [&](size_t at) {
    return at < text.size() && std::isalnum(static_cast<unsigned char>(text[at])) != 0;
  };
  for (size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + 1)) {
    const size_t end = at + word.size();
    const bool begins = at == 0 || !joins(at - 1);
    if (begins && !joins(end) && (end == text.size() || text[end] != '_')) {
      return true;
    }
  }
  return false;
}

Error NotFoundIn(const std::vector<ListedFile>& files, const std::string& wanted) {
  std::string there;
  int named = 0;
  for (const auto& file : files) {
    if (IsModelGguf(file.path) && named++ < 20) {
      there += (there.empty() ? " of: " : ", ") + file.path;
    }
  }
  return NotFound("the repository has no file for '" + wanted + "'" + there, "hub_file_not_found");
}

// The file, and where it is a part of a split one, all of them in order.
Result<std::vector<size_t>> WithParts(const std::vector<ListedFile>& files, size_t index) {
  const auto split = ParseSplitName(files[index].path);
  if (!split.has_value()) {
    return std::vector<size_t>{index};
  }
  std::vector<size_t> parts;
  for (int part = 1; part <= split->count; ++part) {
    const std::string name = PartName(*split, part);
    const auto found = std::ranges::find(files, name, &ListedFile::path);
    if (found == files.end()) {
      return NotFound("the repository lacks '" + name + "', a part of '" + files[index].path + "'",
                      "hub_file_not_found");
    }
    parts.push_back(static_cast<size_t>(found - files.begin()));
  }
  return parts;
}

// GGUF files that are models, only the first part of split ones, by their names.
std::vector<size_t> Candidates(const std::vector<ListedFile>& files) {
  std::vector<size_t> found;
  for (size_t i = 0; i < files.size(); ++i) {
    const auto split = ParseSplitName(files[i].path);
    if (IsModelGguf(files[i].path) && (!split.has_value() || split->part == 1)) {
      found.push_back(i);
    }
  }
  std::ranges::sort(found, {}, [&](size_t i) { return files[i].path; });
  return found;
}

std::optional<size_t> WithWord(const std::vector<ListedFile>& files, const std::vector<size_t>& candidates,
                               const std::string& word) {
  const auto found = std::ranges::find_if(candidates, [&](size_t i) { return HasWord(files[i].path, word); });
  return found == candidates.end() ? std::nullopt : std::optional(*found);
}

size_t BestOf(const std::vector<ListedFile>& files, const std::vector<size_t>& candidates) {
  for (const auto word : kPreferred) {
    if (const auto found = WithWord(files, candidates, std::string(word)); found.has_value()) {
      return *found;
    }
  }
  return candidates.front();
}

Result<std::vector<size_t>> Folder(const std::vector<ListedFile>& files) {
  std::vector<size_t> chosen;
  bool config = false;
  bool weights = false;
  for (size_t i = 0; i < files.size(); ++i) {
    const std::string& path = files[i].path;
    const bool tensors = path.ends_with(".safetensors") && path.find('/') == std::string::npos &&
                         !path.starts_with("consolidated");  // Mistral's own copy of the same weights
    if (tensors || std::ranges::find(kFolderFiles, path) != kFolderFiles.end()) {
      chosen.push_back(i);
    }
    config = config || path == "config.json";
    weights = weights || path == "model.safetensors" || path == "model.safetensors.index.json";
  }
  if (!config || !weights) {
    return InvalidArgument(
        "the repository has neither a GGUF file nor config.json with safetensors; pickled weights are not taken",
        "source", "no_model_files");
  }
  return chosen;
}

}  // namespace

Result<std::vector<size_t>> ChooseFiles(const std::vector<ListedFile>& files, const std::string& wanted) {
  const auto exact = std::ranges::find(files, wanted, &ListedFile::path);
  if (exact != files.end()) {
    const std::string name = NameOf(wanted);
    if (name.ends_with(".bin") || name.ends_with(".pt") || name.ends_with(".pth") || name.ends_with(".ckpt")) {
      return InvalidArgument("'" + wanted + "' may be a pickle, which is code: it is not taken", "source",
                             "no_model_files");
    }
    return WithParts(files, static_cast<size_t>(exact - files.begin()));
  }
  const auto candidates = Candidates(files);
  if (wanted.empty()) {
    return candidates.empty() ? Folder(files) : WithParts(files, BestOf(files, candidates));
  }
  const auto found = WithWord(files, candidates, Lower(wanted));
  return found.has_value() ? WithParts(files, *found) : NotFoundIn(files, wanted);
}

std::optional<SplitName> ParseSplitName(const std::string& path) {
  constexpr std::string_view kForm = "-00000-of-00000.gguf";
  if (path.size() <= kForm.size()) {
    return std::nullopt;
  }
  const std::string_view tail = std::string_view(path).substr(path.size() - kForm.size());
  for (size_t i = 0; i < kForm.size(); ++i) {
    const bool digit = tail[i] >= '0' && tail[i] <= '9';
    if (kForm[i] == '0' ? !digit : tail[i] != kForm[i]) {
      return std::nullopt;
    }
  }
  SplitName split{path.substr(0, path.size() - kForm.size())};
  std::from_chars(tail.data() + 1, tail.data() + 6, split.part);
  std::from_chars(tail.data() + 10, tail.data() + 15, split.count);
  const bool sound = split.part >= 1 && split.part <= split.count && split.count <= kMaxParts;
  return sound ? std::optional(split) : std::nullopt;
}

std::string PartName(const SplitName& split, int part) {
  std::array<char, 32> tail{};
  std::snprintf(tail.data(), tail.size(), "-%05d-of-%05d.gguf", part, split.count);
  return split.front + tail.data();
}

}  // namespace atelier::hub
