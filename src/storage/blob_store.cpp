#include "storage/blob_store.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

#include "storage/files.h"

namespace atelier::storage {
namespace {

constexpr size_t kCopyBytes = size_t{256} << 10U;

}  // namespace

Result<BlobRef> PutBytes(BlobStore& store, std::string_view bytes) {
  ATELIER_ASSIGN(writer, store.Create());
  ATELIER_TRY(writer->Append(std::as_bytes(std::span(bytes.data(), bytes.size()))));
  return writer->Commit();
}

Result<BlobRef> PutFile(BlobStore& store, const std::filesystem::path& file) {
  const FileDescriptor source(open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (!source.valid()) {
    return FileError(errno, "open", file.string());
  }
  struct stat info {};
  if (fstat(source.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return InvalidArgument("'" + file.string() + "' is not a regular file");
  }
  ATELIER_ASSIGN(writer, store.Create());
  std::vector<std::byte> buffer(kCopyBytes);
  while (true) {
    const ssize_t count = read(source.get(), buffer.data(), buffer.size());
    if (count < 0 && errno == EINTR) {
      continue;
    }
    if (count < 0) {
      return FileError(errno, "read", file.string());
    }
    if (count == 0) {
      return writer->Commit();
    }
    ATELIER_TRY(writer->Append(std::span(buffer.data(), static_cast<size_t>(count))));
  }
}

Result<std::string> ReadAll(BlobStore& store, std::string_view sha256, uint64_t max_bytes) {
  ATELIER_ASSIGN(size, store.Size(sha256));
  if (size > max_bytes) {
    return MakeError(Code::kOutOfRange, "the blob has " + std::to_string(size) + " bytes, more than the " +
                                            std::to_string(max_bytes) + " allowed here");
  }
  ATELIER_ASSIGN(reader, store.Open(sha256));
  std::string bytes(reader->size(), '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    ATELIER_ASSIGN(count, reader->Read(std::as_writable_bytes(std::span(bytes).subspan(filled))));
    if (count == 0) {
      return DataLoss("blob " + std::string(sha256) + " ends early");
    }
    filled += count;
  }
  return bytes;
}

}  // namespace atelier::storage
