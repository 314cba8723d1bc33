// The bytes of a source file, decompressed while they are read.
#pragma once

#include <zlib.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "data/formats/archive.h"
#include "data/formats/transcoder.h"
#include "data/importer.h"
#include "storage/blob_store.h"

namespace atelier::data {

// Counts stored bytes and tells the progress about every megabyte. Not thread-safe.
class Meter {
 public:
  Meter(const std::function<void(uint64_t, uint64_t)>& progress, uint64_t total)
      : progress_(&progress), total_(total) {}
  void Add(uint64_t bytes);
  void Finish();  // everything is done

 private:
  const std::function<void(uint64_t, uint64_t)>* progress_;
  uint64_t total_;
  uint64_t done_ = 0;
  uint64_t told_ = 0;
};

// Pieces of a text, one after another; an empty one is the end. A piece lives until the next call.
using ChunkSource = std::function<Result<std::string_view>()>;

// Opens members of archives. Goes on in the archive of the last call where it can, so that members in the archive's
// order cost one walk. Not thread-safe.
class ArchiveCursor {
 public:
  // The reader stands at the member; it is valid until the next call. Errors: those of ArchiveReader, kInternal (there
  // is no such member).
  Result<ArchiveReader*> Seek(storage::BlobStore& blobs, const SourceFile& file);

 private:
  Result<bool> GoOn(const std::string& member);

  std::string sha256_;
  std::unique_ptr<ArchiveReader> reader_;
};

struct InputOptions {
  Meter* meter = nullptr;             // is told of stored bytes
  ArchiveCursor* archives = nullptr;  // for members; only one input at a time may use it. nullptr: a walk of its own
  std::string_view encoding{};        // of transcoder.h; empty: the bytes stay as they are
};
// The same without its first `count` bytes.
ChunkSource SkipBytes(ChunkSource source, uint64_t count);

// Gzip is recognised by its magic, whatever the name says. Errors of reading: kInvalidArgument (damaged gzip, bytes
// behind it, bytes that are none in the encoding), kOutOfRange "request_too_large" (it grows to more than 100 times its
// size), the blob store's, the archive's.
class Input {
 public:
  static Result<std::unique_ptr<Input>> Open(storage::BlobStore& blobs, const SourceFile& file,
                                             const InputOptions& options);
  Input(const Input&) = delete;
  Input& operator=(const Input&) = delete;
  ~Input();

  Result<std::string_view> Next();
  ChunkSource Source() {
    return [this] { return Next(); };
  }

 private:
  Input() = default;
  Status Start(storage::BlobStore& blobs, const SourceFile& file, const InputOptions& options);
  Result<bool> Fill();  // false at the end of the stored bytes
  Result<size_t> ReadStored();
  Result<std::string_view> NextPlain();
  Result<std::string_view> Inflate();
  Error Damaged(const std::string& what) const;

  std::string name_;
  std::unique_ptr<storage::BlobReader> reader_;  // of a blob, else
  ArchiveReader* member_ = nullptr;              // of a member of
  ArchiveCursor own_;                            // this one or another's
  Meter* meter_ = nullptr;
  std::optional<Transcoder> transcoder_;
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
