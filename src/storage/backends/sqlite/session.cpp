#include "storage/backends/sqlite/session.h"

#include <soci/sqlite3/soci-sqlite3.h>

#include <exception>
#include <string_view>

namespace atelier::storage::sqlite {
namespace {

constexpr int kPrimaryCode = 0xFF;

sqlite_api::sqlite3* Connection(soci::session& session) {
  return static_cast<soci::sqlite3_session_backend*>(session.get_backend())->conn_;
}

// SOCI's connect string cuts at spaces unless the value is quoted, and has no escape for a quote.
std::string ConnectString(const std::filesystem::path& file) {
  const std::string name = file.string();
  return name.find('=') == std::string::npos ? name : "dbname=\"" + name + "\"";
}

Error UniqueViolation(std::string_view message) {
  constexpr std::string_view kMarker = "failed: ";
  const size_t marker = message.find(kMarker);
  std::string_view columns = marker == std::string_view::npos ? "" : message.substr(marker + kMarker.size());
  columns = columns.substr(0, columns.find_first_of(" \n"));
  return AlreadyExists("there is one with the same " + std::string(columns.empty() ? "key" : columns) + " already");
}

Error FromSqlite(const soci::sqlite3_soci_error& error) {
  const int result = error.result();
  if (result == SQLITE_CONSTRAINT_UNIQUE || result == SQLITE_CONSTRAINT_PRIMARYKEY) {
    return UniqueViolation(error.get_error_message());
  }
  switch (result & kPrimaryCode) {
    case SQLITE_FULL:
      return MakeError(Code::kResourceExhausted, "the disk of the catalogue is full", "storage_full");
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
      return Unavailable("the catalogue is locked by another program", "catalogue_busy");
    case SQLITE_CORRUPT:
      return DataLoss("the catalogue is damaged: " + error.get_error_message());
    case SQLITE_NOTADB:
      return FailedPrecondition("the file is not an SQLite database", "not_a_catalogue");
    default:
      return Internal("catalogue: " + error.get_error_message());
  }
}

}  // namespace

void OpenSession(soci::session& session, const std::filesystem::path& file, Access access) {
  session.open(*soci::factory_sqlite3(), ConnectString(file));
  sqlite_api::sqlite3_extended_result_codes(Connection(session), 1);
  session << "PRAGMA busy_timeout=5000";
  session << "PRAGMA foreign_keys=ON";
  session << "PRAGMA trusted_schema=OFF";
  session << "PRAGMA synchronous=FULL";
  if (access == Access::kRead) {
    session << "PRAGMA query_only=ON";
  }
}

bool InTransaction(soci::session& session) { return sqlite_api::sqlite3_get_autocommit(Connection(session)) == 0; }

void Rollback(soci::session& session) noexcept {
  if (InTransaction(session)) {
    // A rollback that fails has ended the transaction all the same.
    static_cast<void>(Execute(session, "ROLLBACK"));
  }
}

Status Guard(const std::function<Status()>& work) noexcept {
  try {
    return work();
  } catch (const soci::sqlite3_soci_error& error) {
    return FromSqlite(error);
  } catch (const soci::soci_error& error) {
    // Not what(): SOCI adds the statement's parameters to it, and those are nobody's business.
    return Internal("catalogue: " + error.get_error_message());
  } catch (const std::exception& error) {
    return Internal(std::string("catalogue: ") + error.what());
  } catch (...) {
    return Internal("catalogue: unknown exception");
  }
}

Status Execute(soci::session& session, const std::string& sql) noexcept {
  return Guard([&]() -> Status {
    session << sql;
    return {};
  });
}

}  // namespace atelier::storage::sqlite
