#include "data/reader.h"

#include <algorithm>
#include <cstring>

namespace atelier::data {
namespace {

using tensor::DataType;
using tensor::SafetensorsFile;
using tensor::View;

Error Misfit(const std::string& what) { return DataLoss("the data set is damaged: " + what); }

int64_t LoadInt64(const View& view, int64_t index) {
  int64_t value = 0;
  std::memcpy(&value, view.bytes.data() + static_cast<size_t>(index) * sizeof(value), sizeof(value));
  return value;
}

Status CheckShape(const SafetensorsFile& file, const std::string& name, DataType type,
                  const std::vector<int64_t>& shape) {
  const auto found = file.tensors().find(name);
  if (found == file.tensors().end() || found->second.type != type || found->second.shape != shape) {
    return Misfit("column '" + name + "' does not fit the manifest");
  }
  return {};
}

Status CheckCodes(const View& view, int64_t categories, const std::string& name) {
  for (size_t i = 0; i < view.bytes.size(); i += sizeof(int32_t)) {
    int32_t code = 0;
    std::memcpy(&code, view.bytes.data() + i, sizeof(code));
    if (code < -1 || code >= categories) {
      return Misfit("column '" + name + "' holds a category that is not in the manifest");
    }
  }
  return {};
}

Status CheckOffsets(const SafetensorsFile& file, const std::string& name, int64_t rows) {
  ATELIER_TRY(CheckShape(file, name + ".offsets", DataType::kI64, {rows + 1}));
  const auto bytes = file.tensors().find(name + ".bytes");
  if (bytes == file.tensors().end() || bytes->second.type != DataType::kU8 || bytes->second.shape.size() != 1) {
    return Misfit("column '" + name + "' has no bytes");
  }
  const View& offsets = file.tensors().at(name + ".offsets");
  int64_t previous = 0;
  for (int64_t i = 0; i <= rows; ++i) {
    const int64_t offset = LoadInt64(offsets, i);
    if (offset < previous || (i == 0 && offset != 0)) {
      return Misfit("the offsets of column '" + name + "' are not ascending from 0");
    }
    previous = offset;
  }
  return previous == bytes->second.shape[0] ? Status() : Misfit("the offsets of column '" + name + "' end elsewhere");
}

Status CheckColumn(const SafetensorsFile& file, const Column& column, int64_t rows) {
  std::vector<int64_t> shape{rows};
  shape.insert(shape.end(), column.shape.begin(), column.shape.end());
  switch (column.type) {
    case ColumnType::kNumber:
      return CheckShape(file, column.name, DataType::kF32, shape);
    case ColumnType::kCategory:
      ATELIER_TRY(CheckShape(file, column.name, DataType::kI32, {rows}));
      return CheckCodes(file.tensors().at(column.name), static_cast<int64_t>(column.categories.size()), column.name);
    case ColumnType::kImage:
      return column.shape.empty() ? CheckOffsets(file, column.name, rows)
                                  : CheckShape(file, column.name, DataType::kU8, shape);
    case ColumnType::kText:
    case ColumnType::kAudio:
      return CheckOffsets(file, column.name, rows);
  }
  return Internal("no such type of column");
}

}  // namespace

Result<std::unique_ptr<SafetensorsFile>> OpenShard(storage::BlobStore& store, const Manifest& manifest,
                                                   const Shard& shard) {
  auto path = store.LocalPath(shard.blob.sha256);
  if (!path.ok()) {
    return Misfit(path.error().message);
  }
  auto file = SafetensorsFile::Open(*path);
  if (!file.ok()) {
    return Misfit(file.error().message);
  }
  for (const auto& column : manifest.columns) {
    ATELIER_TRY(CheckColumn(**file, column, shard.rows));
  }
  return std::move(file).value();
}

Result<std::unique_ptr<Reader>> Reader::Open(storage::BlobStore& store, const Manifest& manifest) {
  auto reader = std::make_unique<Reader>();
  reader->manifest_ = manifest;
  int64_t first = 0;
  for (const auto& shard : manifest.shards) {
    ATELIER_ASSIGN(file, OpenShard(store, manifest, shard));
    reader->shards_.push_back(std::move(file));
    reader->first_rows_.push_back(first);
    first += shard.rows;
  }
  reader->first_rows_.push_back(first);
  auto splits = storage::ReadAll(store, manifest.splits.sha256, static_cast<uint64_t>(first));
  if (!splits.ok() || splits->size() != static_cast<size_t>(first)) {
    return Misfit(splits.ok() ? "the split has other rows than the shards" : splits.error().message);
  }
  for (size_t i = 0; i < splits->size(); ++i) {
    const auto split = static_cast<uint8_t>((*splits)[i]);
    if (split >= kSplits) {
      return Misfit("row " + std::to_string(i) + " is in no known split");
    }
    reader->rows_[split].push_back(static_cast<int64_t>(i));
  }
  for (size_t i = 0; i < kSplits; ++i) {
    if (static_cast<int64_t>(reader->rows_[i].size()) != manifest.split_rows[i]) {
      return Misfit("the split has other counts than the manifest");
    }
  }
  return reader;
}

Status Reader::TakeFold(const Fold& fold) {
  auto& train = rows_[static_cast<size_t>(Split::kTrain)];
  auto& validation = rows_[static_cast<size_t>(Split::kValidation)];
  std::vector<int64_t> rows = train;
  rows.insert(rows.end(), validation.begin(), validation.end());
  std::ranges::sort(rows);
  std::vector<int32_t> strata;
  const Column* target = manifest_.Target();
  if (target != nullptr && target->type == ColumnType::kCategory) {
    ATELIER_ASSIGN(shards, Tensors(target->name));
    std::vector<int32_t> codes(static_cast<size_t>(first_rows_.back()));
    for (size_t i = 0; i < shards.size(); ++i) {
      std::memcpy(codes.data() + first_rows_[i], shards[i].bytes.data(), shards[i].bytes.size());
    }
    for (const int64_t row : rows) {
      strata.push_back(codes[static_cast<size_t>(row)]);
    }
  }
  ATELIER_ASSIGN(divided, DivideFold(rows, strata, fold));
  train = std::move(divided.rest);
  validation.clear();
  rows_[static_cast<size_t>(Split::kTest)] = std::move(divided.held);
  for (size_t i = 0; i < kSplits; ++i) {
    manifest_.split_rows[i] = static_cast<int64_t>(rows_[i].size());
  }
  return {};
}

Result<std::vector<tensor::View>> Reader::Tensors(std::string_view name) const {
  std::vector<tensor::View> out;
  for (const auto& shard : shards_) {
    ATELIER_ASSIGN(view, shard->Find(name));
    out.push_back(std::move(view));
  }
  return out;
}

Result<std::string_view> Reader::Bytes(std::string_view column, int64_t row) const {
  if (row < 0 || row >= first_rows_.back()) {
    return MakeError(Code::kOutOfRange, "there is no row " + std::to_string(row));
  }
  const auto next = std::ranges::upper_bound(first_rows_, row);
  const auto shard = static_cast<size_t>(next - first_rows_.begin()) - 1;
  const std::string name(column);
  ATELIER_ASSIGN(bytes, shards_[shard]->Find(name + ".bytes"));
  ATELIER_ASSIGN(offsets, shards_[shard]->Find(name + ".offsets"));
  const int64_t local = row - first_rows_[shard];
  const int64_t begin = LoadInt64(offsets, local);
  const int64_t end = LoadInt64(offsets, local + 1);
  return std::string_view(reinterpret_cast<const char*>(bytes.bytes.data()) + begin, static_cast<size_t>(end - begin));
}

}  // namespace atelier::data
