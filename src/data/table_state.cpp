// Keeping a half-built table across a restart.
#include "base/json.h"
#include "data/table_builder.h"
#include "storage/blob_json.h"

namespace atelier::data {
namespace {

template <size_t N>
json::array ToArray(const std::array<int64_t, N>& values) {
  return json::array(values.begin(), values.end());
}

template <size_t N>
bool FromArray(const json::object& object, std::string_view key, std::array<int64_t, N>& out) {
  const json::value* value = object.if_contains(key);
  const json::array* list = value == nullptr ? nullptr : value->if_array();
  if (list == nullptr || list->size() != N) {
    return false;
  }
  for (size_t i = 0; i < N; ++i) {
    if (!(*list)[i].is_int64()) {
      return false;
    }
    out.at(i) = (*list)[i].get_int64();
  }
  return true;
}

Error Damaged() { return DataLoss("the job's checkpoint is damaged"); }

Result<std::vector<Shard>> ReadShards(const json::object& saved) {
  Fields fields(saved);
  ATELIER_ASSIGN(list, fields.ArrayOr("shards", size_t{1} << 24U));
  std::vector<Shard> shards;
  for (size_t i = 0; list != nullptr && i < list->size(); ++i) {
    const json::object* item = (*list)[i].if_object();
    if (item == nullptr) {
      return Damaged();
    }
    ATELIER_ASSIGN(blob, storage::BlobRefFromJson(*item, "shards"));
    shards.push_back({std::move(blob), GetInt(*item, "rows")});
  }
  return shards;
}

}  // namespace

json::object TableBuilder::Save() const {
  json::array shards;
  for (const Shard& shard : manifest_.shards) {
    json::object item = storage::ToJson(shard.blob);
    item["rows"] = shard.rows;
    shards.push_back(std::move(item));
  }
  json::array columns;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const ColumnStatistics& statistics = manifest_.columns[i].statistics;
    json::object item{{"missing", statistics.missing}};
    if (manifest_.columns[i].type == ColumnType::kCategory) {
      item["counts"] = json::array(statistics.counts.begin(), statistics.counts.end());
    } else if (manifest_.columns[i].type == ColumnType::kNumber) {
      item["moments"] = ToArray(buffers_[i].moments.Save());
    } else if (manifest_.columns[i].type == ColumnType::kImage) {
      item["pixels"] = ToArray(buffers_[i].pixels.Save());
    }
    columns.push_back(std::move(item));
  }
  json::array warnings(warnings_.begin(), warnings_.end());
  return {{"shards", std::move(shards)}, {"columns", std::move(columns)}, {"warnings", std::move(warnings)}};
}

Status TableBuilder::Restore(Manifest schema, const json::object& saved, std::vector<uint8_t> given) {
  ATELIER_TRY(Begin(std::move(schema)));
  ATELIER_ASSIGN(shards, ReadShards(saved));
  int64_t rows = 0;
  for (const Shard& shard : shards) {
    ATELIER_TRY(blobs_.Size(shard.blob.sha256));
    rows += shard.rows;
  }
  const json::value* columns = saved.if_contains("columns");
  if (rows != static_cast<int64_t>(given.size()) || columns == nullptr || !columns->is_array() ||
      columns->get_array().size() != buffers_.size()) {
    return Damaged();
  }
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const json::object* item = columns->get_array()[i].if_object();
    Column& column = manifest_.columns[i];
    std::array<int64_t, 5> moments{};
    std::array<int64_t, 256> pixels{};
    bool good = item != nullptr;
    if (good && column.type == ColumnType::kCategory) {
      ATELIER_ASSIGN(counts, Fields(*item).ArrayOr("counts", size_t{1} << 24U));
      good = counts != nullptr && counts->size() == column.categories.size();
      for (size_t label = 0; good && label < counts->size(); ++label) {
        column.statistics.counts[label] = (*counts)[label].is_int64() ? (*counts)[label].get_int64() : 0;
      }
    } else if (good && column.type == ColumnType::kNumber) {
      good = FromArray(*item, "moments", moments);
      buffers_[i].moments.Restore(moments);
    } else if (good && column.type == ColumnType::kImage) {
      good = FromArray(*item, "pixels", pixels);
      buffers_[i].pixels.Restore(pixels);
    }
    if (!good) {
      return Damaged();
    }
    column.statistics.missing = GetInt(*item, "missing");
  }
  Fields fields(saved);
  ATELIER_ASSIGN(warnings, fields.StringsOr("warnings", {}, 1000));
  warnings_ = std::move(warnings);
  manifest_.shards = std::move(shards);
  given_ = std::move(given);
  return {};
}

}  // namespace atelier::data
