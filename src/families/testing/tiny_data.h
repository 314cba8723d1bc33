// Small data sets for tests, written straight as shards and a manifest.
#pragma once

#include <gtest/gtest.h>
#include <unistd.h>

#include <boost/json.hpp>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "base/rng.h"
#include "data/reader.h"
#include "storage/blob_store.h"
#include "tensor/safetensors.h"

namespace atelier::families::testing {

// A folder that goes away with the object.
class TemporaryFolder {
 public:
  TemporaryFolder() {
    std::string pattern = (std::filesystem::temp_directory_path() / "atelier-XXXXXX").string();
    path_ = ::mkdtemp(pattern.data());
  }
  ~TemporaryFolder() {
    std::error_code ec;
    std::filesystem::remove_all(path_, ec);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;
  const std::filesystem::path& path() const { return path_; }

 private:
  std::filesystem::path path_;
};

struct TinyColumn {
  data::Column column;
  std::vector<float> numbers;   // number
  std::vector<int32_t> codes;   // category
  std::vector<uint8_t> pixels;  // raw image
};

inline TinyColumn Numbers(const std::string& name, std::vector<float> values) {
  TinyColumn column;
  column.column.name = name;
  column.column.statistics.maximum = 1;
  column.numbers = std::move(values);
  return column;
}

inline TinyColumn Categories(const std::string& name, std::vector<std::string> labels, std::vector<int32_t> codes) {
  TinyColumn column;
  column.column.name = name;
  column.column.type = data::ColumnType::kCategory;
  column.column.categories = std::move(labels);
  column.codes = std::move(codes);
  return column;
}

inline TinyColumn Images(const std::string& name, std::vector<int64_t> shape, std::vector<uint8_t> pixels) {
  TinyColumn column;
  column.column.name = name;
  column.column.type = data::ColumnType::kImage;
  column.column.shape = std::move(shape);
  column.pixels = std::move(pixels);
  return column;
}

class TinyStore {
 public:
  TinyStore() : blobs_(std::move(storage::OpenFolderBlobStore(folder_.path() / "blobs")).value()) {}

  storage::BlobStore& blobs() { return *blobs_; }
  std::filesystem::path path() const { return folder_.path(); }

  // One or more shards of at most `shard_rows`; the last column is the target. `splits`: one a row.
  data::Manifest Add(const std::vector<TinyColumn>& columns, data::Task task, const std::vector<uint8_t>& splits,
                     int64_t shard_rows = 1 << 30) {
    data::Manifest manifest;
    manifest.format = "test";
    manifest.task = task;
    manifest.target = columns.back().column.name;
    for (const auto& column : columns) {
      manifest.columns.push_back(column.column);
    }
    const auto rows = static_cast<int64_t>(splits.size());
    for (int64_t first = 0; first < rows; first += shard_rows) {
      manifest.shards.push_back(AddShard(columns, rows, first, std::min(shard_rows, rows - first)));
    }
    manifest.splits =
        *storage::PutBytes(*blobs_, std::string_view(reinterpret_cast<const char*>(splits.data()), splits.size()));
    for (const uint8_t split : splits) {
      ++manifest.split_rows[split];
    }
    return manifest;
  }

  std::unique_ptr<data::Reader> Read(const data::Manifest& manifest) {
    auto reader = data::Reader::Open(*blobs_, manifest);
    EXPECT_TRUE(reader.ok()) << (reader.ok() ? "" : reader.error().message);
    return std::move(reader).value();
  }

  // {"blobs","dataset"} as job specs name them.
  boost::json::object Spec(const data::Manifest& manifest) {
    const auto ref = *storage::PutBytes(*blobs_, boost::json::serialize(data::ToJson(manifest)));
    return {
        {"blobs", (folder_.path() / "blobs").string()},
        {"dataset", {{"name", "tiny"}, {"version", 1}, {"manifest", {{"sha256", ref.sha256}, {"size", ref.size}}}}}};
  }

 private:
  data::Shard AddShard(const std::vector<TinyColumn>& columns, int64_t all, int64_t first, int64_t count) {
    std::map<std::string, tensor::View> tensors;
    for (const auto& column : columns) {
      tensor::View view;
      std::span<const std::byte> bytes;
      if (!column.pixels.empty()) {
        view.type = tensor::DataType::kU8;
        bytes = std::as_bytes(std::span(column.pixels));
      } else if (!column.codes.empty()) {
        view.type = tensor::DataType::kI32;
        bytes = std::as_bytes(std::span(column.codes));
      } else {
        bytes = std::as_bytes(std::span(column.numbers));
      }
      const size_t row = bytes.size() / static_cast<size_t>(all);
      view.shape = {count};
      view.shape.insert(view.shape.end(), column.column.shape.begin(), column.column.shape.end());
      view.bytes = bytes.subspan(static_cast<size_t>(first) * row, static_cast<size_t>(count) * row);
      tensors[column.column.name] = view;
    }
    auto writer = std::move(blobs_->Create()).value();
    EXPECT_TRUE(tensor::WriteSafetensors(tensors, {}, [&](std::span<const std::byte> bytes) {
                  return writer->Append(bytes);
                }).ok());
    return {*writer->Commit(), count};
  }

  TemporaryFolder folder_;
  std::unique_ptr<storage::BlobStore> blobs_;
};

// Three classes of points in the plane around (0,0), (4,0), (0,4): `rows` rows, the last fifth of them for testing.
struct TinyPoints {
  TinyColumn x, y, label;
  std::vector<uint8_t> splits;
};
inline TinyPoints Points(size_t rows, uint64_t seed = 1) {
  SeededRng rng(seed);
  const auto noise = [&] { return static_cast<float>(rng.Uniform() + rng.Uniform() + rng.Uniform() - 1.5); };
  std::vector<float> xs;
  std::vector<float> ys;
  std::vector<int32_t> labels;
  TinyPoints points;
  for (size_t i = 0; i < rows; ++i) {
    const auto label = static_cast<int32_t>(rng.Below(3));
    xs.push_back((label == 1 ? 4.0F : 0.0F) + noise());
    ys.push_back((label == 2 ? 4.0F : 0.0F) + noise());
    labels.push_back(label);
    points.splits.push_back(i < rows - rows / 5 ? 0 : 2);
  }
  points.x = Numbers("x", xs);
  points.y = Numbers("y", ys);
  points.label = Categories("label", {"centre", "east", "north"}, labels);
  return points;
}

}  // namespace atelier::families::testing
