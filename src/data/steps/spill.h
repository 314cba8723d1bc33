// Sorting more records than memory holds: sorted runs in a file, merged while they are read.
#pragma once

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <queue>
#include <span>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "storage/files.h"

namespace atelier::data::steps {

// `Record` is ordered by < and can be copied as bytes. The file goes away with the object. Not thread-safe.
template <class Record>
class Spill {
  static_assert(std::is_trivially_copyable_v<Record>);

 public:
  // Holds about `memory_bytes`; what is more goes to `file`.
  Spill(std::filesystem::path file, uint64_t memory_bytes)
      : path_(std::move(file)), capacity_(std::max<size_t>(memory_bytes / sizeof(Record), kMinimum)) {}
  Spill(const Spill&) = delete;
  Spill& operator=(const Spill&) = delete;
  ~Spill() {
    if (file_.valid()) {
      ::unlink(path_.c_str());
    }
  }

  Status Add(const Record& record) {
    if (records_.size() == capacity_) {
      ATELIER_TRY(WriteRun());
    }
    records_.push_back(record);
    ++size_;
    return {};
  }
  uint64_t size() const { return size_; }

  // Hands every record to `use` (Record -> Status), the smallest first. Once, after the last Add.
  template <class Use>
  Status ForEach(const Use& use) {
    if (runs_.empty()) {
      std::sort(records_.begin(), records_.end());
      for (const Record& record : records_) {
        ATELIER_TRY(use(record));
      }
      return {};
    }
    ATELIER_TRY(WriteRun());
    records_ = {};
    return Merge(use);
  }

 private:
  static constexpr size_t kMinimum = 4096;

  struct Run {
    uint64_t next = 0;  // record of the file
    uint64_t end = 0;
    std::vector<Record> buffer{};
    size_t used = 0;
  };
  struct Head {
    Record record;
    size_t run;
    bool operator<(const Head& other) const { return other.record < record; }  // the smallest on top
  };

  Status WriteRun() {
    std::sort(records_.begin(), records_.end());
    if (!file_.valid()) {
      file_ = storage::FileDescriptor(::open(path_.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600));
      if (!file_.valid()) {
        return storage::FileError(errno, "create", path_.string());
      }
    }
    ATELIER_TRY(storage::WriteAll(file_.get(), std::as_bytes(std::span(records_)), path_.string()));
    runs_.push_back({.next = written_, .end = written_ + records_.size()});
    written_ += records_.size();
    records_.clear();
    return {};
  }

  Status Fill(Run& run) {
    run.buffer.resize(std::min<uint64_t>(run.end - run.next, std::max(capacity_ / runs_.size(), kMinimum / 4)));
    run.used = 0;
    auto bytes = std::as_writable_bytes(std::span(run.buffer));
    auto offset = static_cast<off_t>(run.next * sizeof(Record));
    while (!bytes.empty()) {
      const ssize_t count = ::pread(file_.get(), bytes.data(), bytes.size(), offset);
      if (count < 0 && errno == EINTR) {
        continue;
      }
      if (count <= 0) {
        return storage::FileError(count < 0 ? errno : EIO, "read", path_.string());
      }
      bytes = bytes.subspan(static_cast<size_t>(count));
      offset += count;
    }
    run.next += run.buffer.size();
    return {};
  }

  template <class Use>
  Status Merge(const Use& use) {
    std::priority_queue<Head> heads;
    for (size_t i = 0; i < runs_.size(); ++i) {
      ATELIER_TRY(Fill(runs_[i]));
      heads.push({runs_[i].buffer[runs_[i].used++], i});
    }
    while (!heads.empty()) {
      const Head head = heads.top();
      heads.pop();
      Run& run = runs_[head.run];
      if (run.used == run.buffer.size() && run.next < run.end) {
        ATELIER_TRY(Fill(run));
      }
      if (run.used < run.buffer.size()) {
        heads.push({run.buffer[run.used++], head.run});
      }
      ATELIER_TRY(use(head.record));
    }
    return {};
  }

  std::filesystem::path path_;
  size_t capacity_;
  std::vector<Record> records_;
  std::vector<Run> runs_;
  storage::FileDescriptor file_;
  uint64_t written_ = 0;
  uint64_t size_ = 0;
};

}  // namespace atelier::data::steps
