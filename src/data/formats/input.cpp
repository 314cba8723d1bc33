#include "data/formats/input.h"

#include <algorithm>
#include <cstring>

namespace atelier::data {
namespace {

constexpr size_t kChunkBytes = size_t{256} << 10U;
constexpr uint64_t kTellBytes = 1U << 20U;
constexpr uint64_t kFreeBytes = 64U << 20U;  // small files may be as repetitive as they like
constexpr uint64_t kMaxRatio = 100;
constexpr int kGzipWindow = 15 + 16;  // zlib: the largest window, gzip only

}  // namespace

void Meter::Add(uint64_t bytes) {
  done_ = std::min(done_ + bytes, total_);
  if (done_ - told_ >= kTellBytes && *progress_) {
    told_ = done_;
    (*progress_)(done_, total_);
  }
}

void Meter::Finish() {
  if (*progress_) {
    (*progress_)(total_, total_);
  }
}

ChunkSource SkipBytes(ChunkSource source, uint64_t count) {
  return [source = std::move(source), count]() mutable -> Result<std::string_view> {
    while (true) {
      ATELIER_ASSIGN(chunk, source());
      if (chunk.empty() || chunk.size() > count) {
        chunk.remove_prefix(std::min<uint64_t>(count, chunk.size()));
        count = 0;
        return chunk;
      }
      count -= chunk.size();
    }
  };
}

Result<bool> ArchiveCursor::GoOn(const std::string& member) {
  while (true) {
    ATELIER_ASSIGN(next, reader_->Next());
    if (!next) {
      return false;
    }
    if (next->path == member) {
      return true;
    }
  }
}

Result<ArchiveReader*> ArchiveCursor::Seek(storage::BlobStore& blobs, const SourceFile& file) {
  if (reader_ != nullptr && sha256_ == file.blob.sha256) {
    ATELIER_ASSIGN(found, GoOn(file.member));
    if (found) {
      return reader_.get();
    }
  }
  ATELIER_ASSIGN(local, blobs.LocalPath(file.blob.sha256));
  ATELIER_ASSIGN(reader, ArchiveReader::Open(local, file.path));
  reader_ = std::move(reader);
  sha256_ = file.blob.sha256;
  ATELIER_ASSIGN(found, GoOn(file.member));
  return found ? Result<ArchiveReader*>(reader_.get()) : Internal(file.path + ": the archive changed");
}

Result<std::unique_ptr<Input>> Input::Open(storage::BlobStore& blobs, const SourceFile& file,
                                           const InputOptions& options) {
  std::unique_ptr<Input> input(new Input());
  ATELIER_TRY(input->Start(blobs, file, options));
  return input;
}

Status Input::Start(storage::BlobStore& blobs, const SourceFile& file, const InputOptions& options) {
  name_ = file.path;
  meter_ = options.meter;
  if (file.member.empty()) {
    ATELIER_ASSIGN(reader, blobs.Open(file.blob.sha256));
    reader_ = std::move(reader);
  } else {
    ATELIER_ASSIGN(member, (options.archives == nullptr ? own_ : *options.archives).Seek(blobs, file));
    member_ = member;
  }
  if (!options.encoding.empty()) {
    ATELIER_ASSIGN(transcoder, Transcoder::Create(options.encoding));
    transcoder_ = std::move(transcoder);
  }
  stored_.resize(kChunkBytes);
  ATELIER_ASSIGN(some, Fill());
  if (some && available_ >= 2 && stored_[0] == std::byte{0x1F} && stored_[1] == std::byte{0x8B}) {
    plain_.resize(kChunkBytes);
    if (inflateInit2(&stream_, kGzipWindow) != Z_OK) {
      return Internal("zlib cannot start");
    }
    gzip_ = true;
    stream_.next_in = reinterpret_cast<Bytef*>(stored_.data());
    stream_.avail_in = static_cast<uInt>(available_);
  }
  return {};
}

Input::~Input() {
  if (gzip_) {
    inflateEnd(&stream_);
  }
}

Error Input::Damaged(const std::string& what) const {
  return InvalidArgument(name_ + ": the gzip data " + what, "files", "invalid_archive");
}

Result<size_t> Input::ReadStored() {
  if (member_ == nullptr) {
    ATELIER_ASSIGN(count, reader_->Read(stored_));
    if (meter_ != nullptr) {
      meter_->Add(count);
    }
    return count;
  }
  ATELIER_ASSIGN(count, member_->Read(stored_));
  const uint64_t packed = member_->TakePackedBytes();
  if (meter_ != nullptr) {
    meter_->Add(packed);
  }
  return count;
}

Result<bool> Input::Fill() {
  ATELIER_ASSIGN(count, ReadStored());
  available_ = count;
  read_ += count;
  return count > 0;
}

Result<std::string_view> Input::Next() {
  if (!transcoder_) {
    return NextPlain();
  }
  while (true) {
    ATELIER_ASSIGN(chunk, NextPlain());
    auto text = transcoder_->Convert(chunk);
    if (!text.ok()) {
      return InvalidArgument(name_ + ": " + text.error().message, "encoding", "invalid_encoding");
    }
    if (chunk.empty() || !text->empty()) {
      return *text;
    }
  }
}

Result<std::string_view> Input::NextPlain() {
  if (gzip_) {
    return Inflate();
  }
  if (available_ == 0) {
    ATELIER_ASSIGN(more, Fill());
    if (!more) {
      return std::string_view();
    }
  }
  const std::string_view chunk(reinterpret_cast<const char*>(stored_.data()), available_);
  available_ = 0;
  return chunk;
}

Result<std::string_view> Input::Inflate() {
  stream_.next_out = reinterpret_cast<Bytef*>(plain_.data());
  stream_.avail_out = static_cast<uInt>(plain_.size());
  while (stream_.avail_out == plain_.size()) {
    if (stream_.avail_in == 0) {
      ATELIER_ASSIGN(more, Fill());
      if (!more) {
        if (!member_done_) {
          return Damaged("is cut off");
        }
        return std::string_view();
      }
      stream_.next_in = reinterpret_cast<Bytef*>(stored_.data());
      stream_.avail_in = static_cast<uInt>(available_);
    }
    if (member_done_) {  // RFC 1952: members may follow one another
      if (inflateReset(&stream_) != Z_OK) {
        return Internal("zlib cannot go on");
      }
      member_done_ = false;
    }
    const int code = inflate(&stream_, Z_NO_FLUSH);
    if (code == Z_STREAM_END) {
      member_done_ = true;
    } else if (code != Z_OK && code != Z_BUF_ERROR) {
      return Damaged("is damaged, or has other bytes behind it");
    }
  }
  const size_t count = plain_.size() - stream_.avail_out;
  produced_ += count;
  if (produced_ > kFreeBytes && produced_ / kMaxRatio > read_) {
    return MakeError(Code::kOutOfRange, name_ + " grows to more than " + std::to_string(kMaxRatio) + " times its size",
                     "request_too_large", "files");
  }
  return std::string_view(reinterpret_cast<const char*>(plain_.data()), count);
}

Result<size_t> ByteSource::Read(std::span<std::byte> out) {
  size_t filled = 0;
  while (filled < out.size()) {
    if (rest_.empty()) {
      ATELIER_ASSIGN(chunk, source_());
      if (chunk.empty()) {
        break;
      }
      rest_ = chunk;
    }
    const size_t count = std::min(rest_.size(), out.size() - filled);
    std::memcpy(out.data() + filled, rest_.data(), count);
    rest_.remove_prefix(count);
    filled += count;
  }
  return filled;
}

}  // namespace atelier::data
