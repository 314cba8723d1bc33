// What a data set version is: columns, rows in shards, a split. Immutable; named by the SHA-256 of its JSON.
//
// A shard is a safetensors file of at most kShardRows rows. For a column `c` it holds
//   number  : `c`          F32 [rows] or [rows, shape...]
//   category: `c`          I32 [rows], index into Column::categories, -1 where missing
//   image   : `c`          U8  [rows, channels, height, width] where all pictures have one size and were given as raw
//             pixels (IDX); otherwise encoded files: `c.bytes` U8 [total], `c.offsets` I64 [rows + 1]
//   audio   : encoded files, in the same way
//   text    : `c.bytes`    U8 [total] UTF-8, `c.offsets` I64 [rows + 1]
// A missing number is NaN.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/blob_store.h"

namespace atelier::data {

inline constexpr int64_t kShardRows = 65536;

enum class ColumnType { kNumber, kCategory, kText, kImage, kAudio };
enum class Task { kNone, kClassification, kRegression };
enum class Split : uint8_t { kTrain = 0, kValidation = 1, kTest = 2 };
inline constexpr int kSplits = 3;

struct ColumnStatistics {
  int64_t missing = 0;
  int64_t distinct = 0;                                               // categories seen; 0 for numbers
  double minimum = 0, maximum = 0, mean = 0, standard_deviation = 0;  // numbers and raw pixels (pixels as 0..255)
  std::vector<int64_t> counts{};                                      // category: rows a category
};

struct Column {
  std::string name;
  ColumnType type = ColumnType::kNumber;
  std::vector<int64_t> shape{};           // number: [] scalar; raw image: [channels, height, width]; encoded image: []
  std::vector<std::string> categories{};  // category: the labels, sorted (numerically where all are numbers)
  ColumnStatistics statistics{};
};

// Whether its values are texts or files, of any length, and not numbers of one shape.
inline bool HoldsFiles(const Column& column) {
  return column.type == ColumnType::kText || column.type == ColumnType::kAudio ||
         (column.type == ColumnType::kImage && column.shape.empty());
}

struct Shard {
  storage::BlobRef blob;
  int64_t rows = 0;
};

struct Manifest {
  std::string format;           // "idx" | "csv" | "jsonl" | "images" ...: where the rows came from
  std::vector<Column> columns;  // in order of the source
  std::string target;           // a column's name; empty: none
  Task task = Task::kNone;
  std::vector<Shard> shards;
  storage::BlobRef splits;  // U8 a row: a Split
  int64_t split_rows[kSplits] = {0, 0, 0};
  // Of a processed version: "parent" (dataset, version, manifest), "seed", "steps" and "report". Empty: imported.
  boost::json::object lineage{};

  int64_t rows() const { return split_rows[0] + split_rows[1] + split_rows[2]; }
  const Column* Find(std::string_view name) const;
  const Column* Target() const { return Find(target); }
};

std::string_view Name(ColumnType type);  // "number" | "category" | "text" | "image" | "audio"
std::string_view Name(Task task);        // "none" | "classification" | "regression"
std::string_view Name(Split split);      // "train" | "validation" | "test"
Result<Split> SplitFromName(std::string_view name);

boost::json::object ToJson(const Manifest& manifest);
// Errors: kDataLoss where the JSON is not a manifest.
Result<Manifest> ManifestFromJson(const boost::json::value& value);

inline constexpr uint64_t kMaxManifestBytes = 256ULL << 20U;

// Reads and checks the manifest that is this blob. Errors: as ManifestFromJson and BlobStore::Open.
Result<Manifest> LoadManifest(storage::BlobStore& blobs, std::string_view sha256);

}  // namespace atelier::data
