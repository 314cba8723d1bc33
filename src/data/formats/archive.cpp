#include "data/formats/archive.h"

#include <archive.h>
#include <archive_entry.h>
#include <clocale>

#include <unordered_set>

#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr size_t kBlockBytes = size_t{64} << 10U;

// libarchive turns names into the locale's encoding; without UTF-8 there it would lose all but ASCII. Thread-local.
class Utf8Locale {
 public:
  Utf8Locale() : locale_(::newlocale(LC_CTYPE_MASK, "C.UTF-8", nullptr)) {
    if (locale_ != nullptr) {
      before_ = ::uselocale(locale_);
    }
  }
  Utf8Locale(const Utf8Locale&) = delete;
  Utf8Locale& operator=(const Utf8Locale&) = delete;
  ~Utf8Locale() {
    if (locale_ != nullptr) {
      ::uselocale(before_);
      ::freelocale(locale_);
    }
  }

 private:
  locale_t locale_;
  locale_t before_ = nullptr;
};

class LibarchiveReader final : public ArchiveReader {
 public:
  LibarchiveReader(std::string name, const ArchiveLimits& limits)
      : name_(std::move(name)), limits_(limits), archive_(::archive_read_new(), &::archive_read_free) {}

  Status Begin(const std::filesystem::path& file) {
    struct archive* a = archive_.get();
    if (a == nullptr) {
      return MakeError(Code::kResourceExhausted, "there is no memory for the archive");
    }
    ::archive_read_support_filter_gzip(a);
    ::archive_read_support_filter_xz(a);
    ::archive_read_support_format_tar(a);
    // The directory at the end of a zip is the one that says which entries are links.
    ::archive_read_support_format_zip_seekable(a);
    std::error_code code;
    packed_ = std::filesystem::file_size(file, code);
    const Utf8Locale locale;
    if (::archive_read_open_filename(a, file.c_str(), kBlockBytes) != ARCHIVE_OK) {
      return Invalid("this is no tar, tar.gz, tar.xz or zip archive");
    }
    return {};
  }

  Result<std::optional<ArchiveMember>> Next() override {
    const Utf8Locale locale;
    while (true) {
      struct archive_entry* entry = nullptr;
      const int code = ::archive_read_next_header(archive_.get(), &entry);
      if (code == ARCHIVE_EOF) {
        return entries_ > 0 ? Result<std::optional<ArchiveMember>>(std::nullopt) : Invalid("the archive is empty");
      }
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
        return Invalid("the archive is damaged" + Position());
      }
      if (++entries_ > limits_.max_entries) {
        return TooLarge("it has more than " + std::to_string(limits_.max_entries) + " entries");
      }
      ATELIER_ASSIGN(path, CheckEntry(entry));
      if (::archive_entry_filetype(entry) != AE_IFDIR) {
        return Start(entry, std::move(path));
      }
    }
  }

  Result<size_t> Read(std::span<std::byte> out) override {
    const la_ssize_t count = ::archive_read_data(archive_.get(), out.data(), out.size());
    if (count < 0) {
      return Invalid("'" + path_ + "' is damaged");
    }
    if (!counted_) {
      ATELIER_TRY(Count(static_cast<uint64_t>(count)));
    }
    return static_cast<size_t>(count);
  }

  uint64_t TakePackedBytes() override {
    const int64_t read = ::archive_filter_bytes(archive_.get(), -1);
    const uint64_t fresh = read > static_cast<int64_t>(told_) ? static_cast<uint64_t>(read) - told_ : 0;
    told_ += fresh;
    return fresh;
  }

 private:
  Error Unsafe(const std::string& what) const {
    return InvalidArgument(name_ + ": " + what, "files", "unsafe_archive");
  }
  Error Invalid(const std::string& what) const {
    return InvalidArgument(name_ + ": " + what, "files", "invalid_archive");
  }
  Error TooLarge(const std::string& what) const {
    return MakeError(Code::kOutOfRange, name_ + ": " + what, "request_too_large", "files");
  }
  std::string Position() const { return entries_ == 0 ? "" : " behind entry " + std::to_string(entries_); }

  Result<std::string> CheckEntry(struct archive_entry* entry) {
    const char* raw = ::archive_entry_pathname_utf8(entry);
    if (raw == nullptr) {
      raw = ::archive_entry_pathname(entry);
    }
    const std::string path = raw == nullptr ? "" : raw;
    const auto safe = CheckPath(path);
    const bool root = path == "./" || path == ".";
    if (!safe.ok() && !root) {
      return Unsafe("entry " + std::to_string(entries_) + ": " + safe.error().message);
    }
    const auto type = ::archive_entry_filetype(entry);
    if ((type != AE_IFREG && type != AE_IFDIR) || ::archive_entry_hardlink(entry) != nullptr ||
        ::archive_entry_symlink(entry) != nullptr) {
      return Unsafe("'" + path + "' is a link or a device");
    }
    if (::archive_entry_is_encrypted(entry) != 0) {
      return Unsafe("'" + path + "' is encrypted");
    }
    std::string clean;
    for (const auto component : Components(path)) {
      clean += (clean.empty() ? "" : "/") + std::string(component);
    }
    if (type == AE_IFREG && !seen_.insert(LowerAscii(clean)).second) {
      return Unsafe("'" + path + "' occurs twice, or differs from another name in case only");
    }
    return clean;
  }

  Result<std::optional<ArchiveMember>> Start(struct archive_entry* entry, std::string path) {
    const int64_t declared = ::archive_entry_size_is_set(entry) != 0 ? ::archive_entry_size(entry) : 0;
    if (declared < 0) {
      return Invalid("'" + path + "' declares a negative size");
    }
    // What is not read is skipped, which unpacks it too: so the declared size counts before that.
    ATELIER_TRY(Count(static_cast<uint64_t>(declared)));
    counted_ = declared > 0;
    path_ = path;
    return std::optional(ArchiveMember{std::move(path), static_cast<uint64_t>(declared)});
  }

  Status Count(uint64_t bytes) {
    if (bytes > limits_.max_total_bytes - total_) {
      return TooLarge("it unpacks to more than " + std::to_string(limits_.max_total_bytes) + " bytes");
    }
    total_ += bytes;
    if (total_ > limits_.free_bytes && total_ / limits_.max_ratio > packed_) {
      return TooLarge("it unpacks to more than " + std::to_string(limits_.max_ratio) + " times its size");
    }
    return {};
  }

  const std::string name_;
  const ArchiveLimits limits_;
  std::unique_ptr<struct archive, int (*)(struct archive*)> archive_;
  uint64_t packed_ = 0;
  uint64_t told_ = 0;
  uint64_t total_ = 0;
  uint64_t entries_ = 0;
  std::string path_;      // of the member that is being read
  bool counted_ = false;  // its size was declared, and counts already
  std::unordered_set<std::string> seen_;
};

Result<std::string> ReadMember(ArchiveReader& reader, const std::string& where, uint64_t max_bytes) {
  std::string out;
  std::string block(kBlockBytes, '\0');
  while (true) {
    ATELIER_ASSIGN(count, reader.Read(std::as_writable_bytes(std::span(block))));
    if (count == 0) {
      return out;
    }
    out.append(block, 0, count);
    if (out.size() > max_bytes) {
      return MakeError(Code::kOutOfRange, where + " has more than " + std::to_string(max_bytes) + " bytes",
                       "request_too_large", "files");
    }
  }
}

}  // namespace

Result<std::unique_ptr<ArchiveReader>> ArchiveReader::Open(const std::filesystem::path& file, std::string name,
                                                           const ArchiveLimits& limits) {
  auto reader = std::make_unique<LibarchiveReader>(std::move(name), limits);
  ATELIER_TRY(reader->Begin(file));
  return std::unique_ptr<ArchiveReader>(std::move(reader));
}

Status WalkArchive(const std::filesystem::path& file, const std::string& name, const ArchiveLimits& limits,
                   const std::function<void(uint64_t)>& tell, const std::function<Status(const ArchiveEntry&)>& visit) {
  ATELIER_ASSIGN(reader, ArchiveReader::Open(file, name, limits));
  while (true) {
    ATELIER_ASSIGN(member, reader->Next());
    tell(reader->TakePackedBytes());
    if (!member) {
      return {};
    }
    const ArchiveEntry entry{member->path, member->size, [&](uint64_t max_bytes) {
                               return ReadMember(*reader, name + ": '" + member->path + "'", max_bytes);
                             }};
    ATELIER_TRY(visit(entry));
  }
}

}  // namespace atelier::data
