#include "data/checkpoint.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/json.h"
#include "storage/files.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxBytes = size_t{256} << 20U;
constexpr std::string_view kTable = "table.json";
constexpr std::string_view kSplitsFile = "splits";

// Writes the bytes at the offset, durably.
Status WriteAt(const std::filesystem::path& file, std::span<const uint8_t> bytes, size_t offset) {
  const storage::FileDescriptor descriptor(::open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600));
  if (!descriptor.valid() || ::lseek(descriptor.get(), static_cast<off_t>(offset), SEEK_SET) < 0) {
    return storage::FileError(errno, "open", file.string());
  }
  ATELIER_TRY(storage::WriteAll(descriptor.get(), std::as_bytes(bytes), file.string()));
  return storage::SyncDescriptor(descriptor.get(), file.string());
}

}  // namespace

Result<Checkpoint> Checkpoint::Open(std::filesystem::path folder) {
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  if (error) {
    return storage::FileError(error.value(), "create", folder.string());
  }
  ATELIER_TRY(storage::SyncDirectory(folder.parent_path()));
  Checkpoint out;
  out.folder_ = std::move(folder);
  return out;
}

std::optional<json::object> Checkpoint::Read(std::string_view name) const {
  if (!enabled()) {
    return std::nullopt;
  }
  const auto text = storage::ReadSmallFile(folder_ / name, kMaxBytes);
  if (!text.ok()) {
    return std::nullopt;
  }
  auto value = ParseJson(*text, {.max_bytes = kMaxBytes, .max_depth = 64});
  if (!value.ok() || !value->is_object()) {
    return std::nullopt;
  }
  return std::move(value->get_object());
}

Status Checkpoint::Write(std::string_view name, const json::object& object) {
  if (!enabled()) {
    return {};
  }
  const std::string text = json::serialize(object);
  // What could not be read again is left out: the job would begin anew then.
  return text.size() > kMaxBytes ? Status() : storage::ReplaceFileDurably(folder_ / name, text, 0600);
}

Status Checkpoint::SaveTable(const TableBuilder& table, json::object position) {
  if (!enabled()) {
    return {};
  }
  const std::span<const uint8_t> given(table.given());
  ATELIER_TRY(WriteAt(folder_ / kSplitsFile, given.subspan(saved_splits_), saved_splits_));
  saved_splits_ = given.size();
  return Write(kTable, {{"rows", saved_splits_}, {"table", table.Save()}, {"position", std::move(position)}});
}

std::optional<json::object> Checkpoint::RestoreTable(TableBuilder& table, const Manifest& schema) {
  const auto saved = Read(kTable);
  if (!saved) {
    return std::nullopt;
  }
  const auto rows = static_cast<size_t>(GetInt(*saved, "rows"));
  const json::value* state = saved->if_contains("table");
  const json::value* position = saved->if_contains("position");
  const auto splits = storage::ReadSmallFile(folder_ / kSplitsFile, size_t{1} << 33U);
  if (state == nullptr || !state->is_object() || position == nullptr || !position->is_object() || !splits.ok() ||
      splits->size() < rows) {
    return std::nullopt;
  }
  std::vector<uint8_t> given(splits->begin(), splits->begin() + static_cast<std::ptrdiff_t>(rows));
  if (!table.Restore(schema, state->get_object(), std::move(given)).ok()) {
    return std::nullopt;
  }
  saved_splits_ = rows;
  return position->get_object();
}

void Checkpoint::Clear() {
  if (enabled()) {
    std::error_code ignored;
    std::filesystem::remove_all(folder_, ignored);
  }
}

}  // namespace atelier::data
