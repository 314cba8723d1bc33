// Whether settings, family and data set fit together.
#include <algorithm>

#include "families/spec/families.h"
#include "learning/spec/train_settings.h"

namespace atelier::learning {
namespace {

constexpr int64_t kDefaultSide = 64;  // of pictures whose sizes differ

Error Unfit(std::string message, std::string param = "dataset") {
  return InvalidArgument(std::move(message), std::move(param), "dataset_unsuitable");
}

Status CheckClasses(const data::Column& target) {
  if (target.type != data::ColumnType::kCategory) {
    return Unfit("classification needs a category as target, but '" + target.name + "' is a " +
                 std::string(Name(target.type)) + " column");
  }
  if (target.categories.size() < 2) {
    return Unfit("classification needs at least 2 classes, but the target '" + target.name + "' has " +
                 (target.categories.empty() ? "none" : "only '" + target.categories[0] + "'"));
  }
  const auto& counts = target.statistics.counts;
  if (!counts.empty() && std::ranges::count_if(counts, [](int64_t count) { return count > 0; }) < 2) {
    return Unfit("the target '" + target.name + "' has the same class in every row: there is nothing to learn");
  }
  return {};
}

Status CheckTarget(const data::Manifest& manifest) {
  if (manifest.task == data::Task::kNone || manifest.target.empty()) {
    return Unfit("the data set has no target to learn; import it with a target column");
  }
  const data::Column* target = manifest.Target();
  if (target == nullptr) {
    return Unfit("the target column '" + manifest.target + "' is not in the data set");
  }
  if (manifest.rows() > 0 && target->statistics.missing >= manifest.rows()) {
    return Unfit("every value of the target '" + target->name + "' is missing");
  }
  if (manifest.task == data::Task::kClassification) {
    return CheckClasses(*target);
  }
  if (target->type != data::ColumnType::kNumber || !target->shape.empty()) {
    return Unfit("regression needs a number as target, but '" + target->name + "' is no single number");
  }
  if (target->statistics.minimum == target->statistics.maximum) {
    return Unfit("the target '" + target->name + "' is the same in every row: there is nothing to learn");
  }
  return {};
}

Result<std::vector<int64_t>> ImageShape(const TrainSettings& settings, const data::Manifest& manifest) {
  ATELIER_ASSIGN(column, ImageColumn(manifest));
  const bool raw = column->shape.size() == 3;
  if (!raw) {
    const bool sized = !settings.input_size.empty();
    return std::vector<int64_t>{settings.channels == 0 ? 3 : settings.channels,
                                sized ? settings.input_size[0] : kDefaultSide,
                                sized ? settings.input_size[1] : kDefaultSide};
  }
  if (settings.channels != 0 && settings.channels != column->shape[0]) {
    return Unfit(
        "the pictures of the data set have " + std::to_string(column->shape[0]) + " channel(s); leave 'channels' out",
        "settings.channels");
  }
  if (!settings.input_size.empty() &&
      (settings.input_size[0] != column->shape[1] || settings.input_size[1] != column->shape[2])) {
    return Unfit(
        "the data set holds raw pictures of " + families::ShapeText(column->shape) + "; leave 'input_size' out",
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
    width = size > 0 && width <= families::kMaxActivations / size ? width * size : families::kMaxActivations + 1;
  }
  return width;
}

Result<std::vector<int64_t>> TableShape(const TrainSettings& settings, const data::Manifest& manifest) {
  if (!settings.input_size.empty() || settings.channels != 0) {
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

Status CheckRows(const TrainSettings& settings, const data::Manifest& manifest) {
  const int64_t train = manifest.split_rows[static_cast<size_t>(data::Split::kTrain)];
  if (train <= 0) {
    return Unfit("the data set has no rows for training; give it a split with a train part");
  }
  const int64_t validation = manifest.split_rows[static_cast<size_t>(data::Split::kValidation)];
  if (validation == 0 && settings.validation > 0 && train < 2) {
    return Unfit("one training row cannot be divided into training and validation", "settings.validation");
  }
  const bool normalised = settings.batch_norm || std::ranges::any_of(settings.layers, [](const auto& layer) {
                            return layer.kind == families::LayerKind::kBatchNorm;
                          });
  if (normalised && (train < 2 || settings.batch_size < 2)) {
    return Unfit("batch normalisation needs at least 2 rows in a batch", "settings.batch_norm");
  }
  return {};
}

}  // namespace

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

Result<families::ModelConfig> MakeModelConfig(const std::string& family, const TrainSettings& settings,
                                              const data::Manifest& manifest) {
  ATELIER_ASSIGN(row, families::FindFamily(family));
  ATELIER_TRY(CheckTarget(manifest));
  ATELIER_TRY(CheckRows(settings, manifest));
  const bool image = row->takes_images && (!row->takes_tables || HasImages(manifest));
  ATELIER_ASSIGN(shape, image ? ImageShape(settings, manifest) : TableShape(settings, manifest));

  families::ModelConfig config;
  config.family = family;
  config.task = std::string(Name(manifest.task));
  config.input_kind = image ? "image" : "table";
  config.input_shape = shape;
  config.outputs =
      manifest.task == data::Task::kClassification ? static_cast<int64_t>(manifest.Target()->categories.size()) : 1;
  if (config.outputs > families::kMaxUnits) {
    return Unfit("the target has more than " + std::to_string(families::kMaxUnits) + " classes");
  }
  ATELIER_ASSIGN(activation, families::ActivationFromName(settings.activation, "settings.activation"));
  const families::HiddenDefaults defaults{activation, settings.dropout, settings.batch_norm};
  config.layers = families::CompleteLayers(settings.layers, defaults, shape, config.outputs);
  ATELIER_ASSIGN(plan, families::MakePlan(config));
  return config;
}

std::string ResolveLoss(const TrainSettings& settings, const std::string& task) {
  if (settings.loss != "auto") {
    return settings.loss;
  }
  return task == "classification" ? "sparse_cross_entropy" : "mse";
}

Result<boost::json::object> MakeTrainSettings(const std::string& family, const boost::json::object& user,
                                              const data::Manifest& manifest) {
  ATELIER_ASSIGN(settings, TrainSettingsFromJson(family, user));
  ATELIER_ASSIGN(config, MakeModelConfig(family, settings, manifest));
  if (config.task == "regression" && ResolveLoss(settings, config.task) != "mse") {
    return InvalidArgument("the loss '" + settings.loss + "' is for classification; regression needs mse",
                           "settings.loss");
  }
  return ToJson(settings);
}

}  // namespace atelier::learning
