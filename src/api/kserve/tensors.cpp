#include "api/kserve/tensors.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <numeric>

#include "api/instances.h"
#include "api/json_text.h"

namespace atelier::api::kserve {
namespace {

constexpr int64_t kMaxElements = 16LL << 20U;  // a tensor

struct Datatype {
  std::string_view name;
  bool whole;  // integers only
  double min;
  double max;
};
constexpr double kInfinite = std::numeric_limits<double>::infinity();
constexpr std::array<Datatype, 10> kDatatypes{{{"FP32", false, -kInfinite, kInfinite},
                                               {"FP64", false, -kInfinite, kInfinite},
                                               {"UINT8", true, 0, 255},
                                               {"UINT16", true, 0, 65535},
                                               {"UINT32", true, 0, 4294967295.0},
                                               {"UINT64", true, 0, 18446744073709551615.0},
                                               {"INT8", true, -128, 127},
                                               {"INT16", true, -32768, 32767},
                                               {"INT32", true, -2147483648.0, 2147483647.0},
                                               {"INT64", true, -9223372036854775808.0, 9223372036854775807.0}}};

// One input as sent: numbers or texts, row-major.
struct Input {
  std::string name;
  std::vector<int64_t> shape;  // with the batch dimension
  std::vector<float> numbers;
  std::vector<std::string> texts;
  bool is_text = false;

  int64_t batch() const { return shape.front(); }
  size_t row_elements() const { return (is_text ? texts.size() : numbers.size()) / static_cast<size_t>(batch()); }
};

Result<std::vector<int64_t>> ParseShape(Fields& fields) {
  ATELIER_ASSIGN(array, fields.ArrayOr("shape", 8));
  const auto bad = [&] {
    return InvalidArgument("'" + fields.Path("shape") + "' must be a list of 1 to 8 positive integers",
                           fields.Path("shape"));
  };
  if (array == nullptr || array->empty()) {
    return bad();
  }
  std::vector<int64_t> shape;
  int64_t elements = 1;
  for (const auto& item : *array) {
    if (!item.is_int64() || item.get_int64() < 1 || item.get_int64() > kMaxElements / elements) {
      return bad();
    }
    shape.push_back(item.get_int64());
    elements *= shape.back();
  }
  return shape;
}

Status AppendNumber(const json::value& item, const Datatype& type, const std::string& path, Input& input) {
  if (!item.is_number()) {
    return InvalidArgument("'" + path + "' must hold numbers only", path);
  }
  const auto number = item.to_number<double>();
  const auto narrow = static_cast<float>(number);
  if (number < type.min || number > type.max || (type.whole && std::trunc(number) != number) ||
      !std::isfinite(narrow)) {
    return InvalidArgument("'" + path + "' has a number that does not fit its datatype", path);
  }
  input.numbers.push_back(narrow);
  return {};
}

// `type` is null for BOOL and BYTES, which `input.is_text` tells apart.
Status AppendData(const json::value& item, const Datatype* type, const std::string& path, Input& input) {
  if (item.is_array()) {
    for (const auto& inner : item.get_array()) {
      ATELIER_TRY(AppendData(inner, type, path, input));
    }
    return {};
  }
  if (type != nullptr) {
    return AppendNumber(item, *type, path, input);
  }
  if (input.is_text ? !item.is_string() : !item.is_bool()) {
    return InvalidArgument("'" + path + "' must hold " + (input.is_text ? "strings" : "booleans") + " only", path);
  }
  if (input.is_text) {
    input.texts.emplace_back(item.get_string());
  } else {
    input.numbers.push_back(item.get_bool() ? 1.0F : 0.0F);
  }
  return {};
}

Result<Input> ParseInput(const json::object& object, const std::string& path) {
  Fields fields(object, path);
  Input input;
  ATELIER_ASSIGN(name, fields.String("name", 256));
  ATELIER_ASSIGN(shape, ParseShape(fields));
  ATELIER_ASSIGN(datatype, fields.String("datatype", 16));
  const auto* type =
      std::find_if(kDatatypes.begin(), kDatatypes.end(), [&](const auto& row) { return row.name == datatype; });
  const bool known = type != kDatatypes.end();
  if (!known && datatype != "BOOL" && datatype != "BYTES") {
    return InvalidArgument("'" + fields.Path("datatype") + "' is not a datatype that JSON can carry",
                           fields.Path("datatype"));
  }
  ATELIER_ASSIGN(data, fields.ArrayOr("data", kMaxElements));
  if (data == nullptr) {
    return InvalidArgument("'" + fields.Path("data") + "' is missing", fields.Path("data"),
                           "missing_required_parameter");
  }
  input.name = std::move(name);
  input.shape = std::move(shape);
  input.is_text = datatype == "BYTES";
  const auto elements = std::accumulate(input.shape.begin(), input.shape.end(), int64_t{1}, std::multiplies<>());
  ATELIER_TRY(AppendData(*data, known ? type : nullptr, fields.Path("data"), input));
  if (static_cast<int64_t>(input.is_text ? input.texts.size() : input.numbers.size()) != elements) {
    return InvalidArgument("'" + fields.Path("data") + "' does not have as many elements as its shape says",
                           fields.Path("data"));
  }
  return input;
}

// A picture as base64, since JSON has no bytes; whatever is no base64 is a text.
serving::Instance TextInstance(const std::string& text) {
  auto bytes = DecodeBase64(text, "");
  if (bytes.ok()) {
    return serving::Image{std::move(bytes).value()};
  }
  return serving::Text{text};
}

// `reads_text`: the model reads texts, so none is taken for a picture.
std::vector<serving::Instance> SplitRows(const Input& input, bool reads_text) {
  std::vector<serving::Instance> instances;
  const size_t width = input.row_elements();
  for (size_t row = 0; row < static_cast<size_t>(input.batch()); ++row) {
    if (input.is_text) {
      instances.push_back(reads_text ? serving::Text{input.texts[row]} : TextInstance(input.texts[row]));
      continue;
    }
    const auto first = input.numbers.begin() + static_cast<std::ptrdiff_t>(row * width);
    instances.emplace_back(serving::Tensor{{input.shape.begin() + 1, input.shape.end()},
                                           {first, first + static_cast<std::ptrdiff_t>(width)}});
  }
  return instances;
}

// One input a field of a table.
Result<std::vector<serving::Instance>> JoinFields(const std::vector<Input>& inputs,
                                                  const serving::Signature& signature) {
  std::vector<serving::Instance> instances;
  for (const auto& input : inputs) {
    if (std::find(signature.input_fields.begin(), signature.input_fields.end(), input.name) ==
        signature.input_fields.end()) {
      return InvalidArgument("the model has no input '" + input.name + "'", "inputs");
    }
    if (input.batch() != inputs.front().batch() || input.row_elements() != 1) {
      return InvalidArgument("the inputs do not have one value an instance for the same number of instances", "inputs");
    }
  }
  for (size_t row = 0; row < static_cast<size_t>(inputs.front().batch()); ++row) {
    serving::Record record;
    for (const auto& input : inputs) {
      if (input.is_text) {
        record.emplace(input.name, input.texts[row]);
      } else {
        record.emplace(input.name, static_cast<double>(input.numbers[row]));
      }
    }
    instances.emplace_back(std::move(record));
  }
  return instances;
}

// All fields of a table as texts, in order.
std::vector<serving::Instance> TextRecords(const Input& input, const std::vector<std::string>& fields) {
  std::vector<serving::Instance> instances;
  for (size_t row = 0; row < static_cast<size_t>(input.batch()); ++row) {
    serving::Record record;
    for (size_t i = 0; i < fields.size(); ++i) {
      record.emplace(fields[i], input.texts[row * fields.size() + i]);
    }
    instances.emplace_back(std::move(record));
  }
  return instances;
}

Result<std::vector<serving::Instance>> ToInstances(const std::vector<Input>& inputs,
                                                   const serving::Signature& signature) {
  if (inputs.front().batch() > static_cast<int64_t>(kMaxInstances)) {
    return InvalidArgument("there are more than " + std::to_string(kMaxInstances) + " instances", "inputs");
  }
  const auto& fields = signature.input_fields;
  const bool by_field = std::find(fields.begin(), fields.end(), inputs.front().name) != fields.end();
  const bool is_tensor = std::any_of(signature.inputs.begin(), signature.inputs.end(),
                                     [&](const auto& spec) { return spec.name == inputs.front().name; });
  if (by_field && (inputs.size() > 1 || !is_tensor || inputs.front().is_text)) {
    return JoinFields(inputs, signature);
  }
  if (inputs.size() != 1 || !is_tensor) {
    return InvalidArgument(
        "the model has no input '" + (inputs.size() == 1 ? inputs.front() : inputs.back()).name + "'", "inputs");
  }
  const size_t texts = std::max<size_t>(fields.size(), 1);
  if (inputs.front().is_text && inputs.front().row_elements() != texts) {
    return InvalidArgument("a BYTES input of this model has " + std::to_string(texts) + " elements an instance",
                           "inputs");
  }
  if (inputs.front().is_text && !fields.empty()) {
    return TextRecords(inputs.front(), fields);
  }
  return SplitRows(inputs.front(), signature.inputs.front().datatype == "BYTES");
}

Result<std::vector<WantedOutput>> ParseOutputs(const json::array* array) {
  std::vector<WantedOutput> outputs;
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const std::string path = "outputs[" + std::to_string(i) + "]";
    if (!(*array)[i].is_object()) {
      return InvalidArgument("'" + path + "' must be an object", path);
    }
    Fields fields((*array)[i].get_object(), path);
    WantedOutput output;
    ATELIER_ASSIGN(name, fields.String("name", 256));
    ATELIER_ASSIGN(parameters, fields.ObjectOr("parameters"));
    if (parameters != nullptr) {
      Fields inner(*parameters, fields.Path("parameters"));
      ATELIER_ASSIGN(count, inner.IntOr("classification", 0, 1, 10'000));
      output.classification = static_cast<int>(count);
    }
    output.name = std::move(name);
    outputs.push_back(std::move(output));
  }
  return outputs;
}

std::vector<size_t> Ranked(const std::vector<float>& values) {
  std::vector<size_t> order(values.size());
  std::iota(order.begin(), order.end(), size_t{0});
  std::stable_sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    return (std::isnan(values[a]) ? -kInfinite : values[a]) > (std::isnan(values[b]) ? -kInfinite : values[b]);
  });
  return order;
}

json::object Classification(const serving::PredictAnswer& answer, const WantedOutput& wanted) {
  json::array data;
  size_t count = 0;
  for (const auto& [values, texts, tokens] : answer.answers) {
    const auto order = Ranked(values);
    count = std::min(order.size(), static_cast<size_t>(wanted.classification));
    for (size_t i = 0; i < count; ++i) {
      std::string text;
      AppendJson(values[order[i]], text);
      text += ":" + std::to_string(order[i]);
      if (order[i] < answer.signature->labels.size()) {
        text += ":" + answer.signature->labels[order[i]];
      }
      data.emplace_back(std::move(text));
    }
  }
  return {{"name", wanted.name},
          {"datatype", "BYTES"},
          {"shape", {static_cast<int64_t>(answer.answers.size()), static_cast<int64_t>(count)}},
          {"data", std::move(data)}};
}

json::object Values(const serving::PredictAnswer& answer, const std::string& name) {
  json::array data;
  const size_t width = answer.answers.empty() ? 0 : answer.answers.front().values.size();
  data.reserve(answer.answers.size() * width);
  for (const auto& row : answer.answers) {
    data.insert(data.end(), row.values.begin(), row.values.end());
  }
  return {{"name", name},
          {"datatype", "FP32"},
          {"shape", {static_cast<int64_t>(answer.answers.size()), static_cast<int64_t>(width)}},
          {"data", std::move(data)}};
}

// The best text of each instance; the tags of all its tokens, divided by spaces.
json::object Texts(const serving::PredictAnswer& answer, const std::string& name) {
  const bool tags = answer.signature->task == "token-classification";
  json::array data;
  for (const auto& row : answer.answers) {
    std::string text;
    for (size_t i = 0; i < row.texts.size() && (tags || i == 0); ++i) {
      text += (i == 0 ? "" : " ") + row.texts[i];
    }
    data.emplace_back(std::move(text));
  }
  return {{"name", name},
          {"datatype", "BYTES"},
          {"shape", {static_cast<int64_t>(answer.answers.size()), 1}},
          {"data", std::move(data)}};
}

json::object Output(const serving::PredictAnswer& answer, const WantedOutput& wanted) {
  if (wanted.classification > 0) {
    return Classification(answer, wanted);
  }
  const auto& specs = answer.signature->outputs;
  const bool text = std::ranges::any_of(
      specs, [&](const auto& spec) { return spec.name == wanted.name && spec.datatype == "BYTES"; });
  return text ? Texts(answer, wanted.name) : Values(answer, wanted.name);
}

}  // namespace

Result<InferRequest> ParseInfer(const json::object& body, const serving::Signature& signature) {
  Fields fields(body);
  InferRequest request;
  ATELIER_ASSIGN(id, fields.StringOr("id", "", 256));
  ATELIER_ASSIGN(inputs, fields.ArrayOr("inputs", 1024));
  ATELIER_ASSIGN(outputs, fields.ArrayOr("outputs", 64));
  if (inputs == nullptr || inputs->empty()) {
    return InvalidArgument("'inputs' is missing: a list of tensors", "inputs", "missing_required_parameter");
  }
  std::vector<Input> parsed;
  for (size_t i = 0; i < inputs->size(); ++i) {
    const std::string path = "inputs[" + std::to_string(i) + "]";
    if (!(*inputs)[i].is_object()) {
      return InvalidArgument("'" + path + "' must be an object", path);
    }
    ATELIER_ASSIGN(input, ParseInput((*inputs)[i].get_object(), path));
    const bool repeated =
        std::any_of(parsed.begin(), parsed.end(), [&](const auto& other) { return other.name == input.name; });
    if (repeated) {
      return InvalidArgument("the input '" + input.name + "' is given twice", path);
    }
    parsed.push_back(std::move(input));
  }
  ATELIER_ASSIGN(wanted, ParseOutputs(outputs));
  for (const auto& output : wanted) {
    const bool known = std::any_of(signature.outputs.begin(), signature.outputs.end(),
                                   [&](const auto& spec) { return spec.name == output.name; });
    if (!known) {
      return InvalidArgument("the model has no output '" + output.name + "'", "outputs");
    }
  }
  ATELIER_ASSIGN(instances, ToInstances(parsed, signature));
  request.id = std::move(id);
  request.instances = std::move(instances);
  request.outputs = std::move(wanted);
  return request;
}

Result<json::array> MakeOutputs(const serving::PredictAnswer& answer, const std::vector<WantedOutput>& wanted) {
  std::vector<WantedOutput> outputs = wanted;
  if (outputs.empty()) {
    outputs.push_back({answer.signature->outputs.empty() ? "output" : answer.signature->outputs.front().name, 0});
  }
  json::array result;
  for (const auto& output : outputs) {
    result.push_back(Output(answer, output));
  }
  return result;
}

}  // namespace atelier::api::kserve
