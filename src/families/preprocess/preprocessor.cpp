#include "families/preprocess/preprocessor.h"

#include <cmath>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr size_t kMaxItems = 1U << 24U;

json::array Numbers(const std::vector<double>& values) {
  json::array array;
  for (const double value : values) {
    array.emplace_back(value);
  }
  return array;
}

Result<std::vector<double>> ReadNumbers(Fields& fields, std::string_view key, size_t count) {
  ATELIER_ASSIGN(array, fields.ArrayOr(key, kMaxItems));
  if (array == nullptr || array->size() != count) {
    return InvalidArgument("'" + fields.Path(key) + "' must be a list of " + std::to_string(count) + " numbers");
  }
  std::vector<double> values;
  for (const auto& item : *array) {
    if (!item.is_number()) {
      return InvalidArgument("'" + fields.Path(key) + "' must hold numbers");
    }
    values.push_back(item.to_number<double>());
  }
  return values;
}

Status CheckDeviations(const std::vector<double>& std, const std::string& path) {
  for (const double value : std) {
    if (!(value > 0) || !std::isfinite(value)) {
      return InvalidArgument("'" + path + "' must hold positive numbers");
    }
  }
  return {};
}

Result<std::vector<int64_t>> ReadShape(Fields& fields) {
  ATELIER_ASSIGN(array, fields.ArrayOr("shape", 8));
  std::vector<int64_t> shape;
  int64_t count = 1;
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    const auto& item = (*array)[i];
    if (!item.is_int64() || item.get_int64() < 1 || item.get_int64() > static_cast<int64_t>(kMaxItems) / count) {
      return InvalidArgument("'" + fields.Path("shape") + "' must be a list of positive sizes");
    }
    count *= item.get_int64();
    shape.push_back(item.get_int64());
  }
  return shape;
}

json::object FieldToJson(const TableField& field) {
  if (field.category) {
    return {{"name", field.name}, {"type", "category"}, {"categories", json::value_from(field.categories)}};
  }
  return {{"name", field.name},
          {"type", "number"},
          {"shape", json::value_from(field.shape)},
          {"mean", Numbers(field.mean)},
          {"std", Numbers(field.std)}};
}

Result<TableField> ReadField(const json::value& value, const std::string& path) {
  if (!value.is_object()) {
    return InvalidArgument("'" + path + "' must be an object");
  }
  Fields fields(value.get_object(), path);
  TableField field;
  ATELIER_ASSIGN(name, fields.String("name"));
  ATELIER_ASSIGN(type, fields.String("type"));
  field.name = name;
  field.category = type == "category";
  if (field.category) {
    ATELIER_ASSIGN(categories, fields.StringsOr("categories", {}, kMaxItems));
    field.categories = std::move(categories);
  } else if (type == "number") {
    ATELIER_ASSIGN(shape, ReadShape(fields));
    field.shape = shape;
    const auto width = static_cast<size_t>(field.width());
    ATELIER_ASSIGN(mean, ReadNumbers(fields, "mean", width));
    ATELIER_ASSIGN(std, ReadNumbers(fields, "std", width));
    ATELIER_TRY(CheckDeviations(std, fields.Path("std")));
    field.mean = mean;
    field.std = std;
  } else {
    return InvalidArgument("'" + fields.Path("type") + "' must be \"number\" or \"category\"");
  }
  ATELIER_TRY(fields.RejectUnknown());
  return field;
}

Result<ImageInput> ReadImage(Fields& fields, const ModelConfig& config) {
  ImageInput image;
  ATELIER_ASSIGN(column, fields.String("column"));
  ATELIER_ASSIGN(shape, ReadShape(fields));
  if (shape != config.input_shape) {
    return InvalidArgument("'shape' is not the input shape of config.json");
  }
  ATELIER_ASSIGN(mean, ReadNumbers(fields, "mean", static_cast<size_t>(shape[0])));
  ATELIER_ASSIGN(std, ReadNumbers(fields, "std", static_cast<size_t>(shape[0])));
  ATELIER_TRY(CheckDeviations(std, "std"));
  return ImageInput{column, shape, mean, std};
}

Result<TableInput> ReadTable(Fields& fields, const ModelConfig& config) {
  ATELIER_ASSIGN(array, fields.ArrayOr("fields", kMaxItems));
  TableInput table;
  int64_t width = 0;
  for (size_t i = 0; array != nullptr && i < array->size(); ++i) {
    ATELIER_ASSIGN(field, ReadField((*array)[i], "fields[" + std::to_string(i) + "]"));
    width += field.width();
    table.fields.push_back(std::move(field));
  }
  if (std::vector<int64_t>{width} != config.input_shape) {
    return InvalidArgument("'fields' make " + std::to_string(width) + " inputs, config.json says " +
                           ShapeText(config.input_shape));
  }
  return table;
}

Result<TargetInfo> ReadTarget(const json::object& object, const ModelConfig& config) {
  Fields fields(object, "target");
  TargetInfo target;
  ATELIER_ASSIGN(name, fields.String("name"));
  ATELIER_ASSIGN(labels, fields.StringsOr("labels", {}, kMaxItems));
  ATELIER_ASSIGN(mean, fields.NumberOr("mean", 0, -1e300, 1e300));
  ATELIER_ASSIGN(std, fields.NumberOr("std", 1, 1e-300, 1e300));
  ATELIER_TRY(fields.RejectUnknown());
  const bool classes = config.task == "classification";
  if (classes != !labels.empty() || (classes && static_cast<int64_t>(labels.size()) != config.outputs)) {
    return InvalidArgument("'target.labels' do not fit the outputs of config.json");
  }
  return TargetInfo{name, std::move(labels), mean, std};
}

Result<Preprocessor> Read(const json::object& object, const ModelConfig& config) {
  Fields fields(object);
  Preprocessor preprocessor;
  ATELIER_ASSIGN(kind, fields.String("kind"));
  if (kind != config.input_kind) {
    return InvalidArgument("'kind' is not the input_kind of config.json");
  }
  if (kind == "image") {
    ATELIER_ASSIGN(image, ReadImage(fields, config));
    preprocessor.input = std::move(image);
  } else {
    ATELIER_ASSIGN(table, ReadTable(fields, config));
    preprocessor.input = std::move(table);
  }
  ATELIER_ASSIGN(target_object, fields.ObjectOr("target"));
  if (target_object == nullptr) {
    return InvalidArgument("'target' is missing");
  }
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_ASSIGN(target, ReadTarget(*target_object, config));
  preprocessor.target = std::move(target);
  return preprocessor;
}

void Append(Affine& affine, double mean, double std) {
  affine.scale.push_back(static_cast<float>(1.0 / std));
  affine.shift.push_back(static_cast<float>(-mean / std));
}

}  // namespace

int64_t TableField::width() const {
  int64_t count = category ? static_cast<int64_t>(categories.size()) : 1;
  for (const int64_t size : shape) {
    count *= size;
  }
  return count;
}

json::object ToJson(const Preprocessor& preprocessor) {
  json::object object;
  if (const auto* image = std::get_if<ImageInput>(&preprocessor.input)) {
    object = {{"kind", "image"},
              {"column", image->column},
              {"shape", json::value_from(image->shape)},
              {"mean", Numbers(image->mean)},
              {"std", Numbers(image->std)}};
  } else {
    json::array fields;
    for (const auto& field : std::get<TableInput>(preprocessor.input).fields) {
      fields.push_back(FieldToJson(field));
    }
    object = {{"kind", "table"}, {"fields", std::move(fields)}};
  }
  const TargetInfo& target = preprocessor.target;
  if (target.labels.empty()) {
    object["target"] = {{"name", target.name}, {"mean", target.mean}, {"std", target.std}};
  } else {
    object["target"] = {{"name", target.name}, {"labels", json::value_from(target.labels)}};
  }
  return object;
}

Result<Preprocessor> PreprocessorFromJson(const json::value& value, const ModelConfig& config) {
  if (!value.is_object()) {
    return InvalidArgument("preprocessor_config.json must be an object", "", "invalid_model_file");
  }
  auto preprocessor = Read(value.get_object(), config);
  if (!preprocessor.ok()) {
    return InvalidArgument("preprocessor_config.json: " + preprocessor.error().message, "", "invalid_model_file");
  }
  return preprocessor;
}

Affine MakeAffine(const Preprocessor& preprocessor) {
  Affine affine;
  if (const auto* image = std::get_if<ImageInput>(&preprocessor.input)) {
    affine.repeat = image->shape[1] * image->shape[2];
    for (size_t i = 0; i < image->mean.size(); ++i) {
      Append(affine, image->mean[i] * 255.0, image->std[i] * 255.0);
    }
    return affine;
  }
  for (const auto& field : std::get<TableInput>(preprocessor.input).fields) {
    for (int64_t i = 0; i < field.width(); ++i) {
      const auto at = static_cast<size_t>(i);
      field.category ? Append(affine, 0, 1) : Append(affine, field.mean[at], field.std[at]);
    }
  }
  return affine;
}

void Scale(const Affine& affine, const uint8_t* raw, float* out) {
  for (size_t group = 0; group < affine.scale.size(); ++group) {
    const float scale = affine.scale[group];
    const float shift = affine.shift[group];
    for (int64_t i = 0; i < affine.repeat; ++i) {
      *out++ = static_cast<float>(*raw++) * scale + shift;
    }
  }
}

void Scale(const Affine& affine, const float* raw, float* out) {
  for (size_t group = 0; group < affine.scale.size(); ++group) {
    const float scale = affine.scale[group];
    const float shift = affine.shift[group];
    for (int64_t i = 0; i < affine.repeat; ++i) {
      const float value = *raw++;
      *out++ = std::isfinite(value) ? value * scale + shift : 0.0F;
    }
  }
}

}  // namespace atelier::families
