#include "families/spec/layers.h"

#include <array>
#include <charconv>

#include "base/json.h"

namespace atelier::families {
namespace {

struct ActivationRow {
  Activation activation;
  std::string_view name;
};
constexpr std::array<ActivationRow, 8> kActivations{{
    {Activation::kNone, "none"},
    {Activation::kRelu, "relu"},
    {Activation::kLeakyRelu, "leaky_relu"},
    {Activation::kElu, "elu"},
    {Activation::kGelu, "gelu"},
    {Activation::kSilu, "silu"},
    {Activation::kTanh, "tanh"},
    {Activation::kSigmoid, "sigmoid"},
}};

// One item of the short text, eaten from the left.
class Item {
 public:
  explicit Item(std::string_view text) : rest_(text) {}

  bool Skip(std::string_view word) {
    if (!rest_.starts_with(word)) {
      return false;
    }
    rest_.remove_prefix(word.size());
    return true;
  }
  template <class Number>
  bool Read(Number& number) {
    const auto [end, error] = std::from_chars(rest_.data(), rest_.data() + rest_.size(), number);
    if (error != std::errc{}) {
      return false;
    }
    rest_.remove_prefix(static_cast<size_t>(end - rest_.data()));
    return true;
  }
  bool done() const { return rest_.empty(); }

 private:
  std::string_view rest_;
};

Error Wrong(const std::string& param, const std::string& what) {
  return InvalidArgument("'" + param + "': " + what, param);
}

Status CheckRange(int64_t value, int64_t min, int64_t max, const std::string& param) {
  if (value < min || value > max) {
    return InvalidArgument("'" + param + "' must be an integer from " + std::to_string(min) + " to " +
                               std::to_string(max) + ", got " + std::to_string(value),
                           param);
  }
  return {};
}

Status CheckLayer(const Layer& layer, const std::string& param) {
  switch (layer.kind) {
    case LayerKind::kDense:
      return CheckRange(layer.units, 1, kMaxUnits, param + ".units");
    case LayerKind::kConv:
      ATELIER_TRY(CheckRange(layer.units, 1, kMaxUnits, param + ".filters"));
      ATELIER_TRY(CheckRange(layer.kernel, 1, 255, param + ".kernel"));
      ATELIER_TRY(CheckRange(layer.stride, 1, 255, param + ".stride"));
      return CheckRange(layer.padding, 0, 255, param + ".padding");
    case LayerKind::kPool:
      ATELIER_TRY(CheckRange(layer.kernel, 1, 255, param + ".size"));
      return CheckRange(layer.stride, 1, 255, param + ".stride");
    case LayerKind::kDropout:
      if (!(layer.rate >= 0 && layer.rate < 1)) {
        return InvalidArgument("'" + param + ".rate' must be at least 0 and below 1", param + ".rate");
      }
      return {};
    default:
      return {};
  }
}

// conv32x3[s2][p1]
bool ReadConv(Item& item, Layer& layer) {
  layer.kind = LayerKind::kConv;
  layer.kernel = 3;
  if (!item.Read(layer.units) || (item.Skip("x") && !item.Read(layer.kernel)) ||
      (item.Skip("s") && !item.Read(layer.stride)) || (item.Skip("p") && !item.Read(layer.padding))) {
    return false;
  }
  return item.done();
}

// pool2[s1], after the word; the stride is the window's side unless said
bool ReadPool(Item& item, Layer& layer, bool average) {
  layer.kind = LayerKind::kPool;
  layer.average = average;
  layer.kernel = 2;
  if (!item.done() && !item.Read(layer.kernel)) {
    return false;
  }
  layer.stride = layer.kernel;
  return !(item.Skip("s") && !item.Read(layer.stride)) && item.done();
}

bool ReadItem(std::string_view text, Layer& layer) {
  for (const auto& row : kActivations) {
    if (row.name == text) {
      layer.kind = LayerKind::kActivation;
      layer.activation = row.activation;
      return true;
    }
  }
  if (text == "bn" || text == "batch_norm") {
    layer.kind = LayerKind::kBatchNorm;
    return true;
  }
  if (text == "flatten") {
    layer.kind = LayerKind::kFlatten;
    return true;
  }
  Item item(text);
  if (item.Skip("conv")) {
    return ReadConv(item, layer);
  }
  if (item.Skip("avgpool")) {
    return ReadPool(item, layer, true);
  }
  if (item.Skip("maxpool") || item.Skip("pool")) {
    return ReadPool(item, layer, false);
  }
  if (item.Skip("dropout")) {
    layer.kind = LayerKind::kDropout;
    return item.Read(layer.rate) && item.done();
  }
  item.Skip("dense");
  layer.kind = LayerKind::kDense;
  return item.Read(layer.units) && item.done();
}

Result<Layer> LayerFromItem(std::string_view text, const std::string& param) {
  Layer layer;
  if (!ReadItem(text, layer)) {
    return Wrong(param, "'" + std::string(text.substr(0, 64)) +
                            "' is not a layer; write e.g. 128, dense64, conv32x3, pool2, bn, relu, dropout0.5");
  }
  ATELIER_TRY(CheckLayer(layer, param));
  return layer;
}

Result<Layer> ConvFromObject(Fields& fields) {
  Layer layer{.kind = LayerKind::kConv};
  ATELIER_ASSIGN(filters, fields.Int("filters", 1, kMaxUnits));
  ATELIER_ASSIGN(kernel, fields.IntOr("kernel", 3, 1, 255));
  ATELIER_ASSIGN(stride, fields.IntOr("stride", 1, 1, 255));
  ATELIER_ASSIGN(padding, fields.IntOr("padding", 0, 0, 255));
  layer.units = filters;
  layer.kernel = kernel;
  layer.stride = stride;
  layer.padding = padding;
  return layer;
}

Result<Layer> PoolFromObject(Fields& fields) {
  Layer layer{.kind = LayerKind::kPool};
  ATELIER_ASSIGN(mode, fields.StringOr("mode", "max", 64));
  if (mode != "max" && mode != "average") {
    return Wrong(fields.Path("mode"), "must be \"max\" or \"average\"");
  }
  ATELIER_ASSIGN(size, fields.IntOr("size", 2, 1, 255));
  ATELIER_ASSIGN(stride, fields.IntOr("stride", size, 1, 255));
  layer.average = mode == "average";
  layer.kernel = size;
  layer.stride = stride;
  return layer;
}

Result<Layer> KnownLayer(const std::string& type, Fields& fields) {
  Layer layer;
  if (type == "dense") {
    ATELIER_ASSIGN(units, fields.Int("units", 1, kMaxUnits));
    layer.units = units;
    return layer;
  }
  if (type == "conv") {
    return ConvFromObject(fields);
  }
  if (type == "pool") {
    return PoolFromObject(fields);
  }
  if (type == "dropout") {
    layer.kind = LayerKind::kDropout;
    ATELIER_ASSIGN(rate, fields.Number("rate", 0, 1));
    layer.rate = rate;
    return layer;
  }
  if (type == "activation") {
    layer.kind = LayerKind::kActivation;
    ATELIER_ASSIGN(name, fields.String("name", 64));
    ATELIER_ASSIGN(activation, ActivationFromName(name, fields.Path("name")));
    layer.activation = activation;
    return layer;
  }
  if (type == "batch_norm" || type == "flatten") {
    layer.kind = type == "flatten" ? LayerKind::kFlatten : LayerKind::kBatchNorm;
    return layer;
  }
  return Wrong(fields.Path("type"),
               "must be one of dense, conv, pool, batch_norm, dropout, activation, flatten; got \"" + type + "\"");
}

Result<Layer> LayerFromValue(const json::value& value, const std::string& param) {
  if (value.is_string()) {
    return LayerFromItem(std::string_view(value.get_string()), param);
  }
  if (value.is_int64() || value.is_uint64()) {
    Layer layer;
    layer.units = value.is_int64() ? value.get_int64() : kMaxUnits + 1;
    ATELIER_TRY(CheckLayer(layer, param));
    return layer;
  }
  if (!value.is_object()) {
    return Wrong(param, "must be a number of units, a text such as \"conv32x3\", or an object with \"type\"");
  }
  Fields fields(value.get_object(), param);
  ATELIER_ASSIGN(type, fields.String("type", 64));
  ATELIER_ASSIGN(layer, KnownLayer(type, fields));
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_TRY(CheckLayer(layer, param));
  return layer;
}

Status CheckCount(size_t count, const std::string& param) {
  if (count > static_cast<size_t>(kMaxLayers)) {
    return Wrong(param, "has more than " + std::to_string(kMaxLayers) + " layers");
  }
  return {};
}

json::object ToJson(const Layer& layer) {
  switch (layer.kind) {
    case LayerKind::kDense:
      return {{"type", "dense"}, {"units", layer.units}};
    case LayerKind::kConv:
      return {{"type", "conv"},
              {"filters", layer.units},
              {"kernel", layer.kernel},
              {"stride", layer.stride},
              {"padding", layer.padding}};
    case LayerKind::kPool:
      return {{"type", "pool"},
              {"mode", layer.average ? "average" : "max"},
              {"size", layer.kernel},
              {"stride", layer.stride}};
    case LayerKind::kBatchNorm:
      return {{"type", "batch_norm"}};
    case LayerKind::kDropout:
      return {{"type", "dropout"}, {"rate", layer.rate}};
    case LayerKind::kActivation:
      return {{"type", "activation"}, {"name", Name(layer.activation)}};
    case LayerKind::kFlatten:
      return {{"type", "flatten"}};
  }
  return {};
}

}  // namespace

std::string_view Name(Activation activation) {
  for (const auto& row : kActivations) {
    if (row.activation == activation) {
      return row.name;
    }
  }
  return "none";
}

Result<Activation> ActivationFromName(std::string_view name, std::string_view param) {
  std::string known;
  for (const auto& row : kActivations) {
    if (row.name == name) {
      return row.activation;
    }
    known += (known.empty() ? "" : ", ") + std::string(row.name);
  }
  return Wrong(std::string(param), "must be one of " + known);
}

Result<std::vector<Layer>> LayersFromText(std::string_view text, const std::string& param) {
  std::vector<Layer> layers;
  while (true) {
    const size_t start = text.find_first_not_of(", \t");
    if (start == std::string_view::npos) {
      return layers;
    }
    text.remove_prefix(start);
    const size_t length = std::min(text.find_first_of(", \t"), text.size());
    ATELIER_ASSIGN(layer, LayerFromItem(text.substr(0, length), param + "[" + std::to_string(layers.size()) + "]"));
    layers.push_back(layer);
    ATELIER_TRY(CheckCount(layers.size(), param));
    text.remove_prefix(length);
  }
}

Result<std::vector<Layer>> LayersFromJson(const json::value& value, const std::string& param) {
  if (value.is_string()) {
    return LayersFromText(std::string_view(value.get_string()), param);
  }
  if (value.is_int64()) {
    return LayersFromJson(json::value(json::array{value}), param);
  }
  if (!value.is_array()) {
    return Wrong(param, "must be a text such as \"128,128\" or a list of layers");
  }
  ATELIER_TRY(CheckCount(value.get_array().size(), param));
  std::vector<Layer> layers;
  for (const auto& item : value.get_array()) {
    ATELIER_ASSIGN(layer, LayerFromValue(item, param + "[" + std::to_string(layers.size()) + "]"));
    layers.push_back(layer);
  }
  return layers;
}

json::array ToJson(const std::vector<Layer>& layers) {
  json::array array;
  for (const auto& layer : layers) {
    array.push_back(ToJson(layer));
  }
  return array;
}

}  // namespace atelier::families
