#include "families/spec/chain.h"

#include <algorithm>
#include <array>

#include "base/json.h"

namespace atelier::families {
namespace {

constexpr int64_t kDefaultSide = 64;  // of pictures whose sizes differ
constexpr int64_t kMaxSide = 4096;

constexpr std::array kDenseKinds{LayerKind::kDense, LayerKind::kBatchNorm, LayerKind::kDropout, LayerKind::kActivation,
                                 LayerKind::kFlatten};

// The two lists differ in the default of the first setting only.
constexpr std::array<Setting, 7> Settings(std::string_view layers) {
  return {{
      {.name = "layers", .kind = SettingKind::kList, .fallback = layers, .help = "hidden layers"},
      {.name = "activation",
       .kind = SettingKind::kWord,
       .fallback = "\"relu\"",
       .words = "none|relu|leaky_relu|elu|gelu|silu|tanh|sigmoid",
       .help = "of hidden layers that do not name one"},
      {.name = "dropout", .fallback = "0", .max = 0.99, .help = "after hidden dense layers"},
      {.name = "batch_norm",
       .kind = SettingKind::kFlag,
       .fallback = "false",
       .help = "after every hidden dense and convolution layer"},
      {.name = "input_size",
       .kind = SettingKind::kList,
       .fallback = "[]",
       .help = "pictures: [height, width]; empty: the data set's, or 64 x 64 for mixed sizes"},
      {.name = "channels",
       .kind = SettingKind::kInteger,
       .fallback = "0",
       .max = 3,
       .help = "pictures: 1 (grey) or 3 (RGB); 0: the data set's, or 3 for encoded files"},
      {.name = "loss",
       .kind = SettingKind::kWord,
       .fallback = "\"auto\"",
       .words = "auto|sparse_cross_entropy|cross_entropy|mse",
       .help = "auto: sparse_cross_entropy, or mse for a regression"},
  }};
}
constexpr auto kMlp = Settings("\"128,128\"");
constexpr auto kCnn = Settings("\"conv32x3,pool2,conv64x3,pool2,dense64\"");

struct ImageSize {
  std::vector<int64_t> side{};  // [height, width], or empty
  int64_t channels = 0;
};

Result<ImageSize> ReadSize(const json::object& settings) {
  ImageSize size{.channels = GetInt(settings, "channels")};
  if (size.channels == 2) {
    return InvalidArgument("'settings.channels' must be 1 (grey) or 3 (RGB)", "settings.channels");
  }
  const auto* given = settings.if_contains("input_size");
  if (given == nullptr || (given->is_array() && given->get_array().empty())) {
    return size;
  }
  if (given->is_array()) {
    for (const auto& side : given->get_array()) {
      if (side.is_int64() && side.get_int64() >= 1 && side.get_int64() <= kMaxSide) {
        size.side.push_back(side.get_int64());
      }
    }
  }
  if (size.side.size() != 2 || given->get_array().size() != 2) {
    return InvalidArgument("'settings.input_size' must be [height, width], each from 1 to 4096", "settings.input_size");
  }
  return size;
}

Result<std::vector<int64_t>> ImageShape(const ImageSize& size, const data::Manifest& manifest) {
  ATELIER_ASSIGN(column, ImageColumn(manifest));
  if (column->shape.size() != 3) {
    const bool sized = !size.side.empty();
    return std::vector<int64_t>{size.channels == 0 ? 3 : size.channels, sized ? size.side[0] : kDefaultSide,
                                sized ? size.side[1] : kDefaultSide};
  }
  if (size.channels != 0 && size.channels != column->shape[0]) {
    return Unfit(
        "the pictures of the data set have " + std::to_string(column->shape[0]) + " channel(s); leave 'channels' out",
        "settings.channels");
  }
  if (!size.side.empty() && (size.side[0] != column->shape[1] || size.side[1] != column->shape[2])) {
    return Unfit("the data set holds raw pictures of " + ShapeText(column->shape) + "; leave 'input_size' out",
                 "settings.input_size");
  }
  return column->shape;
}

int64_t Width(const data::Column& column) {
  if (column.type == data::ColumnType::kCategory) {
    return static_cast<int64_t>(column.categories.size());
  }
  int64_t width = 1;
  for (const int64_t size : column.shape) {
    width = size > 0 && width <= kMaxActivations / size ? width * size : kMaxActivations + 1;
  }
  return width;
}

Result<std::vector<int64_t>> TableShape(const ImageSize& size, const data::Manifest& manifest) {
  if (!size.side.empty() || size.channels != 0) {
    return Unfit("'input_size' and 'channels' are for pictures; this data set is a table", "settings.input_size");
  }
  ATELIER_ASSIGN(columns, TableColumns(manifest));
  int64_t features = 0;
  for (const auto* column : columns) {
    features += Width(*column);
    if (features > (int64_t{1} << 24)) {
      return Unfit("the columns make more than 2^24 inputs at '" + column->name + "'");
    }
  }
  if (features == 0) {
    return Unfit("the data set has no column besides its target");
  }
  return std::vector<int64_t>{features};
}

bool HasImages(const data::Manifest& manifest) {
  return std::ranges::any_of(manifest.columns, [](const auto& c) { return c.type == data::ColumnType::kImage; });
}

Result<std::vector<Layer>> HiddenLayers(const FitInput& input) {
  ATELIER_ASSIGN(layers, LayersFromJson(input.settings.at("layers"), "settings.layers"));
  ATELIER_TRY(CheckLayerKinds(input.family, layers));
  return layers;
}

Status CheckNormalisation(const FitInput& input, const std::vector<Layer>& layers) {
  const bool normalised = GetBool(input.settings, "batch_norm") || std::ranges::any_of(layers, [](const auto& layer) {
                            return layer.kind == LayerKind::kBatchNorm;
                          });
  const int64_t train = input.manifest.split_rows[static_cast<size_t>(data::Split::kTrain)];
  if (normalised && (train < 2 || GetInt(input.settings, "batch_size", 2) < 2)) {
    return Unfit("batch normalisation needs at least 2 rows in a batch", "settings.batch_norm");
  }
  return {};
}

}  // namespace

std::span<const Setting> MlpSettings() { return kMlp; }
std::span<const Setting> CnnSettings() { return kCnn; }

Status CheckLayerKinds(std::string_view family, const std::vector<Layer>& layers) {
  if (family == "cnn") {
    return {};
  }
  for (size_t i = 0; i < layers.size(); ++i) {
    if (std::ranges::find(kDenseKinds, layers[i].kind) == kDenseKinds.end()) {
      const std::string param = "layers[" + std::to_string(i) + "]";
      return InvalidArgument("'" + param + "': the family " + std::string(family) +
                                 " has no such layers; use cnn for convolution and pooling",
                             param);
    }
  }
  return {};
}

Result<const data::Column*> ImageColumn(const data::Manifest& manifest) {
  const data::Column* found = nullptr;
  for (const auto& column : manifest.columns) {
    if (column.type == data::ColumnType::kImage && column.name != manifest.target) {
      if (found != nullptr) {
        return Unfit("the data set has several image columns ('" + found->name + "', '" + column.name +
                     "'); a model reads one");
      }
      found = &column;
    }
  }
  if (found == nullptr) {
    return Unfit("the family needs pictures, but the data set has no image column; use mlp for tables");
  }
  return found;
}

Result<std::vector<const data::Column*>> TableColumns(const data::Manifest& manifest) {
  std::vector<const data::Column*> columns;
  for (const auto& column : manifest.columns) {
    if (column.name == manifest.target) {
      continue;
    }
    if (column.type != data::ColumnType::kNumber && column.type != data::ColumnType::kCategory) {
      return Unfit("the column '" + column.name + "' is " + std::string(Name(column.type)) +
                   ", which this family does not read; import it as a category, or leave it out");
    }
    columns.push_back(&column);
  }
  return columns;
}

Result<ModelConfig> MakeModelConfig(const FitInput& input) {
  const auto& manifest = input.manifest;
  ATELIER_TRY(CheckTarget(manifest));
  ATELIER_TRY(CheckTrainRows(input));
  ATELIER_ASSIGN(hidden, HiddenLayers(input));
  ATELIER_TRY(CheckNormalisation(input, hidden));
  ATELIER_ASSIGN(size, ReadSize(input.settings));
  const bool image = input.family == "cnn" || HasImages(manifest);
  ATELIER_ASSIGN(shape, image ? ImageShape(size, manifest) : TableShape(size, manifest));

  ModelConfig config;
  config.family = input.family;
  config.task = std::string(Name(manifest.task));
  config.input_kind = image ? "image" : "table";
  config.input_shape = shape;
  config.outputs =
      manifest.task == data::Task::kClassification ? static_cast<int64_t>(manifest.Target()->categories.size()) : 1;
  if (config.outputs > kMaxUnits) {
    return Unfit("the target has more than " + std::to_string(kMaxUnits) + " classes");
  }
  ATELIER_ASSIGN(activation,
                 ActivationFromName(GetString(input.settings, "activation", "relu"), "settings.activation"));
  const HiddenDefaults defaults{activation, GetNumber(input.settings, "dropout"),
                                GetBool(input.settings, "batch_norm")};
  config.layers = CompleteLayers(hidden, defaults, shape, config.outputs);
  ATELIER_ASSIGN(plan, MakePlan(config));
  return config;
}

std::string ResolveLoss(const json::object& settings, std::string_view task) {
  const std::string loss = GetString(settings, "loss", "auto");
  if (loss != "auto") {
    return loss;
  }
  return task == "classification" ? "sparse_cross_entropy" : "mse";
}

Result<json::object> FitChain(const FitInput& input) {
  ATELIER_ASSIGN(config, MakeModelConfig(input));
  const std::string loss = ResolveLoss(input.settings, config.task);
  if (config.task == "regression" && loss != "mse") {
    return InvalidArgument("the loss '" + loss + "' is for classification; regression needs mse", "settings.loss");
  }
  ATELIER_ASSIGN(hidden, HiddenLayers(input));
  json::object settings = input.settings;
  settings["layers"] = ToJson(hidden);
  return settings;
}

}  // namespace atelier::families
