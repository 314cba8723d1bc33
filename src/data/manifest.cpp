#include "data/manifest.h"

#include <array>
#include <cmath>
#include <set>

#include "base/ids.h"
#include "base/json.h"
#include "storage/blob_json.h"

namespace atelier::data {
namespace {

constexpr std::array<std::string_view, 5> kTypeNames{"number", "category", "text", "image", "audio"};
constexpr std::array<std::string_view, 3> kTaskNames{"none", "classification", "regression"};
constexpr std::array<std::string_view, 3> kSplitNames{"train", "validation", "test"};
constexpr int64_t kMaxRows = int64_t{1} << 40U;
constexpr size_t kMaxItems = size_t{1} << 24U;

// The place of a name in a list; the list's size where it is none of them.
template <size_t N>
size_t IndexOf(const std::array<std::string_view, N>& names, std::string_view name) {
  size_t i = 0;
  while (i < N && names.at(i) != name) {
    ++i;
  }
  return i;
}

json::array Integers(const std::vector<int64_t>& values) { return json::array(values.begin(), values.end()); }

// JSON has no infinity; statistics of nothing are zero.
double Finite(double value) { return std::isfinite(value) ? value : 0; }

json::object ColumnJson(const Column& column) {
  json::object out;
  out.emplace("name", column.name);
  out.emplace("type", Name(column.type));
  out.emplace("shape", Integers(column.shape));
  if (column.type == ColumnType::kCategory) {
    out.emplace("categories", json::array(column.categories.begin(), column.categories.end()));
  }
  const ColumnStatistics& statistics = column.statistics;
  json::object numbers{{"missing", statistics.missing}};
  if (column.type == ColumnType::kCategory) {
    numbers.emplace("distinct", statistics.distinct);
    numbers.emplace("counts", Integers(statistics.counts));
  } else if (column.type == ColumnType::kNumber || !column.shape.empty()) {
    numbers.emplace("minimum", Finite(statistics.minimum));
    numbers.emplace("maximum", Finite(statistics.maximum));
    numbers.emplace("mean", Finite(statistics.mean));
    numbers.emplace("standard_deviation", Finite(statistics.standard_deviation));
  }
  out.emplace("statistics", std::move(numbers));
  return out;
}

Result<storage::BlobRef> ParseBlob(const json::object* object, const std::string& path) {
  if (object == nullptr) {
    return InvalidArgument("'" + path + "' is missing", path);
  }
  return storage::BlobRefFromJson(*object, path);
}

Result<std::vector<int64_t>> ParseIntegers(const json::array* array, const std::string& path) {
  std::vector<int64_t> out;
  if (array != nullptr) {
    for (const auto& item : *array) {
      if (!item.is_int64() || item.get_int64() < 0 || item.get_int64() > kMaxRows) {
        return InvalidArgument("'" + path + "' holds something that is no size", path);
      }
      out.push_back(item.get_int64());
    }
  }
  return out;
}

Result<ColumnStatistics> ParseStatistics(const json::object* object, const std::string& path) {
  ColumnStatistics out;
  if (object == nullptr) {
    return out;
  }
  Fields fields(*object, path);
  constexpr double kHuge = std::numeric_limits<double>::max();
  ATELIER_ASSIGN(missing, fields.IntOr("missing", 0, 0, kMaxRows));
  ATELIER_ASSIGN(distinct, fields.IntOr("distinct", 0, 0, kMaxRows));
  ATELIER_ASSIGN(minimum, fields.NumberOr("minimum", 0, -kHuge, kHuge));
  ATELIER_ASSIGN(maximum, fields.NumberOr("maximum", 0, -kHuge, kHuge));
  ATELIER_ASSIGN(mean, fields.NumberOr("mean", 0, -kHuge, kHuge));
  ATELIER_ASSIGN(deviation, fields.NumberOr("standard_deviation", 0, 0, kHuge));
  ATELIER_ASSIGN(counts_json, fields.ArrayOr("counts", kMaxItems));
  ATELIER_ASSIGN(counts, ParseIntegers(counts_json, path + ".counts"));
  out = {.missing = missing,
         .distinct = distinct,
         .minimum = minimum,
         .maximum = maximum,
         .mean = mean,
         .standard_deviation = deviation,
         .counts = std::move(counts)};
  return out;
}

Result<Column> ParseColumn(const json::object& object, const std::string& path) {
  Fields fields(object, path);
  Column column;
  ATELIER_ASSIGN(name, fields.String("name"));
  ATELIER_ASSIGN(type, fields.String("type"));
  const size_t index = IndexOf(kTypeNames, type);
  if (index == kTypeNames.size()) {
    return InvalidArgument("'" + path + ".type' is none of the known types", path);
  }
  ATELIER_ASSIGN(shape_json, fields.ArrayOr("shape", 16));
  ATELIER_ASSIGN(shape, ParseIntegers(shape_json, path + ".shape"));
  ATELIER_ASSIGN(categories, fields.StringsOr("categories", {}, kMaxItems));
  ATELIER_ASSIGN(statistics_json, fields.ObjectOr("statistics"));
  ATELIER_ASSIGN(statistics, ParseStatistics(statistics_json, path + ".statistics"));
  column.name = std::move(name);
  column.type = static_cast<ColumnType>(index);
  column.shape = std::move(shape);
  column.categories = std::move(categories);
  column.statistics = std::move(statistics);
  if (!column.statistics.counts.empty() && column.statistics.counts.size() != column.categories.size()) {
    return InvalidArgument("'" + path + "' has other counts than categories", path);
  }
  return column;
}

Status ParseColumns(Fields& fields, Manifest& manifest) {
  ATELIER_ASSIGN(columns, fields.ArrayOr("columns", kMaxItems));
  std::set<std::string> names;
  for (size_t i = 0; columns != nullptr && i < columns->size(); ++i) {
    const std::string path = "columns[" + std::to_string(i) + "]";
    const auto* object = (*columns)[i].if_object();
    if (object == nullptr) {
      return InvalidArgument("'" + path + "' is no object", path);
    }
    ATELIER_ASSIGN(column, ParseColumn(*object, path));
    if (!names.insert(column.name).second) {
      return InvalidArgument("column '" + column.name + "' occurs twice", path);
    }
    manifest.columns.push_back(std::move(column));
  }
  return {};
}

Status ParseShards(Fields& fields, Manifest& manifest) {
  ATELIER_ASSIGN(shards, fields.ArrayOr("shards", kMaxItems));
  int64_t rows = 0;
  for (size_t i = 0; shards != nullptr && i < shards->size(); ++i) {
    const std::string path = "shards[" + std::to_string(i) + "]";
    const auto* object = (*shards)[i].if_object();
    ATELIER_ASSIGN(blob, ParseBlob(object, path));
    Fields shard(*object, path);
    ATELIER_ASSIGN(count, shard.Int("rows", 1, kShardRows));
    manifest.shards.push_back({std::move(blob), count});
    rows += count;
  }
  return rows == manifest.rows() ? Status() : InvalidArgument("the shards hold other rows than the split");
}

Result<Manifest> Parse(const json::object& object) {
  Fields fields(object);
  Manifest manifest;
  ATELIER_ASSIGN(format, fields.String("format"));
  ATELIER_ASSIGN(target, fields.StringOr("target", ""));
  ATELIER_ASSIGN(task, fields.String("task"));
  const size_t task_index = IndexOf(kTaskNames, task);
  if (task_index == kTaskNames.size()) {
    return InvalidArgument("'task' is none of the known tasks", "task");
  }
  manifest.format = std::move(format);
  manifest.target = std::move(target);
  manifest.task = static_cast<Task>(task_index);
  ATELIER_TRY(ParseColumns(fields, manifest));
  if (manifest.task != Task::kNone && manifest.Target() == nullptr) {
    return InvalidArgument("'target' is no column", "target");
  }
  ATELIER_ASSIGN(rows_json, fields.ObjectOr("split_rows"));
  if (rows_json == nullptr) {
    return InvalidArgument("'split_rows' is missing", "split_rows");
  }
  Fields rows(*rows_json, "split_rows");
  for (size_t i = 0; i < kSplits; ++i) {
    ATELIER_ASSIGN(count, rows.Int(kSplitNames.at(i), 0, kMaxRows));
    manifest.split_rows[i] = count;
  }
  ATELIER_TRY(ParseShards(fields, manifest));
  ATELIER_ASSIGN(splits_json, fields.ObjectOr("splits"));
  ATELIER_ASSIGN(splits, ParseBlob(splits_json, "splits"));
  manifest.splits = std::move(splits);
  ATELIER_ASSIGN(lineage, fields.ObjectOr("lineage"));
  if (lineage != nullptr) {
    manifest.lineage = *lineage;
  }
  return manifest;
}

}  // namespace

const Column* Manifest::Find(std::string_view name) const {
  for (const auto& column : columns) {
    if (column.name == name) {
      return &column;
    }
  }
  return nullptr;
}

std::string_view Name(ColumnType type) { return kTypeNames.at(static_cast<size_t>(type)); }
std::string_view Name(Task task) { return kTaskNames.at(static_cast<size_t>(task)); }
std::string_view Name(Split split) { return kSplitNames.at(static_cast<size_t>(split)); }

Result<Split> SplitFromName(std::string_view name) {
  const size_t index = IndexOf(kSplitNames, name);
  if (index == kSplitNames.size()) {
    return InvalidArgument("a split is train, validation or test, not '" + std::string(name) + "'", "split");
  }
  return static_cast<Split>(index);
}

boost::json::object ToJson(const Manifest& manifest) {
  json::object out;
  out.emplace("format", manifest.format);
  out.emplace("target", manifest.target);
  out.emplace("task", Name(manifest.task));
  json::array columns;
  for (const auto& column : manifest.columns) {
    columns.emplace_back(ColumnJson(column));
  }
  out.emplace("columns", std::move(columns));
  json::array shards;
  for (const auto& shard : manifest.shards) {
    json::object item = storage::ToJson(shard.blob);
    item.emplace("rows", shard.rows);
    shards.emplace_back(std::move(item));
  }
  out.emplace("shards", std::move(shards));
  out.emplace("splits", storage::ToJson(manifest.splits));
  json::object rows;
  for (size_t i = 0; i < kSplits; ++i) {
    rows.emplace(kSplitNames.at(i), manifest.split_rows[i]);
  }
  out.emplace("split_rows", std::move(rows));
  if (!manifest.lineage.empty()) {
    out.emplace("lineage", manifest.lineage);
  }
  return out;
}

Result<Manifest> ManifestFromJson(const boost::json::value& value) {
  if (!value.is_object()) {
    return DataLoss("the manifest is no object");
  }
  auto manifest = Parse(value.get_object());
  if (!manifest.ok()) {
    return DataLoss("the manifest is damaged: " + manifest.error().message);
  }
  return manifest;
}

Result<Manifest> LoadManifest(storage::BlobStore& blobs, std::string_view sha256) {
  ATELIER_ASSIGN(text, storage::ReadAll(blobs, sha256, kMaxManifestBytes));
  auto value = ParseJson(text, {.max_bytes = kMaxManifestBytes, .max_depth = 16});
  if (!value.ok()) {
    return DataLoss("the manifest is damaged: " + value.error().message);
  }
  return ManifestFromJson(*value);
}

}  // namespace atelier::data
