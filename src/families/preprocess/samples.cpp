#include "families/preprocess/samples.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <map>

#include "families/sequential/network.h"
#include "media/image.h"

namespace atelier::families {
namespace {

Error Unfit(std::string message) { return InvalidArgument(std::move(message), "dataset", "dataset_unsuitable"); }

// The tensors of one column over all shards, addressed by global row.
class ColumnRows {
 public:
  static Result<ColumnRows> Open(const data::Reader& reader, const std::string& column, tensor::DataType type) {
    ColumnRows rows;
    ATELIER_ASSIGN(views, reader.Tensors(column));
    const auto& shards = reader.manifest().shards;
    if (views.size() != shards.size()) {
      return DataLoss("the column '" + column + "' is missing from a shard");
    }
    int64_t first = 0;
    for (size_t i = 0; i < views.size(); ++i) {
      const auto count = static_cast<uint64_t>(std::max<int64_t>(shards[i].rows, 1));
      if (views[i].type != type || views[i].shape.empty() || views[i].shape[0] != shards[i].rows) {
        return DataLoss("the column '" + column + "' does not have the type and rows of its manifest");
      }
      rows.bytes_a_row_ = views[i].bytes.size() / count;
      first += shards[i].rows;
      rows.ends_.push_back(first);
    }
    rows.views_ = std::move(views);
    return rows;
  }

  size_t bytes_a_row() const { return bytes_a_row_; }
  const std::byte* At(int64_t row) const {
    const auto shard = static_cast<size_t>(std::upper_bound(ends_.begin(), ends_.end(), row) - ends_.begin());
    const int64_t first = shard == 0 ? 0 : ends_[shard - 1];
    return views_[shard].bytes.data() + static_cast<size_t>(row - first) * bytes_a_row_;
  }
  template <class T>
  T Value(int64_t row) const {
    T value;
    std::memcpy(&value, At(row), sizeof(T));
    return value;
  }

 private:
  std::vector<tensor::View> views_;
  std::vector<int64_t> ends_;  // first row after each shard
  size_t bytes_a_row_ = 0;
};

Result<const data::Column*> FindColumn(const data::Manifest& manifest, const std::string& name, data::ColumnType type) {
  const data::Column* column = manifest.Find(name);
  if (column == nullptr) {
    return Unfit("the data set has no column '" + name + "', which the model needs");
  }
  if (column->type != type) {
    return Unfit("the column '" + name + "' is " + std::string(Name(column->type)) + ", the model needs " +
                 std::string(Name(type)));
  }
  return column;
}

// Index in the data set's categories -> index in the model's, -1 where the model does not know it.
std::vector<int64_t> MapCategories(const std::vector<std::string>& from, const std::vector<std::string>& to) {
  std::map<std::string_view, int64_t> known;
  for (size_t i = 0; i < to.size(); ++i) {
    known.emplace(to[i], static_cast<int64_t>(i));
  }
  std::vector<int64_t> map;
  for (const auto& name : from) {
    const auto found = known.find(name);
    map.push_back(found == known.end() ? -1 : found->second);
  }
  return map;
}

// Keeps the rows whose target is present, and their targets.
Status LoadClasses(const data::Reader& reader, std::span<const int64_t> rows, const TargetInfo& target,
                   std::vector<int64_t>& kept, Samples& samples) {
  ATELIER_ASSIGN(column, FindColumn(reader.manifest(), target.name, data::ColumnType::kCategory));
  ATELIER_ASSIGN(values, ColumnRows::Open(reader, target.name, tensor::DataType::kI32));
  const auto map = MapCategories(column->categories, target.labels);
  std::vector<int64_t> classes;
  for (const int64_t row : rows) {
    const auto index = values.Value<int32_t>(row);
    if (index < 0) {
      continue;
    }
    if (static_cast<size_t>(index) >= map.size()) {
      return DataLoss("row " + std::to_string(row + 1) + " has a category that its manifest does not list");
    }
    if (map[static_cast<size_t>(index)] < 0) {
      return Unfit("the model does not know the label '" + column->categories[static_cast<size_t>(index)] +
                   "' of row " + std::to_string(row + 1));
    }
    kept.push_back(row);
    classes.push_back(map[static_cast<size_t>(index)]);
  }
  samples.targets = torch::tensor(classes, torch::kInt64);
  return {};
}

Status LoadValues(const data::Reader& reader, std::span<const int64_t> rows, const TargetInfo& target,
                  std::vector<int64_t>& kept, Samples& samples) {
  ATELIER_ASSIGN(column, FindColumn(reader.manifest(), target.name, data::ColumnType::kNumber));
  if (!column->shape.empty()) {
    return Unfit("the target '" + target.name + "' is not a single number");
  }
  ATELIER_ASSIGN(values, ColumnRows::Open(reader, target.name, tensor::DataType::kF32));
  std::vector<float> numbers;
  for (const int64_t row : rows) {
    const auto value = values.Value<float>(row);
    if (std::isfinite(value)) {
      kept.push_back(row);
      numbers.push_back(value);
    }
  }
  samples.targets = torch::tensor(numbers, torch::kFloat32);
  return {};
}

Status LoadRawImages(const data::Reader& reader, std::span<const int64_t> rows, const ImageInput& image,
                     torch::Tensor& out) {
  ATELIER_ASSIGN(values, ColumnRows::Open(reader, image.column, tensor::DataType::kU8));
  const auto size = static_cast<size_t>(out.numel() / std::max<int64_t>(out.size(0), 1));
  if (!rows.empty() && values.bytes_a_row() != size) {
    return DataLoss("the pictures of '" + image.column + "' do not have the shape of their manifest");
  }
  auto* target = out.data_ptr<uint8_t>();
  for (const int64_t row : rows) {
    std::memcpy(target, values.At(row), size);
    target += size;
  }
  return {};
}

Status LoadEncodedImages(const data::Reader& reader, std::span<const int64_t> rows, const ImageInput& image,
                         torch::Tensor& out) {
  auto* target = out.data_ptr<uint8_t>();
  for (const int64_t row : rows) {
    ATELIER_ASSIGN(bytes, reader.Bytes(image.column, row));
    auto decoded = media::Decode(bytes, image.shape[0], image.shape[1], image.shape[2]);
    if (!decoded.ok()) {
      return Unfit("the picture in row " + std::to_string(row + 1) + ": " + decoded.error().message);
    }
    target = std::copy(decoded->pixels.begin(), decoded->pixels.end(), target);
  }
  return {};
}

Status LoadImages(const data::Reader& reader, std::span<const int64_t> rows, const ImageInput& image,
                  Samples& samples) {
  ATELIER_ASSIGN(column, FindColumn(reader.manifest(), image.column, data::ColumnType::kImage));
  std::vector<int64_t> shape{static_cast<int64_t>(rows.size())};
  shape.insert(shape.end(), image.shape.begin(), image.shape.end());
  samples.inputs = torch::empty(shape, torch::kUInt8);
  if (column->shape.empty()) {
    return LoadEncodedImages(reader, rows, image, samples.inputs);
  }
  if (column->shape != image.shape) {
    return Unfit("the pictures are " + ShapeText(column->shape) + ", the model takes " + ShapeText(image.shape));
  }
  return LoadRawImages(reader, rows, image, samples.inputs);
}

Status LoadCategory(const data::Reader& reader, std::span<const int64_t> rows, const TableField& field,
                    torch::Tensor out) {  // out: F32 [rows, width], zeros
  ATELIER_ASSIGN(column, FindColumn(reader.manifest(), field.name, data::ColumnType::kCategory));
  ATELIER_ASSIGN(values, ColumnRows::Open(reader, field.name, tensor::DataType::kI32));
  const auto map = MapCategories(column->categories, field.categories);
  auto* data = out.data_ptr<float>();
  const int64_t stride = out.stride(0);
  for (size_t i = 0; i < rows.size(); ++i) {
    const auto index = values.Value<int32_t>(rows[i]);
    if (index >= 0 && static_cast<size_t>(index) < map.size() && map[static_cast<size_t>(index)] >= 0) {
      data[static_cast<int64_t>(i) * stride + map[static_cast<size_t>(index)]] = 1.0F;
    }
  }
  return {};
}

Status LoadNumber(const data::Reader& reader, std::span<const int64_t> rows, const TableField& field,
                  torch::Tensor out) {
  ATELIER_ASSIGN(column, FindColumn(reader.manifest(), field.name, data::ColumnType::kNumber));
  if (column->shape != field.shape) {
    return Unfit("the column '" + field.name + "' has the shape " + ShapeText(column->shape) + ", the model takes " +
                 ShapeText(field.shape));
  }
  ATELIER_ASSIGN(values, ColumnRows::Open(reader, field.name, tensor::DataType::kF32));
  const auto size = static_cast<size_t>(field.width()) * sizeof(float);
  if (!rows.empty() && values.bytes_a_row() != size) {
    return DataLoss("the column '" + field.name + "' does not have the shape of its manifest");
  }
  auto* data = out.data_ptr<float>();
  for (size_t i = 0; i < rows.size(); ++i) {
    std::memcpy(data + static_cast<int64_t>(i) * out.stride(0), values.At(rows[i]), size);
  }
  return {};
}

Status LoadTable(const data::Reader& reader, std::span<const int64_t> rows, const TableInput& table, Samples& samples) {
  int64_t width = 0;
  for (const auto& field : table.fields) {
    width += field.width();
  }
  samples.inputs = torch::zeros({static_cast<int64_t>(rows.size()), width}, torch::kFloat32);
  int64_t first = 0;
  for (const auto& field : table.fields) {
    const auto part = samples.inputs.narrow(1, first, field.width());
    ATELIER_TRY(field.category ? LoadCategory(reader, rows, field, part) : LoadNumber(reader, rows, field, part));
    first += field.width();
  }
  return {};
}

struct Moments {
  double mean = 0;
  double std = 1;
  bool constant = true;
};

// Two passes in double, over finite values only.
template <class T>
Moments MomentsOf(const T* values, int64_t count, int64_t stride) {
  double sum = 0;
  int64_t finite = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(values[i * stride]);
    if (std::isfinite(value)) {
      sum += value;
      ++finite;
    }
  }
  Moments moments;
  if (finite == 0) {
    return moments;
  }
  moments.mean = sum / static_cast<double>(finite);
  double squares = 0;
  for (int64_t i = 0; i < count; ++i) {
    const auto value = static_cast<double>(values[i * stride]);
    squares += std::isfinite(value) ? (value - moments.mean) * (value - moments.mean) : 0;
  }
  const double std = std::sqrt(squares / static_cast<double>(finite));
  moments.constant = !(std > 1e-9 * std::abs(moments.mean) && std > 1e-30);
  moments.std = moments.constant ? 1 : std;
  return moments;
}

// Exact: sums of pixels and of their squares are integers.
void FitImage(const Samples& train, ImageInput& image) {
  const int64_t area = image.shape[1] * image.shape[2];
  const auto* pixels = train.inputs.data_ptr<uint8_t>();
  image.mean.clear();
  image.std.clear();
  for (int64_t channel = 0; channel < image.shape[0]; ++channel) {
    uint64_t sum = 0;
    uint64_t squares = 0;
    for (int64_t row = 0; row < train.rows(); ++row) {
      const uint8_t* at = pixels + (row * image.shape[0] + channel) * area;
      uint64_t row_sum = 0;
      uint64_t row_squares = 0;
      for (int64_t i = 0; i < area; ++i) {
        row_sum += at[i];
        row_squares += static_cast<uint32_t>(at[i]) * at[i];
      }
      sum += row_sum;
      squares += row_squares;
    }
    const double count = static_cast<double>(train.rows()) * static_cast<double>(area);
    const double mean = static_cast<double>(sum) / count;
    const double variance = std::max(0.0, static_cast<double>(squares) / count - mean * mean);
    image.mean.push_back(mean / 255.0);
    image.std.push_back(variance > 1e-6 ? std::sqrt(variance) / 255.0 : 1.0);
  }
}

void FitTable(const Samples& train, TableInput& table) {
  int64_t first = 0;
  for (auto& field : table.fields) {
    field.mean.clear();
    field.std.clear();
    for (int64_t i = 0; !field.category && i < field.width(); ++i) {
      const auto moments = MomentsOf(train.inputs.data_ptr<float>() + first + i, train.rows(), train.inputs.stride(0));
      field.mean.push_back(moments.mean);
      field.std.push_back(moments.std);
    }
    first += field.width();
  }
}

}  // namespace

Result<Preprocessor> MakePreprocessor(const data::Manifest& manifest, const ModelConfig& config) {
  Preprocessor preprocessor;
  const data::Column* target = manifest.Target();
  if (target == nullptr) {
    return Unfit("the data set has no target");
  }
  preprocessor.target.name = target->name;
  if (config.task == "classification") {
    preprocessor.target.labels = target->categories;
  }
  TableInput table;
  for (const auto& column : manifest.columns) {
    if (config.input_kind == "image" && column.type == data::ColumnType::kImage) {
      const auto channels = static_cast<size_t>(config.input_shape[0]);
      preprocessor.input = ImageInput{column.name, config.input_shape, std::vector<double>(channels, 0.0),
                                      std::vector<double>(channels, 1.0)};
      return preprocessor;
    }
    if (&column != target) {
      const bool category = column.type == data::ColumnType::kCategory;
      TableField field{.name = column.name,
                       .category = category,
                       .categories = column.categories,
                       .shape = column.shape,
                       .mean = {},
                       .std = {}};
      field.mean.assign(category ? 0 : static_cast<size_t>(field.width()), 0.0);
      field.std.assign(field.mean.size(), 1.0);
      table.fields.push_back(std::move(field));
    }
  }
  preprocessor.input = std::move(table);
  return preprocessor;
}

Result<Samples> LoadSamples(const data::Reader& reader, std::span<const int64_t> rows,
                            const Preprocessor& preprocessor) {
  Samples samples;
  ATELIER_TRY(CatchTorch([&]() -> Status {
    std::vector<int64_t> kept;
    kept.reserve(rows.size());
    const TargetInfo& target = preprocessor.target;
    ATELIER_TRY(target.labels.empty() ? LoadValues(reader, rows, target, kept, samples)
                                      : LoadClasses(reader, rows, target, kept, samples));
    samples.dropped = static_cast<int64_t>(rows.size() - kept.size());
    samples.row_numbers = kept;
    if (const auto* image = std::get_if<ImageInput>(&preprocessor.input)) {
      return LoadImages(reader, kept, *image, samples);
    }
    return LoadTable(reader, kept, std::get<TableInput>(preprocessor.input), samples);
  }));
  return samples;
}

Status FitStatistics(const Samples& train, Preprocessor& preprocessor) {
  if (train.rows() == 0) {
    return Unfit("no training row has a target");
  }
  if (auto* image = std::get_if<ImageInput>(&preprocessor.input)) {
    FitImage(train, *image);
  } else {
    FitTable(train, std::get<TableInput>(preprocessor.input));
  }
  if (!preprocessor.target.labels.empty()) {
    const auto* classes = train.targets.data_ptr<int64_t>();
    if (std::all_of(classes, classes + train.rows(), [&](int64_t c) { return c == classes[0]; })) {
      return Unfit("every training row has the class '" + preprocessor.target.labels[static_cast<size_t>(classes[0])] +
                   "': there is nothing to learn");
    }
    return {};
  }
  const auto moments = MomentsOf(train.targets.data_ptr<float>(), train.rows(), 1);
  if (moments.constant) {
    return Unfit("the target '" + preprocessor.target.name +
                 "' is the same in every training row: there is nothing to learn");
  }
  preprocessor.target.mean = moments.mean;
  preprocessor.target.std = moments.std;
  return {};
}

torch::Tensor GatherInputs(const Samples& samples, const Affine& affine, std::span<const int64_t> indices) {
  auto shape = samples.inputs.sizes().vec();
  shape[0] = static_cast<int64_t>(indices.size());
  auto out = torch::empty(shape, torch::kFloat32);
  const int64_t size = affine.values();
  const int64_t rows_a_task = std::max<int64_t>(1, 65536 / std::max<int64_t>(size, 1));
  auto* target = out.data_ptr<float>();
  const bool bytes = samples.inputs.scalar_type() == torch::kUInt8;
  const auto* pixels = bytes ? samples.inputs.data_ptr<uint8_t>() : nullptr;
  const auto* numbers = bytes ? nullptr : samples.inputs.data_ptr<float>();
  at::parallel_for(0, shape[0], rows_a_task, [&](int64_t begin, int64_t end) {
    for (int64_t i = begin; i < end; ++i) {
      const int64_t row = indices[static_cast<size_t>(i)];
      bytes ? Scale(affine, pixels + row * size, target + i * size)
            : Scale(affine, numbers + row * size, target + i * size);
    }
  });
  return out;
}

torch::Tensor GatherTargets(const Samples& samples, const TargetInfo& target, std::span<const int64_t> indices) {
  const auto count = static_cast<int64_t>(indices.size());
  if (!target.labels.empty()) {
    auto out = torch::empty({count}, torch::kInt64);
    const auto* from = samples.targets.data_ptr<int64_t>();
    std::ranges::transform(indices, out.data_ptr<int64_t>(), [&](int64_t i) { return from[i]; });
    return out;
  }
  auto out = torch::empty({count, 1}, torch::kFloat32);
  const auto* from = samples.targets.data_ptr<float>();
  std::ranges::transform(indices, out.data_ptr<float>(), [&](int64_t i) {
    return static_cast<float>((static_cast<double>(from[i]) - target.mean) / target.std);
  });
  return out;
}

}  // namespace atelier::families
