#include "engine/hugging_face/config.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <optional>
#include <string>

#include "engine/hugging_face/rope.h"
#include "engine/model_config.h"
#include "tensor/quants/formats.h"

namespace atelier::engine::hugging_face {
namespace {

constexpr int64_t kMaxInteger = 1 << 30;
constexpr int64_t kMaxLayers = 1024;
constexpr double kMaxNumber = 1e12;

std::string Key(const Family& family, std::string_view suffix) {
  return std::string(family.architecture) + "." + std::string(suffix);
}

Error Unsupported(const Fields& fields, std::string_view key, const std::string& what) {
  return MakeError(Code::kUnimplemented, fields.Path(key) + " " + what, "unsupported_model", fields.Path(key));
}

bool ReadsKey(const Family& family, std::string_view gguf) {
  return std::ranges::any_of(
      family.keys, [&](const auto rows) { return std::ranges::find(rows, gguf, &KeyRow::gguf) != rows.end(); });
}

// The value of one row; nothing where there is none.
Result<std::optional<double>> ReadKey(Fields& config, const KeyRow& row) {
  const bool other = !config.Has(row.name) && !row.other_name.empty() && config.Has(row.other_name);
  const std::string_view name = other ? row.other_name : row.name;
  if (!config.Has(name) && row.presence == Presence::kMay) {
    return row.otherwise == 0 ? std::optional<double>() : row.otherwise;
  }
  if (row.number == Number::kInteger) {
    ATELIER_ASSIGN(integer, config.Int(name, 0, kMaxInteger));
    return std::optional(static_cast<double>(integer));
  }
  ATELIER_ASSIGN(real, config.Number(name, 0, kMaxNumber));
  return std::optional(real);
}

class MetadataWriter {
 public:
  MetadataWriter(const Family& family, const json::object& config, MemoryFile& to)
      : family_(family), object_(config), config_(config, "config.json"), to_(to) {}

  Status Write() {
    to_.SetText("general.architecture", std::string(family_.architecture));
    for (const auto rows : family_.keys) {
      for (const KeyRow& row : rows) {
        ATELIER_TRY(WriteRow(row));
      }
    }
    ATELIER_TRY(WriteHeads());
    ATELIER_TRY(CheckWindow());
    ATELIER_TRY(RopeToMetadata(family_, object_, head_, to_));
    if (!family_.row().causal) {
      to_.Set(Key(family_, "attention.causal"), {false});
    }
    ATELIER_ASSIGN(skipped, SkippedRows(family_, object_));
    const int64_t context = Integer("context_length");
    if (skipped >= context) {
      return Unsupported(config_, "max_position_embeddings", "leaves no positions");
    }
    SetInteger("context_length", context - skipped);
    return {};
  }

 private:
  Status WriteRow(const KeyRow& row) {
    ATELIER_ASSIGN(value, ReadKey(config_, row));
    if (value && row.number == Number::kInteger) {
      SetInteger(row.gguf, static_cast<int64_t>(*value));
    } else if (value) {
      to_.SetNumber(Key(family_, row.gguf), *value);
    }
    return {};
  }

  // What follows from the width and the heads.
  Status WriteHeads() {
    const int64_t width = Integer("embedding_length");
    const int64_t heads = Integer("attention.head_count");
    if (heads < 1) {
      return Unsupported(config_, "num_attention_heads", "is not positive");
    }
    if (!to_.Has(Key(family_, "feed_forward_length"))) {
      SetInteger("feed_forward_length", 4 * width);
    }
    if (family_.architecture == "falcon") {
      ATELIER_ASSIGN(grouped, config_.BoolOr("new_decoder_architecture", false));
      ATELIER_ASSIGN(multi_query, config_.BoolOr("multi_query", true));
      if (!grouped) {
        SetInteger("attention.head_count_kv", multi_query ? 1 : heads);
      }
    }
    if (!to_.Has(Key(family_, "attention.head_count_kv"))) {
      SetInteger("attention.head_count_kv", heads);
    }
    if (family_.architecture == "phi3" && !to_.Has(Key(family_, "attention.sliding_window"))) {
      SetInteger("attention.sliding_window", 0);  // else llama.cpp takes it for a model that has one
    }
    head_ = width / heads;
    if (to_.Has(Key(family_, "attention.key_length"))) {
      head_ = Integer("attention.key_length");
      SetInteger("attention.value_length", head_);
    }
    return CheckQueryScale(width, heads);
  }

  // The engine knows the two scales that Gemma has been published with.
  Status CheckQueryScale(int64_t width, int64_t heads) {
    const Architecture& row = family_.row();
    if (row.query_scale != QueryScale::kGemma) {
      return {};
    }
    const bool largest = Integer("block_count") == row.largest_layers;
    const double scale = static_cast<double>(largest ? width : head_ * heads) / static_cast<double>(heads);
    ATELIER_ASSIGN(scalar, config_.NumberOr("query_pre_attn_scalar", scale, 0, kMaxNumber));
    return scalar == scale ? Status() : Status(Unsupported(config_, "query_pre_attn_scalar", "is not supported"));
  }

  // Which layers have a window is the architecture's.
  Status CheckWindow() {
    ATELIER_ASSIGN(types, config_.ArrayOr("layer_types", kMaxLayers));
    const int64_t pattern = family_.row().window_pattern;
    if (family_.row().window == Window::kNone && to_.Has(Key(family_, "attention.sliding_window"))) {
      // The engine would see farther; within the window both are the same.
      const int64_t window = Integer("attention.sliding_window");
      if (window > 0 && window < Integer("context_length")) {
        SetInteger("context_length", window);
      }
    }
    if (types == nullptr || pattern == 0) {
      return {};
    }
    for (size_t i = 0; i < types->size(); ++i) {
      const bool windowed = static_cast<int64_t>(i) % pattern < pattern - 1;
      if ((*types)[i] != (windowed ? "sliding_attention" : "full_attention")) {
        return Unsupported(config_, "layer_types", "has another order than this model's");
      }
    }
    return {};
  }

  int64_t Integer(std::string_view suffix) const { return to_.Integer(Key(family_, suffix)).value(); }  // written
  void SetInteger(std::string_view suffix, int64_t value) {
    to_.SetInteger(Key(family_, suffix), static_cast<uint64_t>(value));
  }

  const Family& family_;
  const json::object& object_;
  Fields config_;
  MemoryFile& to_;
  int64_t head_ = 0;
};

// The shortest number that is the same float, where it is one: 1e-05, not 9.999999747378752e-06.
double Shortest(double number) {
  if (static_cast<double>(static_cast<float>(number)) != number) {
    return number;
  }
  char text[64];
  const auto end = std::to_chars(std::begin(text), std::end(text), static_cast<float>(number));
  double shortest = number;
  std::from_chars(std::begin(text), end.ptr, shortest);
  return shortest;
}

// What the file says under a key, an array of equal numbers being one of them.
std::optional<double> NumberOf(const tensor::GgufFile& file, const std::string& key) {
  if (const auto number = file.Number(key); number.ok()) {
    return *number;
  }
  const auto numbers = file.Integers(key);
  return numbers.ok() && !numbers->empty() ? std::optional(static_cast<double>(numbers->front())) : std::nullopt;
}

int64_t RowsOf(const tensor::GgufFile& file, std::string_view name) {
  const auto* tensor = file.Find(name);
  return tensor == nullptr || tensor->shape.empty() ? 0 : tensor->shape.front();
}

void WriteKeys(const Family& family, const tensor::GgufFile& file, json::object& config) {
  for (const Demand& demand : family.demands) {
    config[demand.key] = json::parse(demand.values[0]);
  }
  for (const auto rows : family.keys) {
    for (const KeyRow& row : rows) {
      const auto value = NumberOf(file, Key(family, row.gguf));
      if (!value || (row.number == Number::kInteger && !(std::fabs(*value) < kMaxNumber))) {
        continue;
      }
      const json::value number =
          row.number == Number::kInteger ? json::value(static_cast<int64_t>(*value)) : json::value(Shortest(*value));
      config[row.name] = number;
      if (!row.other_name.empty()) {
        config[row.other_name] = number;
      }
    }
  }
  for (const FlagRow& flag : family.flags) {
    config[flag.key] = (file.Find(flag.tensor) != nullptr) != flag.negated;
  }
}

// What GGUF leaves to readers to take from elsewhere.
void WriteDerived(const Family& family, const ModelConfig& model, const tensor::GgufFile& file, json::object& config) {
  if (ReadsKey(family, "attention.head_count_kv")) {
    config[family.architecture == "falcon" ? "num_kv_heads" : "num_key_value_heads"] = model.kv_heads;
  }
  if (ReadsKey(family, "attention.key_length")) {
    config["head_dim"] = model.key_size;
  }
  if (family.architecture == "falcon") {
    const bool two_norms = file.Find("blk.0.attn_norm_2.weight") != nullptr;
    const bool grouped = two_norms || (model.kv_heads > 1 && model.kv_heads < model.heads);
    config["new_decoder_architecture"] = grouped;
    config["num_ln_in_parallel_attn"] = two_norms ? 2 : 1;
    config["multi_query"] = model.kv_heads == 1;
  }
  if (ReadsKey(family, "attention.sliding_window") && model.window == 0) {
    config["sliding_window"] = nullptr;
  }
  if (family.row().query_scale == QueryScale::kGemma) {
    config["query_pre_attn_scalar"] = std::llround(1 / (model.query_scale * model.query_scale));
  }
  if (family.row().window_pattern > 0) {
    config["sliding_window_pattern"] = family.row().window_pattern;
    json::array types;
    for (int64_t i = 0; i < model.layers; ++i) {
      types.emplace_back(model.Windowed(i) ? "sliding_attention" : "full_attention");
    }
    config["layer_types"] = std::move(types);
  }
  if (const int64_t types = RowsOf(file, "token_types.weight"); types > 0) {
    config["type_vocab_size"] = types;
  }
  if (family.row().head) {
    config["tie_word_embeddings"] = file.Find("output.weight") == nullptr;
  }
}

void WriteTokens(const tensor::GgufFile& file, json::object& config) {
  constexpr std::pair<std::string_view, std::string_view> kIds[] = {
      {"bos_token_id", "bos_token_id"}, {"eos_token_id", "eos_token_id"}, {"padding_token_id", "pad_token_id"}};
  for (const auto& [from, to] : kIds) {
    const auto id = file.Integer("tokenizer.ggml." + std::string(from));
    config[to] = id.ok() && *id >= 0 && *id < RowsOf(file, "token_embd.weight") ? json::value(*id) : json::value();
  }
}

void WriteLabels(const Family& family, const tensor::GgufFile& file, json::object& config) {
  const int64_t classes = RowsOf(file, "cls.output.weight");
  config["architectures"] = {classes > 0 ? family.ranker_class : family.class_name};
  const auto names = file.Texts(Key(family, "classifier.output_labels"));
  json::object labels;
  json::object ids;
  for (int64_t i = 0; i < classes; ++i) {
    const bool named = names.ok() && names->size() == static_cast<size_t>(classes);
    const std::string label = named ? (*names)[static_cast<size_t>(i)] : "LABEL_" + std::to_string(i);
    labels[std::to_string(i)] = label;
    ids[label] = i;
  }
  if (classes > 0) {
    config["id2label"] = std::move(labels);
    config["label2id"] = std::move(ids);
  }
}

}  // namespace

Result<int64_t> SkippedRows(const Family& family, const json::object& config) {
  const bool skips = std::ranges::any_of(family.tensors, [](const auto rows) {
    return std::ranges::find(rows, Change::kSkipRows, &TensorRow::change) != rows.end();
  });
  if (!skips) {
    return 0;
  }
  Fields fields(config, "config.json");
  ATELIER_ASSIGN(padding, fields.IntOr("pad_token_id", 1, 0, kMaxInteger));
  return padding + 1;
}

Status ConfigToMetadata(const Family& family, const json::object& config, MemoryFile& to) {
  return MetadataWriter(family, config, to).Write();
}

Result<json::object> ConfigOfFile(const Family& family, const tensor::GgufFile& file) {
  ATELIER_ASSIGN(model, ReadModelConfig(file));
  json::object config{{"model_type", family.model_type}};
  WriteKeys(family, file, config);
  WriteDerived(family, model, file, config);
  WriteTokens(file, config);
  WriteLabels(family, file, config);
  model.rope.base = Shortest(model.rope.base);
  model.rope.factor = Shortest(model.rope.factor);
  model.rope.attention_factor = Shortest(model.rope.attention_factor);
  RopeToConfig(family, model, file, config);
  if (family.model_type == "nomic_bert") {
    config["rotary_emb_base"] = model.rope.base;  // as the published code calls it
  }
  config["vocab_size"] = model.vocabulary;
  if (family.model_type == "roberta" || family.model_type == "xlm-roberta") {
    config["pad_token_id"] = config["pad_token_id"].is_null() ? json::value(1) : config["pad_token_id"];
    ATELIER_ASSIGN(skipped, SkippedRows(family, config));
    config["max_position_embeddings"] = model.context + skipped;
  }
  const auto type = file.Find("token_embd.weight")->type;  // ReadModelConfig has seen it
  config["torch_dtype"] = type == tensor::GgmlType::kF32    ? "float32"
                          : type == tensor::GgmlType::kBF16 ? "bfloat16"
                                                            : "float16";
  config["transformers_version"] = "4.46.0";  // whose form of the rotation's keys this is
  return config;
}

}  // namespace atelier::engine::hugging_face
