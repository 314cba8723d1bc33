#include "families/bert/config.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace atelier::families::bert {
namespace {

constexpr int64_t kMaxVocabulary = 2'000'000;
constexpr int64_t kMaxWidth = 16384;
constexpr int64_t kMaxLayers = 256;
constexpr int64_t kMaxHeads = 1024;
constexpr int64_t kMaxPositions = 65536;
constexpr size_t kMaxLabels = 1 << 16;
constexpr size_t kMaxNameBytes = 4096;

struct TaskRow {
  Task task;
  std::string_view name;
  std::string_view class_name;
};
constexpr std::array<TaskRow, 5> kTasks{{{Task::kClassification, "classification", "BertForSequenceClassification"},
                                         {Task::kRegression, "regression", "BertForSequenceClassification"},
                                         {Task::kTagging, "token-classification", "BertForTokenClassification"},
                                         {Task::kMaskedLm, "masked-lm", "BertForMaskedLM"},
                                         {Task::kEmbedding, "embedding", "BertModel"}}};

const TaskRow& RowOf(Task task) { return *std::ranges::find(kTasks, task, &TaskRow::task); }

Error Unsupported(const std::string& key) {
  return MakeError(Code::kUnimplemented, "config.json: '" + key + "' has a value that this family does not have",
                   "unsupported_model", key);
}

Result<Config> ReadEncoder(const json::object& object) {
  Fields fields(object);
  if (GetString(object, "model_type") != "bert") {
    return Unsupported("model_type");
  }
  ATELIER_ASSIGN(positions, fields.StringOr("position_embedding_type", "absolute", 64));
  ATELIER_ASSIGN(decoder, fields.BoolOr("is_decoder", false));
  if (positions != "absolute" || decoder) {
    return Unsupported(decoder ? "is_decoder" : "position_embedding_type");
  }
  ATELIER_ASSIGN(activation, fields.StringOr("hidden_act", "gelu", 64));
  Config out;
  out.tanh_gelu = activation == "gelu_new" || activation == "gelu_pytorch_tanh";
  if (!out.tanh_gelu && activation != "gelu") {
    return Unsupported("hidden_act");
  }
  struct Number {
    const char* name;
    int64_t* value;
    int64_t max;
  };
  for (const auto& [name, value, max] :
       {Number{"vocab_size", &out.vocabulary, kMaxVocabulary}, Number{"hidden_size", &out.width, kMaxWidth},
        Number{"num_hidden_layers", &out.layers, kMaxLayers}, Number{"num_attention_heads", &out.heads, kMaxHeads},
        Number{"intermediate_size", &out.hidden, 4 * kMaxWidth},
        Number{"max_position_embeddings", &out.positions, kMaxPositions}}) {
    ATELIER_ASSIGN(number, fields.Int(name, 1, max));
    *value = number;
  }
  ATELIER_ASSIGN(types, fields.IntOr("type_vocab_size", 2, 1, 1024));
  ATELIER_ASSIGN(epsilon, fields.NumberOr("layer_norm_eps", 1e-12, 0, 1));
  ATELIER_ASSIGN(dropout, fields.NumberOr("hidden_dropout_prob", 0.1, 0, 0.99));
  ATELIER_ASSIGN(padding, fields.IntOr("pad_token_id", 0, 0, out.vocabulary - 1));
  out.types = types;
  out.epsilon = epsilon;
  out.dropout = dropout;
  out.padding = padding;
  out.max_length = out.positions;
  return out.width % out.heads == 0
             ? Result<Config>(std::move(out))
             : InvalidArgument("hidden_size is no multiple of num_attention_heads", "num_attention_heads");
}

Result<Config> ReadAll(const json::object& object) {
  ATELIER_ASSIGN(out, ReadEncoder(object));
  Fields fields(object);
  ATELIER_ASSIGN(own, fields.ObjectOr("atelier"));
  if (own == nullptr) {
    return InvalidArgument("there is no object 'atelier': the model was made elsewhere", "atelier");
  }
  Fields ours(*own, "atelier");
  ATELIER_ASSIGN(task, ours.String("task", 64));
  ATELIER_ASSIGN(columns, ours.StringsOr("columns", {}, 2));
  ATELIER_ASSIGN(target, ours.StringOr("target", "", kMaxNameBytes));
  ATELIER_ASSIGN(labels, ours.StringsOr("labels", {}, kMaxLabels));
  ATELIER_ASSIGN(length, ours.Int("max_length", 4, out.positions));
  ATELIER_ASSIGN(pooling, ours.StringOr("pooling", "mean", 64));
  out.task = TaskFromName(task);
  out.columns = std::move(columns);
  out.target = std::move(target);
  out.labels = std::move(labels);
  out.max_length = length;
  out.pools_first = pooling == "first";
  const bool labelled = out.task == Task::kClassification || out.task == Task::kTagging;
  if (Name(out.task) != task || out.columns.empty() || labelled == out.labels.empty()) {
    return InvalidArgument("the task, its columns or its labels do not fit", "atelier");
  }
  return out;
}

Result<Config> AsModelFile(Result<Config> read) {
  if (!read.ok() && read.error().code == Code::kInvalidArgument) {
    return InvalidArgument("config.json: " + read.error().message, read.error().param, "invalid_model_file");
  }
  return read;
}

}  // namespace

Task TaskFromName(std::string_view name) {
  const auto* const found = std::ranges::find(kTasks, name, &TaskRow::name);
  return found == kTasks.end() ? Task::kEmbedding : found->task;
}

std::string_view Name(Task task) { return RowOf(task).name; }

json::object ToJson(const Config& config) {
  json::object object{{"model_type", "bert"},
                      {"architectures", json::array{RowOf(config.task).class_name}},
                      {"vocab_size", config.vocabulary},
                      {"hidden_size", config.width},
                      {"num_hidden_layers", config.layers},
                      {"num_attention_heads", config.heads},
                      {"intermediate_size", config.hidden},
                      {"hidden_act", config.tanh_gelu ? "gelu_new" : "gelu"},
                      {"hidden_dropout_prob", config.dropout},
                      {"attention_probs_dropout_prob", config.dropout},
                      {"max_position_embeddings", config.positions},
                      {"type_vocab_size", config.types},
                      {"layer_norm_eps", config.epsilon},
                      {"initializer_range", 0.02},
                      {"pad_token_id", config.padding},
                      {"position_embedding_type", "absolute"},
                      {"tie_word_embeddings", true},
                      {"torch_dtype", "float32"},
                      {"family", "bert"},
                      {"atelier",
                       {{"task", Name(config.task)},
                        {"columns", json::value_from(config.columns)},
                        {"target", config.target},
                        {"labels", json::value_from(config.labels)},
                        {"max_length", config.max_length},
                        {"pooling", config.pools_first ? "first" : "mean"}}}};
  json::object names;
  json::object ids;
  for (size_t i = 0; i < config.labels.size(); ++i) {
    names[std::to_string(i)] = config.labels[i];
    ids[config.labels[i]] = i;
  }
  if (config.task == Task::kRegression) {
    names["0"] = config.target;
    ids[config.target] = 0;
  }
  if (!names.empty()) {
    object["id2label"] = std::move(names);
    object["label2id"] = std::move(ids);
  }
  if (config.task == Task::kRegression || config.task == Task::kClassification) {
    object["problem_type"] = config.task == Task::kRegression ? "regression" : "single_label_classification";
  }
  return object;
}

Result<Config> EncoderFromJson(const json::object& object) { return AsModelFile(ReadEncoder(object)); }
Result<Config> ConfigFromJson(const json::object& object) { return AsModelFile(ReadAll(object)); }

int64_t ParametersOf(const Config& config) {
  const int64_t block =
      4 * config.width * config.width + 2 * config.width * config.hidden + 9 * config.width + config.hidden;
  return (config.vocabulary + config.positions + config.types + 2) * config.width + config.layers * block;
}

}  // namespace atelier::families::bert
