// The file of predictions: safetensors in and out.
#include <cstring>
#include <map>

#include "base/json.h"
#include "learning/evaluation/predictions.h"
#include "tensor/safetensors.h"

namespace atelier::learning {
namespace {

constexpr std::string_view kFormat = "atelier.predictions/1";
constexpr size_t kMaxJson = 64U << 20U;

// A text list laid out as bytes and offsets.
struct Texts {
  std::string bytes;
  std::vector<int64_t> offsets{0};
};

Texts Join(const std::vector<std::string>& list) {
  Texts texts;
  for (const auto& text : list) {
    texts.bytes += text;
    texts.offsets.push_back(static_cast<int64_t>(texts.bytes.size()));
  }
  return texts;
}

// Tensors by name that borrow what is written.
class Tensors {
 public:
  template <class T>
  void Add(const std::string& name, tensor::DataType type, const std::vector<T>& values, int64_t width = 0) {
    const auto count = static_cast<int64_t>(values.size());
    std::vector<int64_t> shape = width > 0 ? std::vector<int64_t>{count / width, width} : std::vector<int64_t>{count};
    views_[name] = {type, std::move(shape), std::as_bytes(std::span(values))};
  }
  void AddTexts(const std::string& name, const Texts& texts) {
    views_[name + ".bytes"] = {
        tensor::DataType::kU8, {static_cast<int64_t>(texts.bytes.size())}, std::as_bytes(std::span(texts.bytes))};
    Add(name + ".offsets", tensor::DataType::kI64, texts.offsets);
  }
  const std::map<std::string, tensor::View>& views() const { return views_; }

 private:
  std::map<std::string, tensor::View> views_;
};

std::string KeysJson(const std::vector<Key>& keys) {
  json::array array;
  for (const Key& key : keys) {
    array.push_back({{"name", key.name}, {"labels", json::value_from(key.labels)}});
  }
  return json::serialize(array);
}

Error Broken(const std::string& what) { return DataLoss("the file of predictions is damaged: " + what); }

template <class T>
Result<std::vector<T>> ReadTensor(const tensor::SafetensorsFile& file, const std::string& name, tensor::DataType type) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.type != type) {
    return Broken(name);
  }
  const auto& bytes = found->second.bytes;
  std::vector<T> values(bytes.size() / sizeof(T));
  std::memcpy(values.data(), bytes.data(), values.size() * sizeof(T));
  return values;
}

Result<std::vector<std::string>> ReadTexts(const tensor::SafetensorsFile& file, const std::string& name) {
  ATELIER_ASSIGN(bytes, ReadTensor<char>(file, name + ".bytes", tensor::DataType::kU8));
  ATELIER_ASSIGN(offsets, ReadTensor<int64_t>(file, name + ".offsets", tensor::DataType::kI64));
  std::vector<std::string> texts;
  for (size_t i = 0; i + 1 < offsets.size(); ++i) {
    if (offsets[i] < 0 || offsets[i] > offsets[i + 1] || offsets[i + 1] > static_cast<int64_t>(bytes.size())) {
      return Broken(name);
    }
    texts.emplace_back(bytes.data() + offsets[i], static_cast<size_t>(offsets[i + 1] - offsets[i]));
  }
  return texts;
}

Result<json::array> ReadList(const tensor::SafetensorsFile& file, const std::string& name) {
  const auto found = file.metadata().find(name);
  if (found == file.metadata().end()) {
    return Broken(name);
  }
  ATELIER_ASSIGN(value, ParseJson(found->second, {.max_bytes = kMaxJson, .max_depth = 8}));
  return value.is_array() ? Result<json::array>(std::move(value.get_array())) : Broken(name);
}

std::vector<std::string> Strings(const json::array& array) {
  std::vector<std::string> strings;
  for (const auto& value : array) {
    strings.emplace_back(value.is_string() ? std::string_view(value.get_string()) : "");
  }
  return strings;
}

Status ReadKeys(const tensor::SafetensorsFile& file, Predictions& predictions) {
  ATELIER_ASSIGN(list, ReadList(file, "keys"));
  for (size_t i = 0; i < list.size(); ++i) {
    const auto* object = list[i].if_object();
    const auto* labels = object == nullptr ? nullptr : object->if_contains("labels");
    if (labels == nullptr || !labels->is_array()) {
      return Broken("keys");
    }
    Key key{.name = GetString(*object, "name"), .labels = Strings(labels->get_array())};
    const std::string name = "key." + std::to_string(i);
    if (key.is_number()) {
      ATELIER_ASSIGN(numbers, ReadTensor<float>(file, name, tensor::DataType::kF32));
      key.numbers = std::move(numbers);
    } else {
      ATELIER_ASSIGN(codes, ReadTensor<int32_t>(file, name, tensor::DataType::kI32));
      key.codes = std::move(codes);
    }
    predictions.keys.push_back(std::move(key));
  }
  return {};
}

Status ReadAnswers(const tensor::SafetensorsFile& file, Predictions& predictions) {
  using tensor::DataType;
  if (predictions.kind == AnswerKind::kNumber) {
    ATELIER_ASSIGN(truth, ReadTensor<double>(file, "truth", DataType::kF64));
    ATELIER_ASSIGN(predicted, ReadTensor<double>(file, "predicted", DataType::kF64));
    predictions.true_values = std::move(truth);
    predictions.predicted_values = std::move(predicted);
    return {};
  }
  if (predictions.kind != AnswerKind::kLabel) {
    ATELIER_ASSIGN(truth, ReadTexts(file, "truth"));
    ATELIER_ASSIGN(predicted, ReadTexts(file, "predicted"));
    predictions.true_texts = std::move(truth);
    predictions.predicted_texts = std::move(predicted);
    return {};
  }
  ATELIER_ASSIGN(labels, ReadList(file, "labels"));
  predictions.labels = Strings(labels);
  ATELIER_ASSIGN(truth, ReadTensor<int32_t>(file, "truth", DataType::kI32));
  ATELIER_ASSIGN(predicted, ReadTensor<int32_t>(file, "predicted", DataType::kI32));
  predictions.truth = std::move(truth);
  predictions.predicted = std::move(predicted);
  if (file.tensors().contains("probabilities")) {
    ATELIER_ASSIGN(probabilities, ReadTensor<float>(file, "probabilities", DataType::kF32));
    predictions.probabilities = std::move(probabilities);
  }
  return {};
}

Result<AnswerKind> KindFromName(const std::map<std::string, std::string>& metadata) {
  const auto format = metadata.find("format");
  const auto name = metadata.find("kind");
  if (format != metadata.end() && format->second == kFormat && name != metadata.end()) {
    for (const auto kind : {AnswerKind::kLabel, AnswerKind::kNumber, AnswerKind::kText, AnswerKind::kTags}) {
      if (Name(kind) == name->second) {
        return kind;
      }
    }
  }
  return Broken("its kind");
}

}  // namespace

Status WritePredictions(const Predictions& predictions, const std::function<Status(std::span<const std::byte>)>& sink) {
  using tensor::DataType;
  ATELIER_TRY(Check(predictions));
  Tensors tensors;
  tensors.Add("row", DataType::kI64, predictions.rows);
  const Texts truth = Join(predictions.true_texts);
  const Texts predicted = Join(predictions.predicted_texts);
  const Texts inputs = Join(predictions.inputs);
  if (predictions.kind == AnswerKind::kLabel) {
    tensors.Add("truth", DataType::kI32, predictions.truth);
    tensors.Add("predicted", DataType::kI32, predictions.predicted);
    if (!predictions.probabilities.empty()) {
      tensors.Add("probabilities", DataType::kF32, predictions.probabilities,
                  static_cast<int64_t>(predictions.labels.size()));
    }
  } else if (predictions.kind == AnswerKind::kNumber) {
    tensors.Add("truth", DataType::kF64, predictions.true_values);
    tensors.Add("predicted", DataType::kF64, predictions.predicted_values);
  } else {
    tensors.AddTexts("truth", truth);
    tensors.AddTexts("predicted", predicted);
  }
  if (!predictions.losses.empty()) {
    tensors.Add("loss", DataType::kF32, predictions.losses);
  }
  if (!predictions.inputs.empty()) {
    tensors.AddTexts("input", inputs);
  }
  for (size_t i = 0; i < predictions.keys.size(); ++i) {
    const Key& key = predictions.keys[i];
    if (key.is_number()) {
      tensors.Add("key." + std::to_string(i), DataType::kF32, key.numbers);
    } else {
      tensors.Add("key." + std::to_string(i), DataType::kI32, key.codes);
    }
  }
  return tensor::WriteSafetensors(tensors.views(),
                                  {{"format", std::string(kFormat)},
                                   {"kind", std::string(Name(predictions.kind))},
                                   {"labels", json::serialize(json::value_from(predictions.labels))},
                                   {"keys", KeysJson(predictions.keys)}},
                                  sink);
}

Result<Predictions> ReadPredictions(const std::filesystem::path& path) {
  const auto opened = tensor::SafetensorsFile::Open(path);
  if (!opened.ok()) {
    return Broken(opened.error().message);
  }
  const auto& file = **opened;
  Predictions predictions;
  ATELIER_ASSIGN(kind, KindFromName(file.metadata()));
  predictions.kind = kind;
  ATELIER_ASSIGN(rows, ReadTensor<int64_t>(file, "row", tensor::DataType::kI64));
  predictions.rows = std::move(rows);
  ATELIER_TRY(ReadAnswers(file, predictions));
  ATELIER_TRY(ReadKeys(file, predictions));
  if (file.tensors().contains("loss")) {
    ATELIER_ASSIGN(losses, ReadTensor<float>(file, "loss", tensor::DataType::kF32));
    predictions.losses = std::move(losses);
  }
  if (file.tensors().contains("input.offsets")) {
    ATELIER_ASSIGN(inputs, ReadTexts(file, "input"));
    predictions.inputs = std::move(inputs);
  }
  if (const Status good = Check(predictions); !good.ok()) {
    return Broken(good.error().message);
  }
  return predictions;
}

}  // namespace atelier::learning
