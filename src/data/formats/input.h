// The bytes of a source file, decompressed while they are read.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/importer.h"
#include "storage/blob_store.h"

namespace atelier::data {

// Counts stored bytes and tells the progress about every megabyte. Not thread-safe.
class Meter {
 public:
  Meter(const std::function<void(uint64_t, uint64_t)>& progress, uint64_t total) : progress_(progress), total_(total) {}
  void Add(uint64_t bytes);
  void Finish();  // everything is done

 private:
  const std::function<void(uint64_t, uint64_t)>& progress_;
  uint64_t total_;
  uint64_t done_ = 0;
  uint64_t told_ = 0;
};

// Pieces of a text, one after another; an empty one is the end. A piece lives until the next call.
using ChunkSource = std::function<Result<std::string_view>()>;

// The same without its first `count` bytes.
ChunkSource SkipBytes(ChunkSource source, uint64_t count);

// Gzip is recognised by its magic, whatever the name says. Errors of reading: kInvalidArgument (damaged gzip, bytes
// behind it), kOutOfRange "request_too_large" (it grows to more than 100 times its size), the blob store's.
class Input {
 public:
  static Result<std::unique_ptr<Input>> Open(storage::BlobStore& blobs, const SourceFile& file, Meter* meter);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();

  Result<std::string_view> Next();
  ChunkSource Source() {
    return [this] { return Next(); };
  }

 private:
  Input() = default;
  Result<bool> Fill();  // false at the end of the stored bytes
  Result<std::string_view> Inflate();
  Error Damaged(const std::string& what) const;

  std::string name_;
  std::unique_ptr<storage::BlobReader> reader_;
  Meter* meter_ = nullptr;
  std::vector<std::byte> stored_;
  std::vector<std::byte> plain_;
  size_t available_ = 0;  // stored bytes that wait
  bool gzip_ = false;
  bool member_done_ = false;
  z_stream stream_{};
  uint64_t read_ = 0;
  uint64_t produced_ = 0;
};

// Exact amounts out of pieces.
class ByteSource {
 public:
  explicit ByteSource(ChunkSource source) : source_(std::move(source)) {}
  // The number of bytes it could fill; fewer than asked for only at the end.
  Result<size_t> Read(std::span<std::byte> out);

 private:
  ChunkSource source_;
  std::string_view rest_;
};

}  // namespace atelier::data
