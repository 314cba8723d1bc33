#include "hub/part_file.h"

#include <fcntl.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <numeric>

#include "base/json.h"

namespace atelier::hub {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxParts = 65'536;
constexpr size_t kMaxJournalBytes = 4U << 20U;

fs::path DataPath(const fs::path& path) { return path.string() + ".part"; }
fs::path JournalPath(const fs::path& path) { return path.string() + ".json"; }

uint64_t FreeBytes(const fs::path& folder) {
  struct statvfs info {};
  return ::statvfs(folder.c_str(), &info) == 0 ? uint64_t{info.f_bavail} * info.f_frsize : UINT64_MAX;
}

}  // namespace

Result<std::unique_ptr<PartFile>> PartFile::Open(const fs::path& path, Identity identity, uint64_t part_bytes) {
  std::unique_ptr<PartFile> file(new PartFile(path, std::move(identity)));
  const uint64_t size = file->identity_.size;
  if (!file->ReadJournal()) {
    Remove(path);
    file->part_bytes_ = std::max({part_bytes, size / kMaxParts + 1, uint64_t{1}});
    file->done_.assign(size / file->part_bytes_ + (size % file->part_bytes_ != 0 ? 1 : 0), 0);
  }
  file->taken_.assign(file->done_.size(), false);
  ATELIER_TRY(file->OpenFile());
  const uint64_t missing = size - file->done_bytes();
  if (missing > FreeBytes(path.parent_path())) {
    return MakeError(Code::kResourceExhausted,
                     "the disk has no room for the " + std::to_string(missing) + " bytes that are missing",
                     "storage_full");
  }
  return file;
}

Status PartFile::OpenFile() {
  const fs::path path = DataPath(path_);
  file_ = storage::FileDescriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!file_.valid()) {
    return storage::FileError(errno, "open", path.string());
  }
  if (::ftruncate(file_.get(), static_cast<off_t>(identity_.size)) != 0) {
    return storage::FileError(errno, "make room for", path.string());
  }
  return {};
}

// Whether it fits the identity and what is on the disk.
bool PartFile::ReadJournal() {
  const auto text = storage::ReadSmallFile(JournalPath(path_), kMaxJournalBytes);
  std::error_code error;
  if (!text.ok() || !fs::is_regular_file(DataPath(path_), error)) {
    return false;
  }
  const auto value = ParseJson(*text);
  if (!value.ok() || !value->is_object()) {
    return false;
  }
  const auto& journal = value->get_object();
  part_bytes_ = static_cast<uint64_t>(std::max<int64_t>(GetInt(journal, "part_bytes"), 0));
  const Identity theirs{static_cast<uint64_t>(GetInt(journal, "size")), GetString(journal, "etag")};
  const auto* done = journal.if_contains("done");
  if (part_bytes_ == 0 || !(theirs == identity_) || done == nullptr || !done->is_array()) {
    return false;
  }
  const uint64_t parts = identity_.size / part_bytes_ + (identity_.size % part_bytes_ != 0 ? 1 : 0);
  if (done->get_array().size() != parts) {
    return false;
  }
  done_.clear();
  for (const auto& item : done->get_array()) {
    const int64_t bytes = item.is_int64() ? item.get_int64() : -1;
    const size_t part = done_.size();
    if (bytes < 0 || static_cast<uint64_t>(bytes) > End(part) - Begin(part)) {
      return false;
    }
    done_.push_back(static_cast<uint64_t>(bytes));
  }
  return true;
}

uint64_t PartFile::End(size_t part) const { return std::min(Begin(part) + part_bytes_, identity_.size); }

uint64_t PartFile::done_bytes() const {
  const std::lock_guard lock(mutex_);
  return std::accumulate(done_.begin(), done_.end(), uint64_t{0});
}

std::optional<Part> PartFile::Take() {
  const std::lock_guard lock(mutex_);
  for (size_t i = 0; i < done_.size(); ++i) {
    if (!taken_[i] && Begin(i) + done_[i] < End(i)) {
      taken_[i] = true;
      return Part{i, Begin(i) + done_[i], End(i)};
    }
  }
  return std::nullopt;
}

void PartFile::Return(const Part& part) {
  const std::lock_guard lock(mutex_);
  taken_[part.index] = false;
}

Status PartFile::WriteAt(uint64_t at, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t n = ::pwrite(file_.get(), bytes.data(), bytes.size(), static_cast<off_t>(at));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n <= 0) {
      return storage::FileError(n == 0 ? ENOSPC : errno, "write", DataPath(path_).string());
    }
    at += static_cast<uint64_t>(n);
    bytes.remove_prefix(static_cast<size_t>(n));
  }
  return {};
}

Status PartFile::Write(Part& part, std::string_view bytes) {
  ATELIER_TRY(WriteAt(part.begin, bytes));
  part.begin += bytes.size();
  const std::lock_guard lock(mutex_);
  done_[part.index] = part.begin - Begin(part.index);
  return {};
}

Status PartFile::Save() {
  json::array done;
  {
    const std::lock_guard lock(mutex_);
    for (const uint64_t bytes : done_) {
      done.push_back(static_cast<int64_t>(bytes));
    }
  }
  ATELIER_TRY(storage::SyncDescriptor(file_.get(), DataPath(path_).string()));
  const json::object journal{{"size", static_cast<int64_t>(identity_.size)},
                             {"etag", identity_.etag},
                             {"part_bytes", static_cast<int64_t>(part_bytes_)},
                             {"done", std::move(done)}};
  return storage::ReplaceFileDurably(JournalPath(path_), json::serialize(journal), 0600);
}

Status PartFile::Finish() {
  ATELIER_TRY(storage::SyncDescriptor(file_.get(), DataPath(path_).string()));
  std::error_code error;
  fs::rename(DataPath(path_), path_, error);
  if (error) {
    return Internal("a fetched file cannot be renamed: " + error.message());
  }
  fs::remove(JournalPath(path_), error);
  return storage::SyncDirectory(path_.parent_path());
}

void PartFile::Remove(const fs::path& path) {
  std::error_code ignored;
  fs::remove(JournalPath(path), ignored);
  fs::remove(DataPath(path), ignored);
}

}  // namespace atelier::hub
