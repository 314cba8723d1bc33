#include "data/table_builder.h"

#include <cstring>
#include <map>
#include <set>

#include "base/json.h"
#include "data/splitter.h"
#include "tensor/safetensors.h"

namespace atelier::data {
namespace {

using tensor::DataType;
using tensor::View;

constexpr uint64_t kShardBytes = 64ULL << 20U;
constexpr size_t kMaxWarnings = 100;

Status CheckNames(const std::vector<Column>& columns) {
  std::set<std::string> names{"__metadata__"};
  for (const auto& column : columns) {
    const bool fresh = HoldsFiles(column) ? names.insert(column.name + ".bytes").second &&
                                                names.insert(column.name + ".offsets").second
                                          : names.insert(column.name).second;
    if (!fresh) {
      return InvalidArgument("column '" + column.name + "' has a name that is taken by another column or by the format",
                             column.name);
    }
  }
  return {};
}

template <class T>
View ViewOf(DataType type, std::vector<int64_t> shape, const std::vector<T>& values) {
  return {type, std::move(shape), std::as_bytes(std::span(values))};
}

Result<storage::BlobRef> WriteShard(storage::BlobStore& blobs, const std::map<std::string, View>& tensors) {
  ATELIER_ASSIGN(writer, blobs.Create());
  ATELIER_TRY(
      tensor::WriteSafetensors(tensors, {}, [&](std::span<const std::byte> bytes) { return writer->Append(bytes); }));
  return writer->Commit();
}

}  // namespace

Status TableBuilder::Begin(Manifest schema) {
  if (schema.columns.empty()) {
    return InvalidArgument("the data has no columns");
  }
  ATELIER_TRY(CheckNames(schema.columns));
  manifest_ = std::move(schema);
  buffers_ = std::vector<Buffer>(manifest_.columns.size());
  given_.clear();
  for (Column& column : manifest_.columns) {
    column.statistics = {};
    column.statistics.counts.assign(column.categories.size(), 0);
  }
  const Column* target = manifest_.Target();
  stratified_ = options_.stratify && target != nullptr && target->type == ColumnType::kCategory;
  return {};
}

void TableBuilder::SetNumber(size_t column, double value) {
  Buffer& buffer = buffers_[column];
  buffer.numbers.push_back(static_cast<float>(value));
  ++buffer.rows;
  if (std::isnan(value)) {
    ++manifest_.columns[column].statistics.missing;
  } else {
    buffer.moments.Add(value);
  }
  buffered_bytes_ += sizeof(float);
}

void TableBuilder::SetNumbers(size_t column, std::span<const float> values) {
  Buffer& buffer = buffers_[column];
  buffer.numbers.insert(buffer.numbers.end(), values.begin(), values.end());
  ++buffer.rows;
  bool missing = false;
  for (const float value : values) {
    if (std::isnan(value)) {
      missing = true;
    } else {
      buffer.moments.Add(value);
    }
  }
  manifest_.columns[column].statistics.missing += missing ? 1 : 0;
  buffered_bytes_ += values.size_bytes();
}

void TableBuilder::SetCategory(size_t column, int32_t index) {
  Buffer& buffer = buffers_[column];
  buffer.codes.push_back(index);
  ++buffer.rows;
  ColumnStatistics& statistics = manifest_.columns[column].statistics;
  if (index < 0) {
    ++statistics.missing;
  } else {
    ++statistics.counts[static_cast<size_t>(index)];
  }
  buffered_bytes_ += sizeof(int32_t);
}

void TableBuilder::SetBytes(size_t column, std::string_view bytes, bool missing) {
  Buffer& buffer = buffers_[column];
  buffer.bytes.insert(buffer.bytes.end(), bytes.begin(), bytes.end());
  buffer.offsets.push_back(static_cast<int64_t>(buffer.bytes.size()));
  ++buffer.rows;
  manifest_.columns[column].statistics.missing += missing ? 1 : 0;
  buffered_bytes_ += bytes.size() + sizeof(int64_t);
}

void TableBuilder::SetPixels(size_t column, std::span<const uint8_t> pixels) {
  Buffer& buffer = buffers_[column];
  buffer.bytes.insert(buffer.bytes.end(), pixels.begin(), pixels.end());
  ++buffer.rows;
  buffer.pixels.Add(pixels);
  buffered_bytes_ += pixels.size();
}

Status TableBuilder::EndRow(std::optional<Split> split) {
  ++buffered_rows_;
  for (const Buffer& buffer : buffers_) {
    if (buffer.rows != buffered_rows_) {
      return Internal("a row lacks a column, or has one twice");
    }
  }
  given_.push_back(split ? static_cast<uint8_t>(*split) : kUnassigned);
  if (buffered_rows_ < kShardRows && buffered_bytes_ < kShardBytes) {
    return {};
  }
  ATELIER_TRY(Flush());
  return on_shard_ ? on_shard_() : Status();
}

Status TableBuilder::Flush() {
  if (buffered_rows_ == 0) {
    return {};
  }
  std::map<std::string, View> tensors;
  for (size_t i = 0; i < buffers_.size(); ++i) {
    const Column& column = manifest_.columns[i];
    const Buffer& buffer = buffers_[i];
    std::vector<int64_t> shape{buffered_rows_};
    shape.insert(shape.end(), column.shape.begin(), column.shape.end());
    if (HoldsFiles(column)) {
      tensors[column.name + ".bytes"] =
          ViewOf(DataType::kU8, {static_cast<int64_t>(buffer.bytes.size())}, buffer.bytes);
      tensors[column.name + ".offsets"] = ViewOf(DataType::kI64, {buffered_rows_ + 1}, buffer.offsets);
    } else if (column.type == ColumnType::kImage) {
      tensors[column.name] = ViewOf(DataType::kU8, shape, buffer.bytes);
    } else if (column.type == ColumnType::kCategory) {
      tensors[column.name] = ViewOf(DataType::kI32, shape, buffer.codes);
    } else {
      tensors[column.name] = ViewOf(DataType::kF32, shape, buffer.numbers);
    }
  }
  ATELIER_ASSIGN(blob, WriteShard(blobs_, tensors));
  manifest_.shards.push_back({std::move(blob), buffered_rows_});
  for (Buffer& buffer : buffers_) {  // clear keeps the memory for the next shard
    buffer.numbers.clear();
    buffer.codes.clear();
    buffer.bytes.clear();
    buffer.offsets.resize(1);
    buffer.rows = 0;
  }
  buffered_rows_ = 0;
  buffered_bytes_ = 0;
  return {};
}

void TableBuilder::Warn(std::string warning) {
  if (warnings_.size() < kMaxWarnings) {
    warnings_.push_back(std::move(warning));
  }
}

void TableBuilder::FinishStatistics() {
  for (size_t i = 0; i < buffers_.size(); ++i) {
    Column& column = manifest_.columns[i];
    if (column.type == ColumnType::kNumber) {
      buffers_[i].moments.Fill(column.statistics);
    } else if (column.type == ColumnType::kImage) {
      buffers_[i].pixels.Fill(column.statistics);
    }
    for (const int64_t count : column.statistics.counts) {
      column.statistics.distinct += count > 0 ? 1 : 0;
    }
    if (column.statistics.missing == rows()) {
      Warn("column '" + column.name + "' has no value in any row");
    } else if (column.name == manifest_.target && column.statistics.missing > 0) {
      Warn(std::to_string(column.statistics.missing) + " rows have no value of the target '" + column.name + "'");
    }
  }
}

// The target's categories, out of the shards.
Status TableBuilder::Strata(const std::function<void(std::span<const int32_t>)>& take) const {
  for (const Shard& shard : manifest_.shards) {
    ATELIER_ASSIGN(path, blobs_.LocalPath(shard.blob.sha256));
    ATELIER_ASSIGN(file, tensor::SafetensorsFile::Open(path));
    ATELIER_ASSIGN(view, file->Find(manifest_.target));
    std::vector<int32_t> codes(view.bytes.size() / sizeof(int32_t));
    std::memcpy(codes.data(), view.bytes.data(), codes.size() * sizeof(int32_t));
    take(codes);
  }
  return {};
}

Result<ImportReport> TableBuilder::Finish() {
  if (given_.empty()) {
    return InvalidArgument("the data has no rows");
  }
  ATELIER_TRY(Flush());
  FinishStatistics();
  SplitInput input{.given = std::move(given_), .fractions = options_.split, .seed = options_.seed};
  if (stratified_) {
    input.strata = [this](const auto& take) { return Strata(take); };
  }
  ATELIER_ASSIGN(splits, AssignSplits(std::move(input)));
  ATELIER_ASSIGN(report, Publish(blobs_, std::move(manifest_), splits));
  report.warnings = std::move(warnings_);
  return report;
}

Result<ImportReport> Publish(storage::BlobStore& blobs, Manifest manifest, const std::vector<uint8_t>& splits) {
  for (int64_t& count : manifest.split_rows) {
    count = 0;
  }
  for (const uint8_t split : splits) {
    ++manifest.split_rows[split];
  }
  ATELIER_ASSIGN(split_blob, storage::PutBytes(blobs, {reinterpret_cast<const char*>(splits.data()), splits.size()}));
  manifest.splits = std::move(split_blob);
  const std::string text = json::serialize(ToJson(manifest));
  if (text.size() > kMaxManifestBytes) {
    return InvalidArgument("the columns have too many names and categories: the manifest would have " +
                           std::to_string(text.size()) + " bytes");
  }
  ATELIER_ASSIGN(blob, storage::PutBytes(blobs, text));
  return ImportReport{.manifest = std::move(blob), .content = std::move(manifest), .warnings = {}};
}

}  // namespace atelier::data
