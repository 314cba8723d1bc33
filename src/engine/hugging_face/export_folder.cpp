#include "engine/hugging_face/export_folder.h"

#include <algorithm>
#include <cstdio>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include "base/file_sink.h"
#include "engine/formats/gguf_tokenizer.h"
#include "engine/hugging_face/config.h"
#include "engine/hugging_face/tensors.h"
#include "tensor/quants/formats.h"
#include "tensor/safetensors.h"
#include "text/end_tokens.h"
#include "text/tokenizer_json.h"

namespace atelier::engine::hugging_face {
namespace {

namespace fs = std::filesystem;

Status WriteText(const fs::path& file, std::string_view text) {
  FileSink sink(file);
  ATELIER_TRY(sink.Write(std::as_bytes(std::span(text))));
  return sink.Close();
}

Status WriteJson(const fs::path& file, const json::value& value) {
  return WriteText(file, json::serialize(value) + "\n");
}

tensor::DataType DataTypeOf(tensor::GgmlType type) {
  return type == tensor::GgmlType::kF32    ? tensor::DataType::kF32
         : type == tensor::GgmlType::kBF16 ? tensor::DataType::kBF16
                                           : tensor::DataType::kF16;
}

uint64_t BytesOf(const Recipe& recipe) {
  return tensor::BytesOfShape(tensor::FormatOf(recipe.weave.type), recipe.shape).value_or(0);
}

Status WriteShard(const fs::path& file, const std::vector<const Recipe*>& recipes) {
  std::map<std::string, tensor::SafetensorsPlan> plans;
  std::map<std::string, const Recipe*> by_name;
  for (const Recipe* recipe : recipes) {
    plans.emplace(recipe->name, tensor::SafetensorsPlan{DataTypeOf(recipe->weave.type), recipe->shape});
    by_name.emplace(recipe->name, recipe);
  }
  FileSink out(file);
  ATELIER_TRY(tensor::WriteSafetensors(
      plans, {{"format", "pt"}},
      [&](const std::string& name, const tensor::SafetensorsSink& sink) {
        return WriteWeave(by_name.at(name)->weave, sink);
      },
      [&](std::span<const std::byte> bytes) { return out.Write(bytes); }));
  return out.Close();
}

// One file, or as many as the bytes ask for and an index.
Status WriteWeights(const std::vector<Recipe>& recipes, const fs::path& folder, uint64_t shard_bytes) {
  std::vector<std::vector<const Recipe*>> shards(1);
  uint64_t bytes = 0;
  uint64_t all = 0;
  for (const Recipe& recipe : recipes) {
    const uint64_t size = BytesOf(recipe);
    if (!shards.back().empty() && bytes + size > shard_bytes) {
      shards.emplace_back();
      bytes = 0;
    }
    shards.back().push_back(&recipe);
    bytes += size;
    all += size;
  }
  if (shards.size() == 1) {
    return WriteShard(folder / "model.safetensors", shards.front());
  }
  json::object map;
  for (size_t i = 0; i < shards.size(); ++i) {
    char name[64];
    std::snprintf(name, sizeof(name), "model-%05zu-of-%05zu.safetensors", i + 1, shards.size());
    ATELIER_TRY(WriteShard(folder / name, shards[i]));
    for (const Recipe* recipe : shards[i]) {
      map[recipe->name] = name;
    }
  }
  return WriteJson(folder / "model.safetensors.index.json",
                   json::object{{"metadata", {{"total_size", all}}}, {"weight_map", std::move(map)}});
}

json::object TokenizerConfig(const text::TokenizerSpec& spec, const tensor::GgufFile& file, int64_t context) {
  json::object config{{"tokenizer_class", "PreTrainedTokenizerFast"},
                      {"clean_up_tokenization_spaces", false},
                      {"model_max_length", context}};
  const std::pair<std::string_view, std::optional<int32_t>> kTokens[] = {{"bos_token", spec.bos},
                                                                         {"eos_token", spec.eos},
                                                                         {"unk_token", spec.unknown},
                                                                         {"sep_token", spec.separator},
                                                                         {"cls_token", spec.classification},
                                                                         {"pad_token", spec.padding},
                                                                         {"mask_token", spec.mask}};
  for (const auto& [name, id] : kTokens) {
    if (id) {
      config[name] = spec.tokens[static_cast<size_t>(*id)];
    }
  }
  config["add_bos_token"] = spec.add_bos;
  config["add_eos_token"] = spec.add_eos;
  if (const auto source = file.Text("tokenizer.chat_template"); source.ok()) {
    config["chat_template"] = *source;
  }
  return config;
}

Status WriteTokenizer(const tensor::GgufFile& file, const fs::path& folder, int64_t context) {
  ATELIER_ASSIGN(spec, TokenizerSpecFromGguf(file));
  if (const auto whole = file.Text(kTokenizerJsonKey); whole.ok()) {
    ATELIER_TRY(WriteText(folder / "tokenizer.json", *whole));
  } else {
    ATELIER_ASSIGN(rebuilt, text::WriteTokenizerJson(spec));
    ATELIER_TRY(WriteText(folder / "tokenizer.json", rebuilt));
  }
  ATELIER_TRY(WriteJson(folder / "tokenizer_config.json", TokenizerConfig(spec, file, context)));
  const auto ends = text::EndTokens(spec);
  json::object generation{{"eos_token_id", json::array(ends.begin(), ends.end())}};
  if (spec.bos) {
    generation["bos_token_id"] = *spec.bos;
  }
  if (spec.padding) {
    generation["pad_token_id"] = *spec.padding;
  }
  return WriteJson(folder / "generation_config.json", generation);
}

// modules.json of sentence-transformers and the folder that it names.
Status WriteModules(const ModelConfig& model, const fs::path& folder) {
  if (model.pooling == Pooling::kNone || model.pooling == Pooling::kRank) {
    return {};
  }
  const fs::path path = folder / "1_Pooling";
  std::error_code failed;
  fs::create_directory(path, failed);
  ATELIER_TRY(
      WriteJson(path / "config.json", json::object{{"word_embedding_dimension", model.width},
                                                   {"pooling_mode_cls_token", model.pooling == Pooling::kFirst},
                                                   {"pooling_mode_mean_tokens", model.pooling == Pooling::kMean},
                                                   {"pooling_mode_max_tokens", false},
                                                   {"pooling_mode_lasttoken", model.pooling == Pooling::kLast}}));
  const std::string_view prefix = "sentence_transformers.models.";
  json::array modules;
  for (const auto& [name, at] : {std::pair("Transformer", ""), std::pair("Pooling", "1_Pooling")}) {
    const auto index = modules.size();
    modules.push_back(json::object{
        {"idx", index}, {"name", std::to_string(index)}, {"path", at}, {"type", std::string(prefix) + name}});
  }
  return WriteJson(folder / "modules.json", modules);
}

}  // namespace

Status ExportFolder(const tensor::GgufFile& file, const fs::path& folder, const ExportOptions& options) {
  ATELIER_ASSIGN(family, FindFamily(file));
  ATELIER_ASSIGN(model, ReadModelConfig(file));
  ATELIER_ASSIGN(config, ConfigOfFile(*family, file));
  ATELIER_ASSIGN(skipped, SkippedRows(*family, config));
  if (file.Find("cls.weight") != nullptr && file.Find("cls.output.weight") == nullptr) {
    return MakeError(Code::kUnimplemented, "a head of one matrix has no place in Hugging Face's layout",
                     "unsupported_model", "cls.weight");
  }
  const Layout layout{.layers = model.layers,
                      .heads = model.heads,
                      .kv_heads = model.kv_heads,
                      .skipped_rows = skipped,
                      .ranks = file.Find("cls.output.weight") != nullptr};
  ATELIER_ASSIGN(recipes, FromGguf(*family, file, layout));
  ATELIER_TRY(WriteTokenizer(file, folder, model.context));
  ATELIER_TRY(WriteModules(model, folder));
  ATELIER_TRY(WriteWeights(recipes, folder, options.shard_bytes));
  if (!options.card.empty()) {
    ATELIER_TRY(WriteText(folder / "README.md", options.card));
  }
  return WriteJson(folder / "config.json", config);  // last: a folder with it is whole
}

}  // namespace atelier::engine::hugging_face
