#include "atelier/cli/source.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <system_error>

#include "base/hash.h"

namespace atelier::cli {
namespace {

constexpr size_t kChunk = 1U << 20U;

Error CannotRead(const std::filesystem::path& path, std::string_view why) {
  return InvalidArgument("cannot read '" + path.string() + "': " + std::string(why), "", "usage");
}

class FileSource final : public Source {
 public:
  FileSource(std::filesystem::path path, int descriptor, uint64_t size)
      : path_(std::move(path)), descriptor_(descriptor), size_(size) {}
  FileSource(const FileSource&) = delete;
  FileSource& operator=(const FileSource&) = delete;
  ~FileSource() override { ::close(descriptor_); }

  uint64_t size() const override { return size_; }

  Status Read(uint64_t offset, std::span<char> out) override {
    while (!out.empty()) {
      const ssize_t got = ::pread(descriptor_, out.data(), out.size(), static_cast<off_t>(offset));
      if (got < 0 && errno == EINTR) {
        continue;
      }
      if (got <= 0) {
        return CannotRead(path_,
                          got == 0 ? "it changed while it was being sent" : std::generic_category().message(errno));
      }
      offset += static_cast<uint64_t>(got);
      out = out.subspan(static_cast<size_t>(got));
    }
    return {};
  }

 private:
  std::filesystem::path path_;
  int descriptor_;
  uint64_t size_;
};

}  // namespace

Result<std::unique_ptr<Source>> OpenFile(const std::filesystem::path& path) {
  const int descriptor = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) {
    return CannotRead(path, std::generic_category().message(errno));
  }
  struct stat status {};
  if (::fstat(descriptor, &status) != 0 || !S_ISREG(status.st_mode)) {
    ::close(descriptor);
    return CannotRead(path, "it is not a regular file");
  }
  return std::unique_ptr<Source>(std::make_unique<FileSource>(path, descriptor, static_cast<uint64_t>(status.st_size)));
}

Result<std::string> HashRange(Source& source, uint64_t offset, uint64_t length) {
  Sha256 hash;
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(kChunk, length)), '\0');
  while (length > 0) {
    const auto count = static_cast<size_t>(std::min<uint64_t>(buffer.size(), length));
    ATELIER_TRY(source.Read(offset, std::span(buffer.data(), count)));
    hash.Update(std::string_view(buffer.data(), count));
    offset += count;
    length -= count;
  }
  return hash.Finish();
}

}  // namespace atelier::cli
