// The catalogue in one SQLite file: one session writes (group commit), a few read snapshots beside it (WAL).
#include <fcntl.h>
#include <sys/stat.h>

#include <cerrno>

#include "storage/backends/sqlite/group_writer.h"
#include "storage/backends/sqlite/session.h"
#include "storage/files.h"
#include "storage/migrations.h"

namespace atelier::storage {
namespace {

constexpr int kApplicationId = 0x41746C72;  // "Atlr"; in the file's header, so that other databases are told apart
constexpr size_t kReaders = 4;

class SqliteCatalogue final : public Catalogue {
 public:
  // The readers must be open.
  SqliteCatalogue(std::unique_ptr<soci::session> writer, std::unique_ptr<soci::connection_pool> readers)
      : writer_(std::move(writer)), readers_(std::move(readers)) {}

  Status Write(Work work) override { return writer_.Write(work); }

  Status Read(Work work) override {
    return sqlite::Guard([&]() -> Status {
      soci::session session(*readers_);  // waits for a free one
      session << "BEGIN";
      Status status = sqlite::Guard([&] { return work(session); });
      sqlite::Rollback(session);
      return status;
    });
  }

 private:
  sqlite::GroupWriter writer_;  // outlives the readers: closed last, it moves the log into the database file
  std::unique_ptr<soci::connection_pool> readers_;
};

// Makes an absent file first, so that it and SQLite's files beside it are the owner's alone.
Status CreateFile(const std::filesystem::path& file) {
  const FileDescriptor descriptor(open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC | O_NONBLOCK, 0600));
  if (!descriptor.valid()) {
    return FileError(errno, "open", file.string());
  }
  struct stat info {};
  if (fstat(descriptor.get(), &info) != 0 || !S_ISREG(info.st_mode)) {
    return FailedPrecondition("it is not a regular file", "not_a_catalogue");
  }
  return SyncDirectory(file.parent_path());
}

// Refuses a database that another program made, before anything is changed in it.
Status CheckOurs(soci::session& session) {
  int application = 0;
  int objects = 0;
  session << "PRAGMA application_id", soci::into(application);
  session << "SELECT COUNT(*) FROM sqlite_master", soci::into(objects);
  if (application == kApplicationId || (application == 0 && objects == 0)) {
    return {};
  }
  return FailedPrecondition("it is the database of another program", "not_a_catalogue");
}

Status UseWal(soci::session& session) {
  std::string mode;
  session << "PRAGMA journal_mode=WAL", soci::into(mode);
  session << "PRAGMA journal_size_limit=67108864";
  if (mode != "wal") {
    return FailedPrecondition("its file system does not support SQLite's write-ahead log; use a local disk");
  }
  return {};
}

Status Migrate(soci::session& session, std::span<const Migration> migrations) {
  session << "BEGIN IMMEDIATE";
  session << "PRAGMA application_id=" + std::to_string(kApplicationId);
  Status status = sqlite::Guard([&] { return ApplyMigrations(session, migrations); });
  if (status.ok()) {
    status = sqlite::Execute(session, "COMMIT");
  }
  sqlite::Rollback(session);
  return status;
}

Status Prepare(soci::session& session, const std::filesystem::path& file, std::span<const Migration> migrations) {
  sqlite::OpenSession(session, file, sqlite::Access::kWrite);
  ATELIER_TRY(CheckOurs(session));
  ATELIER_TRY(UseWal(session));
  return Migrate(session, migrations);
}

}  // namespace

Result<std::unique_ptr<Catalogue>> OpenSqliteCatalogue(const std::filesystem::path& file,
                                                       std::span<const Migration> migrations) {
  std::unique_ptr<Catalogue> catalogue;
  Status opened = sqlite::Guard([&]() -> Status {
    const auto absolute = std::filesystem::absolute(file);
    const std::string name = absolute.string();
    if (name.find('"') != std::string::npos && name.find('=') != std::string::npos) {
      return InvalidArgument("the catalogue's path may not have both '\"' and '='");
    }
    ATELIER_TRY(CreateFile(absolute));
    auto writer = std::make_unique<soci::session>();
    ATELIER_TRY(Prepare(*writer, absolute, migrations));
    auto readers = std::make_unique<soci::connection_pool>(kReaders);
    for (size_t i = 0; i < kReaders; ++i) {
      sqlite::OpenSession(readers->at(i), absolute, sqlite::Access::kRead);
    }
    catalogue = std::make_unique<SqliteCatalogue>(std::move(writer), std::move(readers));
    return {};
  });
  if (!opened.ok()) {
    Error error = std::move(opened).error();
    error.message = "cannot open the catalogue '" + file.string() + "': " + error.message;
    return error;
  }
  return catalogue;
}

}  // namespace atelier::storage
