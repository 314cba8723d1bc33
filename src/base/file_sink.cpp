#include "base/file_sink.h"

namespace atelier {

FileSink::FileSink(const std::filesystem::path& path) : path_(path), stream_(path, std::ios::binary) {}

Status FileSink::Write(std::span<const std::byte> bytes) {
  stream_.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
  return State();
}

Status FileSink::Close() {
  stream_.close();
  return State();
}

Status FileSink::State() const {
  return stream_ ? Status()
                 : Status(MakeError(Code::kResourceExhausted, "cannot write " + path_.string(), "storage_full"));
}

}  // namespace atelier
