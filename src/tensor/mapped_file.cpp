#include "tensor/mapped_file.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>
#include <utility>

namespace atelier::tensor {
namespace {

// Closes on every way out; a map outlives its descriptor.
class Descriptor {
 public:
  explicit Descriptor(const std::filesystem::path& file) : value_(::open(file.c_str(), O_RDONLY | O_CLOEXEC)) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (value_ >= 0) {
      ::close(value_);
    }
  }
  int value() const { return value_; }

 private:
  int value_;
};

Error Bad(const std::string& name, const std::string& message) {
  return InvalidArgument(name + " " + message, "", "invalid_model_file");
}

}  // namespace

Result<MappedFile> MappedFile::Open(const std::filesystem::path& file) {
  const std::string name = file.filename().string();
  struct stat information {};
  if (::stat(file.c_str(), &information) == 0 && !S_ISREG(information.st_mode)) {
    return Bad(name, "is no regular file");  // asked before the opening, which waits for the other end of a pipe
  }
  const Descriptor descriptor(file);
  if (descriptor.value() < 0) {
    return errno == ENOENT || errno == ENOTDIR ? NotFound("there is no file " + name)
                                               : Internal("cannot open " + name + ": " + std::strerror(errno));
  }
  if (::fstat(descriptor.value(), &information) != 0 || !S_ISREG(information.st_mode)) {
    return Bad(name, "is no regular file");
  }
  const auto size = static_cast<size_t>(information.st_size);
  if (size == 0) {
    return Bad(name, "is empty");
  }
  void* data = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, descriptor.value(), 0);
  if (data == MAP_FAILED) {
    return Internal("cannot map " + name + ": " + std::strerror(errno));
  }
  return MappedFile({static_cast<const std::byte*>(data), size});
}

MappedFile::MappedFile(MappedFile&& other) noexcept : bytes_(std::exchange(other.bytes_, {})) {}

MappedFile& MappedFile::operator=(MappedFile&& other) noexcept {
  std::swap(bytes_, other.bytes_);
  return *this;
}

MappedFile::~MappedFile() {
  if (bytes_.data() != nullptr) {
    ::munmap(const_cast<std::byte*>(bytes_.data()), bytes_.size());
  }
}

}  // namespace atelier::tensor
