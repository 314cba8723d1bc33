// A file that arrives in parts, in any order, and survives a kill.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "storage/files.h"

namespace atelier::hub {

// What bytes at the source belong together: another size or entity tag is another file.
struct Identity {
  uint64_t size = 0;
  std::string etag;  // as it was sent; empty: the source names none

  bool operator==(const Identity&) const = default;
};

struct Part {
  size_t index = 0;
  uint64_t begin = 0;  // of what is missing of it
  uint64_t end = 0;
};

// PATH.part holds the bytes, PATH.json says which of them count: written after they were flushed, so that a crash at
// any moment only costs bytes that were not yet counted. Take, Write, Return and done_bytes are thread-safe.
class PartFile {
 public:
  // Goes on with what lies there of the same identity; otherwise begins anew, in parts of `part_bytes`. Errors:
  // kResourceExhausted "storage_full" (also when the disk has not enough room for the rest), kInternal.
  static Result<std::unique_ptr<PartFile>> Open(const std::filesystem::path& path, Identity identity,
                                                uint64_t part_bytes);

  const Identity& identity() const { return identity_; }
  uint64_t done_bytes() const;
  // The next part that is neither whole nor taken.
  std::optional<Part> Take();
  // Bytes of a taken part, from its `begin` on; moves it. The caller keeps within its end. Errors: as Open.
  Status Write(Part& part, std::string_view bytes);
  void Return(const Part& part);
  // For sources without parts: bytes at any place, which are not counted.
  Status WriteAt(uint64_t at, std::string_view bytes);

  // Flushes and counts what has been written.
  Status Save();
  // Once all parts are whole: gives the file its name PATH. Errors: kInternal.
  Status Finish();
  // Removes everything.
  static void Remove(const std::filesystem::path& path);

 private:
  PartFile(std::filesystem::path path, Identity identity) : path_(std::move(path)), identity_(std::move(identity)) {}
  Status OpenFile();
  bool ReadJournal();
  uint64_t Begin(size_t part) const { return part * part_bytes_; }
  uint64_t End(size_t part) const;

  const std::filesystem::path path_;
  const Identity identity_;
  uint64_t part_bytes_ = 0;
  storage::FileDescriptor file_;
  mutable std::mutex mutex_;
  std::vector<uint64_t> done_;  // bytes of each part, from its front
  std::vector<bool> taken_;
};

}  // namespace atelier::hub
