#include "engine/hugging_face/tokenizer.h"

#include <algorithm>
#include <limits>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/formats/gguf_tokenizer.h"
#include "text/spec_json.h"
#include "text/tokenizer_json.h"
#include "text/tokenizers/pre_tokenizers.h"
#include "text/utf8.h"

namespace atelier::engine::hugging_face {
namespace {

using text::TokenizerKind;
using text::TokenizerSpec;
using text::TokenKind;

constexpr size_t kMaxTokenizerBytes = 128U << 20U;
constexpr size_t kMaxTemplates = 32;
constexpr size_t kMaxEnds = 64;
constexpr float kUnusedScore = -10000.0F;

std::string Key(std::string_view name) { return "tokenizer.ggml." + std::string(name); }

Error Bad(const std::string& file, const std::string& what) {
  return InvalidArgument(file + ": " + what, file, "invalid_tokenizer");
}

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  for (size_t at = 0; at < text.size();) {
    const size_t end = std::min(text.find('\n', at), text.size());
    std::string line = text.substr(at, end - at);
    if (line.ends_with('\r')) {
      line.pop_back();
    }
    lines.push_back(std::move(line));
    at = end + 1;
  }
  return lines;
}

// BERT's own form of a vocabulary: a token a line.
Result<std::string> OfVocabTxt(const Folder& folder, const json::object& config) {
  ATELIER_ASSIGN(vocabulary, folder.Text("vocab.txt", kMaxTokenizerBytes));
  TokenizerSpec spec;
  spec.kind = TokenizerKind::kWordPiece;
  spec.tokens = Lines(vocabulary);
  const std::pair<std::string_view, std::optional<int32_t> TokenizerSpec::*> kNames[] = {
      {"[UNK]", &TokenizerSpec::unknown},
      {"[CLS]", &TokenizerSpec::classification},
      {"[SEP]", &TokenizerSpec::separator},
      {"[PAD]", &TokenizerSpec::padding},
      {"[MASK]", &TokenizerSpec::mask}};
  spec.kinds.assign(spec.tokens.size(), TokenKind::kNormal);
  for (const auto& [name, field] : kNames) {
    const auto found = std::ranges::find(spec.tokens, name);
    if (found == spec.tokens.end()) {
      return Bad("vocab.txt", "it has no '" + std::string(name) + "'");
    }
    spec.*field = static_cast<int32_t>(found - spec.tokens.begin());
    spec.kinds[static_cast<size_t>(found - spec.tokens.begin())] = TokenKind::kControl;
  }
  spec.add_bos = spec.add_eos = true;
  spec.word_piece.lowercase = spec.word_piece.strip_accents = GetBool(config, "do_lower_case", true);
  return text::WriteTokenizerJson(spec);
}

// GPT-2's own form: ids of tokens, and merges in order.
Result<std::string> OfVocabJson(const Folder& folder) {
  ATELIER_ASSIGN(vocabulary, folder.Text("vocab.json", kMaxTokenizerBytes));
  ATELIER_ASSIGN(merges, folder.Text("merges.txt", kMaxTokenizerBytes));
  ATELIER_ASSIGN(parsed, ParseJson(vocabulary, {.max_bytes = kMaxTokenizerBytes, .max_depth = 4}));
  json::array list;
  for (std::string& line : Lines(merges)) {
    if (!line.empty() && !line.starts_with("#version")) {
      list.emplace_back(std::move(line));
    }
  }
  const json::object byte_level{{"type", "ByteLevel"}, {"add_prefix_space", false}};
  json::object model{{"type", "BPE"}, {"vocab", std::move(parsed)}, {"merges", std::move(list)}};
  return json::serialize(json::object{{"version", "1.0"},
                                      {"added_tokens", json::array()},
                                      {"pre_tokenizer", byte_level},
                                      {"decoder", byte_level},
                                      {"model", std::move(model)}});
}

Result<std::string> TokenizerJsonOf(const Folder& folder, const json::object& config) {
  if (folder.Has("tokenizer.json")) {
    return folder.Text("tokenizer.json", kMaxTokenizerBytes);
  }
  if (folder.Has("vocab.txt")) {
    return OfVocabTxt(folder, config);
  }
  if (folder.Has("vocab.json") && folder.Has("merges.txt")) {
    return OfVocabJson(folder);
  }
  return Bad("tokenizer.json", "it is missing, and so are vocab.txt and vocab.json with merges.txt");
}

// One id, or the first of several.
void AddIds(const json::object& object, std::string_view key, std::vector<int64_t>& ids) {
  const json::value* value = object.if_contains(key);
  if (value != nullptr && value->is_int64()) {
    ids.push_back(value->get_int64());
  } else if (value != nullptr && value->is_array() && value->get_array().size() <= kMaxEnds) {
    for (const auto& item : value->get_array()) {
      if (item.is_int64()) {
        ids.push_back(item.get_int64());
      }
    }
  }
}

class MetadataWriter {
 public:
  MetadataWriter(const Folder& folder, const json::object& config, int64_t vocabulary, MemoryFile& to)
      : folder_(folder), config_(config), vocabulary_(static_cast<size_t>(vocabulary)), to_(to) {}

  Status Write() {
    ATELIER_ASSIGN(tokenizer_config, folder_.Json("tokenizer_config.json"));
    ATELIER_ASSIGN(json, TokenizerJsonOf(folder_, tokenizer_config));
    ATELIER_ASSIGN(config_text, folder_.Text("tokenizer_config.json"));
    ATELIER_ASSIGN(map_text, folder_.Text("special_tokens_map.json"));
    ATELIER_ASSIGN(spec, text::ReadTokenizerJson({json, config_text, map_text}));
    spec_ = std::move(spec);
    FitTokens();
    WriteTokens();
    ATELIER_TRY(WriteIds());
    to_.SetText(std::string(kTokenizerJsonKey), std::move(json));
    return WriteTemplates(tokenizer_config);
  }

 private:
  // As many tokens as embeddings.
  void FitTokens() {
    const size_t had = std::min(spec_.tokens.size(), vocabulary_);
    spec_.tokens.resize(vocabulary_);
    spec_.kinds.resize(vocabulary_, TokenKind::kUnused);
    for (size_t id = 0; id < vocabulary_; ++id) {
      if (id >= had || spec_.tokens[id].empty()) {
        spec_.tokens[id] = "[PAD" + std::to_string(id) + "]";
        spec_.kinds[id] = TokenKind::kUnused;
      }
    }
    if (!spec_.scores.empty()) {
      spec_.scores.resize(vocabulary_, kUnusedScore);
    }
  }

  void WriteTokens() {
    std::vector<int64_t> types;
    for (const TokenKind kind : spec_.kinds) {
      types.push_back(1 + static_cast<int64_t>(kind));  // GGUF's values, in the order of TokenKind, from 1
    }
    switch (spec_.kind) {
      case TokenizerKind::kByteLevelBpe:
        to_.SetText(Key("model"), "gpt2");
        to_.SetText(Key("pre"), std::string(text::NameOfSplits(spec_)));
        to_.Set(Key("merges"), {spec_.merges});
        break;
      case TokenizerKind::kSentencePieceBpe:
        to_.SetText(Key("model"), "llama");
        to_.SetText(Key("pre"), "default");
        RankScores();
        to_.Set(Key("add_space_prefix"), {spec_.add_space_prefix});
        break;
      case TokenizerKind::kUnigram:
        WriteUnigram();
        break;
      case TokenizerKind::kWordPiece:
        WriteWordPiece();
        break;
    }
    if (!spec_.scores.empty()) {
      to_.Set(Key("scores"), {std::vector<double>(spec_.scores.begin(), spec_.scores.end())});
    }
    to_.Set(Key("tokens"), {spec_.tokens});
    to_.Set(Key("token_type"), {std::move(types)});
  }

  // SentencePiece merges what scores most, so that a token's score is that of the first merge that makes it.
  void RankScores() {
    std::map<std::string, size_t, std::less<>> ranks;
    for (size_t i = 0; i < spec_.merges.size(); ++i) {
      std::string merged = spec_.merges[i];
      merged.erase(std::min(merged.find(' ', 1), merged.size()), 1);
      ranks.emplace(std::move(merged), i);
    }
    spec_.scores.clear();
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      const auto found = ranks.find(spec_.tokens[id]);
      const bool used = spec_.kinds[id] == TokenKind::kNormal;
      spec_.scores.push_back(found != ranks.end() ? -static_cast<float>(found->second)
                             : used               ? -static_cast<float>(ranks.size() + id)
                                                  : 0.0F);
    }
  }

  void WriteUnigram() {
    to_.SetText(Key("model"), "t5");
    to_.SetText(Key("pre"), "default");
    to_.Set(Key("add_space_prefix"), {spec_.add_space_prefix});
    to_.Set(Key("remove_extra_whitespaces"), {true});
    if (!spec_.precompiled_charsmap.empty()) {
      std::vector<int64_t> bytes;
      for (const char c : spec_.precompiled_charsmap) {
        bytes.push_back(static_cast<uint8_t>(c));
      }
      to_.Set(Key("precompiled_charsmap"), {std::move(bytes), tensor::GgufType::kU8});
    }
  }

  // GGUF marks what begins a word instead of what goes on.
  void WriteWordPiece() {
    to_.SetText(Key("model"), "bert");
    to_.SetText(Key("pre"), "default");
    const std::string& prefix = spec_.word_piece.continuing_prefix;
    for (size_t id = 0; id < spec_.tokens.size(); ++id) {
      std::string& token = spec_.tokens[id];
      if (spec_.kinds[id] == TokenKind::kNormal) {
        token = token.starts_with(prefix) ? token.substr(prefix.size()) : std::string(text::kSpaceMark) + token;
      }
    }
    if (!spec_.word_piece.lowercase) {
      to_.Set(Key("normalizer.lowercase"), {false});
    }
  }

  // What the tokeniser's own files leave out is in the model's.
  Status WriteIds() {
    ATELIER_ASSIGN(generation, folder_.Json("generation_config.json"));
    const auto first = [&](std::optional<int32_t>& id, std::string_view key) {
      std::vector<int64_t> ids;
      AddIds(config_, key, ids);
      AddIds(generation, key, ids);
      if (!id && !ids.empty() && ids[0] >= 0 && ids[0] < static_cast<int64_t>(vocabulary_)) {
        id = static_cast<int32_t>(ids[0]);
      }
    };
    const bool words = spec_.kind == TokenizerKind::kWordPiece;
    spec_.bos = words && !spec_.bos ? spec_.classification : spec_.bos;
    spec_.eos = words && !spec_.eos ? spec_.separator : spec_.eos;
    first(spec_.bos, "bos_token_id");
    first(spec_.eos, "eos_token_id");
    first(spec_.padding, "pad_token_id");
    std::vector<int64_t> ends;
    AddIds(generation, "eos_token_id", ends);
    for (const int64_t end : ends) {
      if (!spec_.eot && spec_.eos && end != *spec_.eos && end >= 0 && end < static_cast<int64_t>(vocabulary_)) {
        spec_.eot = static_cast<int32_t>(end);
      }
    }
    const std::pair<std::string_view, std::optional<int32_t>> kIds[] = {
        {"bos_token_id", spec_.bos},
        {"eos_token_id", spec_.eos},
        {"eot_token_id", spec_.eot},
        {"unknown_token_id", spec_.unknown},
        {"padding_token_id", spec_.padding},
        {"seperator_token_id", spec_.separator},  // GGUF's spelling
        {"cls_token_id", spec_.classification},
        {"mask_token_id", spec_.mask}};
    for (const auto& [key, id] : kIds) {
      if (id && static_cast<size_t>(*id) < vocabulary_) {
        to_.SetInteger(Key(key), static_cast<uint64_t>(*id));
      }
    }
    to_.Set(Key("add_bos_token"), {spec_.add_bos});
    to_.Set(Key("add_eos_token"), {spec_.add_eos});
    return {};
  }

  // A template of its own file stands above that of tokenizer_config.json: a text, or a list of named ones.
  Status WriteTemplates(const json::object& tokenizer_config) {
    ATELIER_ASSIGN(own, folder_.Text("chat_template.jinja"));
    ATELIER_ASSIGN(in_json, folder_.Json("chat_template.json"));
    if (!own.empty()) {
      to_.SetText("tokenizer.chat_template", std::move(own));
      return {};
    }
    const json::value* value = tokenizer_config.if_contains("chat_template");
    value = value == nullptr ? in_json.if_contains("chat_template") : value;
    if (value == nullptr || value->is_null()) {
      return {};
    }
    if (value->is_string()) {
      to_.SetText("tokenizer.chat_template", std::string(std::string_view(value->get_string())));
      return {};
    }
    if (!value->is_array() || value->get_array().size() > kMaxTemplates) {
      return Bad("tokenizer_config.json", "chat_template is neither a text nor a list of named ones");
    }
    for (const auto& item : value->get_array()) {
      if (!item.is_object()) {
        return Bad("tokenizer_config.json", "chat_template has an item that is no object");
      }
      Fields fields(item.get_object(), "tokenizer_config.json.chat_template");
      ATELIER_ASSIGN(name, fields.String("name", 100));
      ATELIER_ASSIGN(source, fields.String("template", 8U << 20U));
      to_.SetText("tokenizer.chat_template" + (name == "default" ? "" : "." + name), std::move(source));
    }
    return {};
  }

  const Folder& folder_;
  const json::object& config_;
  size_t vocabulary_;
  MemoryFile& to_;
  TokenizerSpec spec_;
};

}  // namespace

Status TokenizerToMetadata(const Folder& folder, const json::object& config, int64_t vocabulary, MemoryFile& to) {
  return MetadataWriter(folder, config, vocabulary, to).Write();
}

}  // namespace atelier::engine::hugging_face
