#include "data/images/archive.h"

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

class Walker {
 public:
  Walker(const std::string& name, const ArchiveLimits& limits, const std::function<void(uint64_t)>& tell)
      : name_(name), limits_(limits), tell_(tell), archive_(::archive_read_new(), &::archive_read_free) {}

  Status Open(const std::filesystem::path& file) {
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
    if (::archive_read_open_filename(a, file.c_str(), kBlockBytes) != ARCHIVE_OK) {
      return Invalid("this is no tar, tar.gz, tar.xz or zip archive");
    }
    return {};
  }

  Status Run(const std::function<Status(const ArchiveEntry&)>& visit) {
    while (true) {
      struct archive_entry* entry = nullptr;
      const int code = ::archive_read_next_header(archive_.get(), &entry);
      Tell();
      if (code == ARCHIVE_EOF) {
        return entries_ > 0 ? Status() : Invalid("the archive is empty");
      }
      if (code != ARCHIVE_OK && code != ARCHIVE_WARN) {
        return Invalid("the archive is damaged" + Position());
      }
      if (++entries_ > limits_.max_entries) {
        return TooLarge("it has more than " + std::to_string(limits_.max_entries) + " entries");
      }
      ATELIER_ASSIGN(path, CheckEntry(entry));
      if (::archive_entry_filetype(entry) == AE_IFDIR) {
        continue;
      }
      ATELIER_TRY(Visit(entry, std::move(path), visit));
    }
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

  void Tell() {
    const int64_t read = ::archive_filter_bytes(archive_.get(), -1);
    if (read > static_cast<int64_t>(told_)) {
      tell_(static_cast<uint64_t>(read) - told_);
      told_ = static_cast<uint64_t>(read);
    }
  }

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

  Status Visit(struct archive_entry* entry, std::string path, const std::function<Status(const ArchiveEntry&)>& visit) {
    const int64_t declared = ::archive_entry_size_is_set(entry) != 0 ? ::archive_entry_size(entry) : 0;
    if (declared < 0) {
      return Invalid("'" + path + "' declares a negative size");
    }
    // What is not read is skipped, which unpacks it too: so the declared size counts before that.
    ATELIER_TRY(Count(static_cast<uint64_t>(declared)));
    bool counted = declared > 0;
    ArchiveEntry out{std::move(path), static_cast<uint64_t>(declared), nullptr};
    out.read = [&](uint64_t max_bytes) { return ReadEntry(out.path, max_bytes, counted); };
    return visit(out);
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

  Result<std::string> ReadEntry(const std::string& path, uint64_t max_bytes, bool counted) {
    std::string out;
    std::string block(kBlockBytes, '\0');
    while (true) {
      const la_ssize_t count = ::archive_read_data(archive_.get(), block.data(), block.size());
      if (count == 0) {
        break;
      }
      if (count < 0) {
        return Invalid("'" + path + "' is damaged");
      }
      out.append(block, 0, static_cast<size_t>(count));
      if (out.size() > max_bytes) {
        return TooLarge("'" + path + "' has more than " + std::to_string(max_bytes) + " bytes");
      }
    }
    if (!counted) {
      ATELIER_TRY(Count(out.size()));
    }
    return out;
  }

  const std::string& name_;
  const ArchiveLimits& limits_;
  const std::function<void(uint64_t)>& tell_;
  std::unique_ptr<struct archive, int (*)(struct archive*)> archive_;
  uint64_t packed_ = 0;
  uint64_t told_ = 0;
  uint64_t total_ = 0;
  uint64_t entries_ = 0;
  std::unordered_set<std::string> seen_;
};

}  // namespace

Status WalkArchive(const std::filesystem::path& file, const std::string& name, const ArchiveLimits& limits,
                   const std::function<void(uint64_t)>& tell, const std::function<Status(const ArchiveEntry&)>& visit) {
  const Utf8Locale locale;
  Walker walker(name, limits, tell);
  ATELIER_TRY(walker.Open(file));
  return walker.Run(visit);
}

}  // namespace atelier::data
