#include "engine/panel_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <cerrno>
#include <cstring>
#include <system_error>
#include <utility>

namespace atelier::engine {
namespace {

constexpr size_t kHeaderBytes = 4096;
constexpr size_t kIdentityBytes = 64;
constexpr size_t kPieceBytes = 8U << 20U;
constexpr std::string_view kMagic = "ATLPANEL";

using Header = std::array<std::byte, kHeaderBytes>;

Header HeaderOf(const std::string& identity) {
  Header header{};
  std::memcpy(header.data(), kMagic.data(), kMagic.size());
  std::memcpy(header.data() + kMagic.size(), identity.data(), std::min(identity.size(), kIdentityBytes));
  return header;
}

// Owns a descriptor.
class File {
 public:
  File(const std::filesystem::path& path, int flags) : descriptor_(open(path.c_str(), flags | O_CLOEXEC, 0600)) {}
  ~File() {
    if (descriptor_ >= 0) {
      close(descriptor_);
    }
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;
  int descriptor() const { return descriptor_; }
  bool is_open() const { return descriptor_ >= 0; }

 private:
  int descriptor_;
};

// All of `bytes` by pread or pwrite.
template <class Call, class Byte>
bool Move(Call* call, const File& file, std::span<Byte> bytes, size_t offset) {
  while (!bytes.empty()) {
    const ssize_t moved = call(file.descriptor(), bytes.data(), bytes.size(), static_cast<off_t>(offset));
    if (moved < 0 && errno == EINTR) {
      continue;
    }
    if (moved <= 0) {
      return false;
    }
    bytes = bytes.subspan(static_cast<size_t>(moved));
    offset += static_cast<size_t>(moved);
  }
  return true;
}

Error CannotWrite(const std::filesystem::path& file) {
  const bool full = errno == ENOSPC || errno == EDQUOT;
  return MakeError(full ? Code::kResourceExhausted : Code::kInternal,
                   "cannot write " + file.string() + ": " + std::generic_category().message(errno),
                   full ? "storage_full" : "");
}

Status WriteAll(const std::filesystem::path& path, const std::string& identity, std::span<const std::byte> panels,
                const std::stop_token& stop) {
  const File file(path, O_WRONLY | O_CREAT | O_TRUNC);
  const Header header = HeaderOf(identity);
  if (!file.is_open() || !Move(pwrite, file, std::span<const std::byte>(header), 0)) {
    return CannotWrite(path);
  }
  for (size_t begin = 0; begin < panels.size(); begin += kPieceBytes) {
    if (stop.stop_requested()) {
      return MakeError(Code::kCancelled, "writing packed weights was cancelled");
    }
    const auto piece = panels.subspan(begin, std::min(kPieceBytes, panels.size() - begin));
    if (!Move(pwrite, file, piece, kHeaderBytes + begin)) {
      return CannotWrite(path);
    }
  }
  return fsync(file.descriptor()) == 0 ? Status() : Status(CannotWrite(path));
}

}  // namespace

Status ReadPanels(const std::filesystem::path& path, const std::string& identity, std::span<std::byte> panels,
                  ThreadPool& threads) {
  const File file(path, O_RDONLY);
  Header header;
  std::error_code error;
  if (!file.is_open() || std::filesystem::file_size(path, error) != kHeaderBytes + panels.size() || error ||
      !Move(pread, file, std::span<std::byte>(header), 0) || header != HeaderOf(identity)) {
    return NotFound("there are no packed weights of this model in " + path.string());
  }
  std::atomic<bool> failed{false};
  threads.ForEach((panels.size() + kPieceBytes - 1) / kPieceBytes, [&](size_t piece, size_t) {
    const size_t begin = piece * kPieceBytes;
    if (!Move(pread, file, panels.subspan(begin, std::min(kPieceBytes, panels.size() - begin)), kHeaderBytes + begin)) {
      failed = true;
    }
  });
  return failed ? Status(Internal("cannot read " + path.string())) : Status();
}

Status WritePanels(const std::filesystem::path& file, const std::string& identity, std::span<const std::byte> panels,
                   const std::stop_token& stop) {
  // Workers of one model may write at the same time.
  const std::filesystem::path unfinished = file.string() + "." + std::to_string(getpid()) + ".tmp";
  Status status = WriteAll(unfinished, identity, panels, stop);
  std::error_code error;
  if (status.ok()) {
    std::filesystem::rename(unfinished, file, error);
    status = error ? Status(Internal("cannot write " + file.string() + ": " + error.message())) : Status();
  }
  if (!status.ok()) {
    std::filesystem::remove(unfinished, error);
  }
  return status;
}

}  // namespace atelier::engine
