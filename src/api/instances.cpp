#include "api/instances.h"

#include <array>
#include <cmath>

namespace atelier::api {
namespace {

constexpr size_t kMaxDimensions = 8;

std::array<int8_t, 256> MakeBase64Table() {
  static constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  std::array<int8_t, 256> table{};
  table.fill(-1);
  for (size_t i = 0; i < kAlphabet.size(); ++i) {
    table[static_cast<unsigned char>(kAlphabet[i])] = static_cast<int8_t>(i);
  }
  return table;
}

Status AppendNumber(const json::value& value, const std::string& param, std::vector<float>& out) {
  double number = 0;
  if (value.is_double()) {
    number = value.get_double();
  } else if (value.is_int64()) {
    number = static_cast<double>(value.get_int64());
  } else if (value.is_uint64()) {
    number = static_cast<double>(value.get_uint64());
  } else {
    return InvalidArgument("'" + param + "' must hold numbers only", param);
  }
  const auto narrow = static_cast<float>(number);
  if (!std::isfinite(narrow)) {
    return InvalidArgument("'" + param + "' has a number too large for single precision", param);
  }
  out.push_back(narrow);
  return {};
}

// The shape along the first elements; AppendValues checks that the others agree.
std::vector<int64_t> ShapeOf(const json::value& value) {
  std::vector<int64_t> shape;
  const auto* array = value.if_array();
  while (array != nullptr && shape.size() <= kMaxDimensions) {
    shape.push_back(static_cast<int64_t>(array->size()));
    array = array->empty() ? nullptr : array->front().if_array();
  }
  return shape;
}

Status AppendValues(const json::value& value, size_t depth, const std::string& param, serving::Tensor& tensor) {
  if (depth == tensor.shape.size()) {
    return AppendNumber(value, param, tensor.values);
  }
  const auto* array = value.if_array();
  if (array == nullptr || static_cast<int64_t>(array->size()) != tensor.shape[depth]) {
    return InvalidArgument("'" + param + "' is a list whose rows differ in length", param);
  }
  for (const auto& item : *array) {
    ATELIER_TRY(AppendValues(item, depth + 1, param, tensor));
  }
  return {};
}

Result<serving::Instance> ParseRecord(const json::object& object, const std::string& param) {
  if (object.size() == 1) {
    const auto& [key, value] = *object.begin();
    if (key == "image" && value.is_string()) {
      ATELIER_ASSIGN(bytes, DecodeBase64(value.get_string(), param + ".image"));
      return serving::Instance(serving::Image{std::move(bytes)});
    }
    if (key == "text" && value.is_string()) {
      return serving::Instance(serving::Text{std::string(value.get_string())});
    }
  }
  serving::Record record;
  for (const auto& [key, value] : object) {
    if (value.is_string()) {
      record.emplace(key, std::string(value.get_string()));
    } else if (value.is_number()) {
      record.emplace(key, value.to_number<double>());
    } else if (!value.is_null()) {  // null: the field is missing
      const std::string field = param + "." + std::string(key);
      return InvalidArgument("'" + field + "' must be a number or a string", field);
    }
  }
  return serving::Instance(std::move(record));
}

}  // namespace

Result<std::string> DecodeBase64(std::string_view text, const std::string& param) {
  static const auto kTable = MakeBase64Table();
  const auto bad = [&] { return InvalidArgument("'" + param + "' is not base64", param); };
  if (text.starts_with("data:")) {
    const auto comma = text.substr(0, 256).find(";base64,");
    if (comma == std::string_view::npos) {
      return bad();
    }
    text.remove_prefix(comma + 8);
  }
  if (text.empty() || text.size() % 4 != 0) {
    return bad();
  }
  const size_t padding = text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0;
  std::string out;
  out.reserve(text.size() / 4 * 3);
  for (size_t i = 0; i < text.size(); i += 4) {
    const size_t missing = i + 4 == text.size() ? padding : 0;
    uint32_t bits = 0;
    for (size_t j = 0; j < 4; ++j) {
      const int digit = j >= 4 - missing ? 0 : kTable[static_cast<unsigned char>(text[i + j])];
      if (digit < 0) {
        return bad();
      }
      bits = bits << 6U | static_cast<uint32_t>(digit);
    }
    const char bytes[3] = {static_cast<char>(bits >> 16U), static_cast<char>(bits >> 8U), static_cast<char>(bits)};
    out.append(bytes, 3 - missing);
  }
  return out;
}

Status AppendTensor(const json::value& value, const std::string& param, serving::Tensor& tensor) {
  tensor.shape = ShapeOf(value);
  if (tensor.shape.size() > kMaxDimensions) {
    return InvalidArgument("'" + param + "' has more than " + std::to_string(kMaxDimensions) + " dimensions", param);
  }
  return AppendValues(value, 0, param, tensor);
}

Result<serving::Instance> ParseInstance(const json::value& value, const std::string& param) {
  if (value.is_array() || value.is_number()) {
    serving::Tensor tensor;
    ATELIER_TRY(AppendTensor(value, param, tensor));
    return serving::Instance(std::move(tensor));
  }
  if (value.is_object()) {
    return ParseRecord(value.get_object(), param);
  }
  if (value.is_string()) {
    return serving::Instance(serving::Text{std::string(value.get_string())});
  }
  return InvalidArgument("'" + param + "' must be numbers, an image, a text or a record", param);
}

Result<std::vector<serving::Instance>> ParseInstances(const json::object& body, Fields& fields) {
  std::vector<serving::Instance> instances;
  ATELIER_ASSIGN(inputs, fields.ArrayOr("inputs", kMaxInstances));
  const json::value* single = fields.Has("input") ? body.if_contains("input") : nullptr;
  if ((inputs == nullptr) == (single == nullptr)) {
    return InvalidArgument("one of 'inputs' (a list) and 'input' is needed", "inputs", "missing_required_parameter");
  }
  if (single != nullptr) {
    ATELIER_ASSIGN(instance, ParseInstance(*single, "input"));
    instances.push_back(std::move(instance));
    return instances;
  }
  if (inputs->empty()) {
    return InvalidArgument("'inputs' is empty", "inputs");
  }
  instances.reserve(inputs->size());
  for (size_t i = 0; i < inputs->size(); ++i) {
    ATELIER_ASSIGN(instance, ParseInstance((*inputs)[i], "inputs[" + std::to_string(i) + "]"));
    instances.push_back(std::move(instance));
  }
  return instances;
}

Result<std::vector<serving::Instance>> FormInstances(http::Form& form) {
  std::vector<serving::Instance> instances;
  for (auto& file : form.files) {
    if (file.field != "file") {
      return InvalidArgument("'" + file.field + "' is not a known field", file.field, "unknown_parameter");
    }
    if (file.data.empty()) {
      return InvalidArgument("a file is empty", "file");
    }
    instances.emplace_back(serving::Image{std::move(file.data)});
  }
  if (instances.empty()) {
    return InvalidArgument("the form has no 'file'", "file", "missing_required_parameter");
  }
  return instances;
}

}  // namespace atelier::api
