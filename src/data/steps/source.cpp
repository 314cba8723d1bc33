#include "data/steps/source.h"

#include <algorithm>
#include <cstring>
#include <functional>
#include <numeric>

#include "data/reader.h"
#include "tensor/safetensors.h"

namespace atelier::data::steps {
namespace {

using tensor::SafetensorsFile;

size_t Width(const Column& column) {
  return std::accumulate(column.shape.begin(), column.shape.end(), size_t{1},
                         [](size_t product, int64_t size) { return product * static_cast<size_t>(size); });
}

int64_t OffsetAt(const tensor::View& view, size_t row) {
  int64_t value = 0;
  std::memcpy(&value, view.bytes.data() + row * sizeof(value), sizeof(value));
  return value;
}

class ManifestRows final : public RowSource {
 public:
  ManifestRows(storage::BlobStore& blobs, const Manifest& manifest, int64_t rows)
      : blobs_(blobs), manifest_(manifest), rows_(rows) {}

  int64_t rows() const override { return rows_; }
  int64_t position() const override { return position_; }

  uint64_t bytes() const override {
    uint64_t bytes = 0;
    int64_t first = 0;
    for (const Shard& shard : manifest_.shards) {
      bytes += first < rows_ ? shard.blob.size : 0;
      first += shard.rows;
    }
    return bytes;
  }

  Status Seek(int64_t row) override {
    position_ = std::min(row, rows_);
    file_.reset();
    shard_ = 0;
    first_ = 0;
    ATELIER_ASSIGN(splits, blobs_.Open(manifest_.splits.sha256));
    if (splits->size() != static_cast<uint64_t>(manifest_.rows())) {
      return DataLoss("the data set is damaged: the split has other rows than the shards");
    }
    splits_ = std::move(splits);
    std::vector<uint8_t> skipped(std::min<size_t>(static_cast<size_t>(position_), size_t{1} << 16U));
    for (auto left = static_cast<size_t>(position_); left > 0;) {
      skipped.resize(std::min(left, skipped.size()));
      ATELIER_TRY(ReadSplits(skipped));
      left -= skipped.size();
    }
    return {};
  }

  Result<bool> Next(Batch& batch) override {
    if (splits_ == nullptr) {
      ATELIER_TRY(Seek(0));
    }
    if (position_ >= rows_) {
      return false;
    }
    ATELIER_TRY(OpenCurrent());
    const auto row = static_cast<size_t>(position_ - first_);
    const auto left = static_cast<size_t>(std::min(manifest_.shards[shard_].rows, rows_ - first_)) - row;
    size_t count = std::min(kBatchRows, left);
    ATELIER_ASSIGN(bytes, Bytes(row, count));
    while (count > 1 && bytes > kBatchBytes) {
      count = (count + 1) / 2;
      ATELIER_ASSIGN(fewer, Bytes(row, count));
      bytes = fewer;
    }
    batch.columns.assign(manifest_.columns.size(), {});
    for (size_t i = 0; i < manifest_.columns.size(); ++i) {
      ATELIER_TRY(Load(manifest_.columns[i], row, count, batch.columns[i]));
    }
    batch.splits.resize(count);
    ATELIER_TRY(ReadSplits(batch.splits));
    position_ += static_cast<int64_t>(count);
    return true;
  }

 private:
  Status ReadSplits(std::span<uint8_t> out) {
    ATELIER_ASSIGN(count, splits_->Read(std::as_writable_bytes(out)));
    if (count != out.size() || std::ranges::any_of(out, [](uint8_t split) { return split >= kSplits; })) {
      return DataLoss("the data set is damaged: its split is cut short or names no known split");
    }
    return {};
  }

  // The shard of the row at position_.
  Status OpenCurrent() {
    while (position_ >= first_ + manifest_.shards[shard_].rows) {
      first_ += manifest_.shards[shard_].rows;
      ++shard_;
      file_.reset();
    }
    if (file_ == nullptr) {
      ATELIER_ASSIGN(file, OpenShard(blobs_, manifest_, manifest_.shards[shard_]));
      file_ = std::move(file);
    }
    return {};
  }

  Result<size_t> Bytes(size_t row, size_t count) const {
    size_t bytes = 0;
    for (const Column& column : manifest_.columns) {
      if (HoldsFiles(column)) {
        ATELIER_ASSIGN(offsets, file_->Find(column.name + ".offsets"));
        bytes += static_cast<size_t>(OffsetAt(offsets, row + count) - OffsetAt(offsets, row)) + count * sizeof(int64_t);
      } else {
        bytes += count * Width(column) * (column.type == ColumnType::kImage ? 1 : sizeof(float));
      }
    }
    return bytes;
  }

  Status Load(const Column& column, size_t row, size_t count, ColumnRows& out) const {
    if (HoldsFiles(column)) {
      ATELIER_ASSIGN(offsets, file_->Find(column.name + ".offsets"));
      ATELIER_ASSIGN(bytes, file_->Find(column.name + ".bytes"));
      const int64_t begin = OffsetAt(offsets, row);
      out.offsets.resize(count + 1);
      for (size_t i = 0; i <= count; ++i) {
        out.offsets[i] = OffsetAt(offsets, row + i) - begin;
      }
      out.bytes.assign(reinterpret_cast<const char*>(bytes.bytes.data()) + begin,
                       static_cast<size_t>(out.offsets.back()));
      return {};
    }
    ATELIER_ASSIGN(view, file_->Find(column.name));
    const size_t width = Width(column);
    const auto copy = [&](void* to, size_t size) {
      if (count * width > 0) {
        std::memcpy(to, view.bytes.data() + row * width * size, count * width * size);
      }
    };
    if (column.type == ColumnType::kImage) {
      out.bytes.resize(count * width);
      copy(out.bytes.data(), 1);
    } else if (column.type == ColumnType::kCategory) {
      out.codes.resize(count);
      copy(out.codes.data(), sizeof(int32_t));
    } else {
      out.numbers.resize(count * width);
      copy(out.numbers.data(), sizeof(float));
    }
    return {};
  }

  storage::BlobStore& blobs_;
  const Manifest& manifest_;
  int64_t rows_;
  int64_t position_ = 0;
  size_t shard_ = 0;
  int64_t first_ = 0;  // of the shard
  std::unique_ptr<SafetensorsFile> file_;
  std::unique_ptr<storage::BlobReader> splits_;
};

}  // namespace

Result<std::unique_ptr<RowSource>> OpenManifestRows(storage::BlobStore& blobs, const Manifest& manifest,
                                                    int64_t max_rows) {
  const int64_t rows = max_rows < 0 ? manifest.rows() : std::min(max_rows, manifest.rows());
  return std::unique_ptr<RowSource>(std::make_unique<ManifestRows>(blobs, manifest, rows));
}

}  // namespace atelier::data::steps
