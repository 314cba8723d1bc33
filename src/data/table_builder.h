// Rows on their way into shards: bounded memory, statistics in one pass.
#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/importer.h"
#include "data/manifest.h"
#include "data/statistics.h"
#include "storage/blob_store.h"

namespace atelier::data {

// Begin once; then for each row set every column once, in any order, and EndRow; then Finish. Not thread-safe.
class TableBuilder {
 public:
  TableBuilder(storage::BlobStore& blobs, const ImportOptions& options) : blobs_(blobs), options_(options) {}

  // Takes over the schema: names, types, shapes, categories, target and task. Errors: kInvalidArgument (no columns,
  // two columns whose tensors would have one name).
  Status Begin(Manifest schema);

  void SetNumber(size_t column, double value);  // NaN: missing
  void SetNumbers(size_t column, std::span<const float> values);
  void SetCategory(size_t column, int32_t index);  // -1: missing
  void SetBytes(size_t column, std::string_view bytes, bool missing = false);
  void SetPixels(size_t column, std::span<const uint8_t> pixels);
  // Errors: of the blob store; kInternal where a column was not set.
  Status EndRow(std::optional<Split> split);

  // Called in EndRow whenever all rows so far are in shards that are stored.
  void OnShard(std::function<Status()> hook) { on_shard_ = std::move(hook); }
  // What must be kept, beside the splits given, so that another builder of the same schema can go on from here. To be
  // asked for in OnShard's hook.
  boost::json::object Save() const;
  // Instead of Begin. Errors: kDataLoss where it is not what Save gave for this schema.
  Status Restore(Manifest schema, const boost::json::object& saved, std::vector<uint8_t> given);
  const std::vector<uint8_t>& given() const { return given_; }

  // What the manifest says about where the rows come from.
  void SetLineage(boost::json::object lineage) { manifest_.lineage = std::move(lineage); }

  void Warn(std::string warning);
  int64_t rows() const { return static_cast<int64_t>(given_.size()); }
  const Manifest& schema() const { return manifest_; }

  // Writes the last shard, the split and the manifest. Errors: kInvalidArgument where there is no row.
  Result<ImportReport> Finish();

 private:
  // The rows of one column that are not in a shard yet.
  struct Buffer {
    std::vector<float> numbers;
    std::vector<int32_t> codes;
    std::vector<uint8_t> bytes;
    std::vector<int64_t> offsets{0};
    int64_t rows = 0;
    Moments moments;
    PixelHistogram pixels;
  };

  Status Flush();
  void FinishStatistics();
  Status Strata(const std::function<void(std::span<const int32_t>)>& take) const;

  storage::BlobStore& blobs_;
  const ImportOptions& options_;
  Manifest manifest_;
  std::vector<Buffer> buffers_;
  bool stratified_ = false;
  std::function<Status()> on_shard_;
  std::vector<uint8_t> given_;
  std::vector<std::string> warnings_;
  int64_t buffered_rows_ = 0;
  uint64_t buffered_bytes_ = 0;
};

// Stores the split and the manifest, whose split and split_rows it fills in.
Result<ImportReport> Publish(storage::BlobStore& blobs, Manifest manifest, const std::vector<uint8_t>& splits);

}  // namespace atelier::data
