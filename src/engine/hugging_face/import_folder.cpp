#include "engine/hugging_face/import_folder.h"

#include <algorithm>
#include <string>
#include <utility>

#include "base/file_sink.h"
#include "engine/hugging_face/config.h"
#include "engine/hugging_face/folder.h"
#include "engine/hugging_face/tensors.h"
#include "engine/hugging_face/tokenizer.h"
#include "tensor/gguf_writer.h"

namespace atelier::engine::hugging_face {
namespace {

constexpr size_t kMaxModules = 32;
constexpr size_t kMaxClasses = 1 << 16;
constexpr size_t kMaxNameBytes = 200;
constexpr int64_t kMaxVocabulary = 2'000'000;

Error Bad(const std::string& param, const std::string& what) {
  return InvalidArgument(what, param, "invalid_model_file");
}

// GGUF's numbers of a file whose matrices mostly are of a type.
uint64_t FileType(tensor::GgmlType type) {
  return type == tensor::GgmlType::kF16 ? 1 : type == tensor::GgmlType::kBF16 ? 32 : 0;
}

// The head that a model has, by the class that it was saved as.
bool Ranks(const Family& family, const json::object& config) {
  const json::value* names = config.if_contains("architectures");
  return !family.ranker_class.empty() && names != nullptr && names->is_array() && !names->get_array().empty() &&
         names->get_array()[0].is_string() &&
         std::string_view(names->get_array()[0].get_string()) == family.ranker_class;
}

Result<Pooling> PoolingOf(const Folder& folder, const std::string& path) {
  ATELIER_ASSIGN(object, folder.Json(path + "/config.json"));
  Fields fields(object, path + "/config.json");
  constexpr std::pair<std::string_view, Pooling> kModes[] = {{"pooling_mode_cls_token", Pooling::kFirst},
                                                             {"pooling_mode_mean_tokens", Pooling::kMean},
                                                             {"pooling_mode_lasttoken", Pooling::kLast}};
  for (const auto& [key, pooling] : kModes) {
    ATELIER_ASSIGN(chosen, fields.BoolOr(key, false));
    if (chosen) {
      return pooling;
    }
  }
  ATELIER_ASSIGN(mode, fields.StringOr("pooling_mode", "", 100));
  if (mode == "mean" || mode == "cls" || mode == "lasttoken") {
    return mode == "mean" ? Pooling::kMean : mode == "cls" ? Pooling::kFirst : Pooling::kLast;
  }
  return MakeError(Code::kUnimplemented, path + "/config.json has a pooling that is not supported", "unsupported_model",
                   path + "/config.json");
}

// modules.json of sentence-transformers: how the vectors of tokens become one.
Result<Pooling> PoolingOf(const Folder& folder) {
  ATELIER_ASSIGN(text, folder.Text("modules.json"));
  if (text.empty()) {
    return Pooling::kNone;
  }
  ATELIER_ASSIGN(modules, ParseJson(text));
  if (!modules.is_array() || modules.get_array().size() > kMaxModules) {
    return Bad("modules.json", "modules.json is no list of modules");
  }
  Pooling pooling = Pooling::kNone;
  for (const auto& module : modules.get_array()) {
    if (!module.is_object()) {
      return Bad("modules.json", "modules.json has an item that is no object");
    }
    Fields fields(module.get_object(), "modules.json");
    ATELIER_ASSIGN(type, fields.String("type", kMaxNameBytes));
    ATELIER_ASSIGN(path, fields.StringOr("path", "", kMaxNameBytes));
    if (type.ends_with("Pooling")) {
      ATELIER_ASSIGN(found, PoolingOf(folder, path));
      pooling = found;
    } else if (!type.ends_with("Transformer") && !type.ends_with("Normalize")) {
      return MakeError(Code::kUnimplemented, "modules.json: the module '" + type + "' is not supported",
                       "unsupported_model", "modules.json.type");
    }
  }
  return pooling;
}

class Converter {
 public:
  Converter(const Folder& folder, const Family& family, const json::object& config, const json::object& text)
      : folder_(folder), family_(family), config_(config), text_(text) {}

  Status Write(const std::filesystem::path& to) {
    ATELIER_TRY(ConfigToMetadata(family_, text_, out_));
    ATELIER_TRY(WriteHead());
    ATELIER_ASSIGN(layout, ReadLayout());
    ATELIER_ASSIGN(recipes, ToGguf(family_, folder_.tensors(), layout));
    recipes_ = std::move(recipes);
    ATELIER_ASSIGN(vocabulary, Vocabulary());
    ATELIER_TRY(TokenizerToMetadata(folder_, text_, vocabulary, out_));
    WriteGeneral();
    return WriteFile(to);
  }

 private:
  std::string Key(std::string_view suffix) const {
    return std::string(family_.architecture) + "." + std::string(suffix);
  }

  // Pooling, and the names of classes.
  Status WriteHead() {
    if (!Ranks(family_, config_)) {
      ATELIER_ASSIGN(pooling, PoolingOf(folder_));
      if (pooling != Pooling::kNone) {
        out_.SetInteger(Key("pooling_type"), static_cast<uint64_t>(pooling));
      }
      return {};
    }
    out_.SetInteger(Key("pooling_type"), static_cast<uint64_t>(Pooling::kRank));
    Fields fields(config_, "config.json");
    ATELIER_ASSIGN(labels, fields.ObjectOr("id2label"));
    std::vector<std::string> names;
    for (size_t i = 0; labels != nullptr && i < labels->size() && i < kMaxClasses; ++i) {
      Fields each(*labels, "config.json.id2label");
      ATELIER_ASSIGN(name, each.String(std::to_string(i), kMaxNameBytes));
      names.push_back(std::move(name));
    }
    if (!names.empty()) {
      out_.Set(Key("classifier.output_labels"), {std::move(names)});
    }
    return {};
  }

  Result<Layout> ReadLayout() const {
    Layout layout;
    ATELIER_ASSIGN(layers, out_.Integer(Key("block_count")));
    ATELIER_ASSIGN(heads, out_.Integer(Key("attention.head_count")));
    ATELIER_ASSIGN(kv_heads, out_.Integer(Key("attention.head_count_kv")));
    ATELIER_ASSIGN(skipped, SkippedRows(family_, text_));
    if (kv_heads < 1) {
      return Bad("config.json.num_key_value_heads", "config.json.num_key_value_heads is not positive");
    }
    layout.layers = layers;
    layout.heads = heads;
    layout.kv_heads = kv_heads;
    layout.skipped_rows = skipped;
    layout.ranks = Ranks(family_, config_);
    layout.tied =
        GetBool(text_, "tie_word_embeddings", GetBool(config_, "tie_word_embeddings", family_.norms_plus_one));
    return layout;
  }

  // The rows of the token embeddings.
  Result<int64_t> Vocabulary() {
    const auto found = std::ranges::find(recipes_, "token_embd.weight", &Recipe::name);
    if (found == recipes_.end() || found->shape.size() != 2) {
      const auto row = std::ranges::find(family_.tensors[0], "token_embd", &TensorRow::gguf);
      const std::string name = row == family_.tensors[0].end() ? "token_embd" : std::string(row->hugging_face);
      return Bad(name + ".weight", "tensor '" + name + ".weight' is missing or no matrix");
    }
    if (found->shape[0] > kMaxVocabulary) {
      return Bad(found->name, "the vocabulary of " + std::to_string(found->shape[0]) + " tokens is too large");
    }
    out_.SetInteger(Key("vocab_size"), static_cast<uint64_t>(found->shape[0]));
    out_.SetInteger("general.file_type", FileType(found->weave.type));
    const auto types = std::ranges::find(recipes_, "token_types.weight", &Recipe::name);
    if (types != recipes_.end()) {
      out_.SetInteger("tokenizer.ggml.token_type_count", static_cast<uint64_t>(types->shape[0]));
    }
    return found->shape[0];
  }

  void WriteGeneral() {
    std::string name = GetString(config_, "_name_or_path", folder_.name());
    name.erase(0, name.rfind('/') + 1);
    if (!name.empty() && name.size() <= kMaxNameBytes) {
      out_.SetText("general.name", name);
    }
    out_.SetText("general.type", "model");
    out_.SetInteger("general.quantization_version", 2);
  }

  Status WriteFile(const std::filesystem::path& to) {
    std::vector<tensor::GgufPlan> plans;
    for (const Recipe& recipe : recipes_) {
      plans.push_back({recipe.name, recipe.weave.type, recipe.shape});
    }
    for (const auto& [name, tensor] : out_.tensors()) {  // the factors of the rotation
      plans.push_back({name, tensor.type, tensor.shape});
    }
    FileSink file(to);
    ATELIER_TRY(tensor::WriteGguf(
        out_.metadata(), plans,
        [&](size_t index, const tensor::GgufSink& sink) {
          return index < recipes_.size() ? WriteWeave(recipes_[index].weave, sink)
                                         : sink(out_.Find(plans[index].name)->bytes);
        },
        [&](std::span<const std::byte> bytes) { return file.Write(bytes); }));
    return file.Close();
  }

  const Folder& folder_;
  const Family& family_;
  const json::object& config_;
  const json::object& text_;
  MemoryFile out_;
  std::vector<Recipe> recipes_;
};

}  // namespace

Result<const Family*> FolderToGguf(const std::vector<ModelSource>& sources, const std::filesystem::path& to) {
  ATELIER_ASSIGN(folder, Folder::Open(sources));
  ATELIER_ASSIGN(config, folder.Json("config.json"));
  ATELIER_ASSIGN(family, FindFamily(config));
  ATELIER_ASSIGN(text, TextConfig(*family, config));
  ATELIER_TRY(Converter(folder, *family, config, *text).Write(to));
  return family;
}

}  // namespace atelier::engine::hugging_face
