#include "hub/digest.h"

#include <fcntl.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <memory>
#include <span>
#include <vector>

#include "base/hash.h"
#include "base/ids.h"
#include "storage/files.h"

namespace atelier::hub {
namespace {

constexpr size_t kReadBytes = 1U << 20U;

}  // namespace

Result<Digests> DigestFile(const std::filesystem::path& file, const std::function<bool()>& cancelled) {
  const storage::FileDescriptor descriptor(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK));
  struct stat info {};
  if (!descriptor.valid() || ::fstat(descriptor.get(), &info) != 0) {
    return storage::FileError(errno, "open", file.string());
  }
  if (!S_ISREG(info.st_mode)) {
    return FailedPrecondition(file.string() + " is no regular file");
  }
  Sha256 sha256;
  const std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> sha1(EVP_MD_CTX_new(), EVP_MD_CTX_free);
  const std::string head = "blob " + std::to_string(info.st_size) + '\0';
  bool sound = sha1 != nullptr && EVP_DigestInit_ex(sha1.get(), EVP_sha1(), nullptr) == 1 &&
               EVP_DigestUpdate(sha1.get(), head.data(), head.size()) == 1;
  std::vector<std::byte> buffer(kReadBytes);
  while (sound) {
    if (cancelled && cancelled()) {
      return MakeError(Code::kCancelled, "the check of a file was cancelled");
    }
    const ssize_t n = ::read(descriptor.get(), buffer.data(), buffer.size());
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return storage::FileError(errno, "read", file.string());
    }
    if (n == 0) {
      break;
    }
    sha256.Update(std::span(buffer.data(), static_cast<size_t>(n)));
    sound = EVP_DigestUpdate(sha1.get(), buffer.data(), static_cast<size_t>(n)) == 1;
  }
  std::array<std::byte, EVP_MAX_MD_SIZE> digest{};
  unsigned length = 0;
  if (!sound || EVP_DigestFinal_ex(sha1.get(), reinterpret_cast<unsigned char*>(digest.data()), &length) != 1) {
    return Internal("a file cannot be hashed");
  }
  return Digests{sha256.Finish(), Hex(std::span(digest.data(), length))};
}

}  // namespace atelier::hub
