#include "families/spec/model_config.h"

#include "base/json.h"
#include "families/spec/chain.h"

namespace atelier::families {
namespace {

constexpr int64_t kMaxSide = 65536;

Result<std::vector<int64_t>> ShapeFrom(Fields& fields, std::string_view key) {
  ATELIER_ASSIGN(array, fields.ArrayOr(key, 3));
  std::vector<int64_t> shape;
  if (array != nullptr) {
    for (const auto& item : *array) {
      if (!item.is_int64() || item.get_int64() < 1 || item.get_int64() > int64_t{1} << 24) {
        return InvalidArgument("'" + fields.Path(key) + "' must be a list of positive sizes", fields.Path(key));
      }
      shape.push_back(item.get_int64());
    }
  }
  return shape;
}

Result<ModelConfig> Read(const json::object& object) {
  Fields fields(object);
  ModelConfig config;
  ATELIER_ASSIGN(model_type, fields.String("model_type", 64));
  if (model_type != "atelier") {
    return InvalidArgument("'model_type' must be \"atelier\"", "model_type");
  }
  ATELIER_ASSIGN(family, fields.String("family", 64));
  ATELIER_ASSIGN(task, fields.String("task", 64));
  ATELIER_ASSIGN(input_kind, fields.String("input_kind", 64));
  ATELIER_ASSIGN(shape, ShapeFrom(fields, "input_shape"));
  ATELIER_ASSIGN(outputs, fields.Int("outputs", 1, kMaxSide));
  ATELIER_ASSIGN(layer_list, fields.ArrayOr("layers", 2 * kMaxLayers));
  ATELIER_TRY(fields.RejectUnknown());
  config.family = family;
  config.task = task;
  config.input_kind = input_kind;
  config.input_shape = shape;
  config.outputs = outputs;
  // LayersFromJson bounds what people write; a complete list may be twice as long.
  for (size_t i = 0; layer_list != nullptr && i < layer_list->size(); ++i) {
    ATELIER_ASSIGN(layer, LayersFromJson(json::array{(*layer_list)[i]}, "layers"));
    config.layers.push_back(layer.front());
  }
  return config;
}

Status Check(const ModelConfig& config) {
  if (config.family != "mlp" && config.family != "cnn") {
    return InvalidArgument("'family' must be \"mlp\" or \"cnn\"", "family");
  }
  ATELIER_TRY(CheckLayerKinds(config.family, config.layers));
  if (config.task != "classification" && config.task != "regression") {
    return InvalidArgument("'task' must be \"classification\" or \"regression\"", "task");
  }
  const bool image = config.input_kind == "image";
  if (!image && config.input_kind != "table") {
    return InvalidArgument("'input_kind' must be \"image\" or \"table\"", "input_kind");
  }
  if (config.input_shape.size() != (image ? 3U : 1U) ||
      (image && config.input_shape[0] != 1 && config.input_shape[0] != 3)) {
    return InvalidArgument(
        "'input_shape' " + ShapeText(config.input_shape) + " does not fit input_kind " + config.input_kind,
        "input_shape");
  }
  ATELIER_ASSIGN(plan, MakePlan(config));
  return {};
}

}  // namespace

Result<Plan> MakePlan(const ModelConfig& config) {
  ATELIER_ASSIGN(plan, MakePlan(config.layers, config.input_shape));
  if (plan.layers.back().output != std::vector<int64_t>{config.outputs}) {
    return InvalidArgument("the last layer gives " + ShapeText(plan.layers.back().output) + ", not [" +
                               std::to_string(config.outputs) + "]",
                           "layers");
  }
  return plan;
}

Result<int> UsefulThreads(const ModelConfig& config, int64_t instances, int threads) {
  constexpr double kMultiplicationsAThread = 16e6;
  ATELIER_ASSIGN(plan, MakePlan(config));
  double multiplications = 0;  // of one instance: each weight once a place of its output map
  for (const auto& planned : plan.layers) {
    const int64_t places = planned.output.size() == 3 ? planned.output[1] * planned.output[2] : 1;
    multiplications += static_cast<double>(planned.parameters) * static_cast<double>(places);
  }
  const double useful = multiplications * static_cast<double>(instances) / kMultiplicationsAThread;
  return static_cast<int>(std::clamp<double>(useful, 1, std::max(1, threads)));
}

json::object ToJson(const ModelConfig& config) {
  return {{"model_type", "atelier"},
          {"family", config.family},
          {"task", config.task},
          {"input_kind", config.input_kind},
          {"input_shape", json::value_from(config.input_shape)},
          {"outputs", config.outputs},
          {"layers", ToJson(config.layers)}};
}

Result<ModelConfig> ModelConfigFromJson(const json::value& value) {
  if (!value.is_object()) {
    return InvalidArgument("config.json must be an object", "", "invalid_model_file");
  }
  auto config = Read(value.get_object());
  Status status = config.ok() ? Check(config.value()) : Status(config.error());
  if (!status.ok()) {
    Error error = std::move(status).error();
    error.message = "config.json: " + error.message;
    error.reason = "invalid_model_file";
    return error;
  }
  return config;
}

}  // namespace atelier::families
