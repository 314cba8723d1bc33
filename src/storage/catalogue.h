// The catalogue: rows in an SQL database behind one interface; a backend is one file under backends/.
#pragma once

#include <soci/soci.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace atelier::storage {

// One step of a module's schema. Versions of a module count up from 1 without holes; a landed step never changes.
struct Migration {
  std::string_view module;
  int version;
  std::string_view sql;  // one or more statements separated by ';' at line ends; SQL that SQLite and PostgreSQL share
};

// Thread-safe. Work functions run inside a transaction; an error they return, or an SQL exception they let out, rolls
// their own changes back and is what the caller gets. They must not block on anything else, nor call the catalogue.
class Catalogue {
 public:
  using Work = std::function<Status(soci::session&)>;

  virtual ~Catalogue() = default;
  // Returns when the changes are durable. Writes that arrive together share one commit (group commit).
  // Errors: the work's own; kAlreadyExists on a violated unique constraint; kResourceExhausted "storage_full";
  // kUnavailable when the database is locked by another program; kDataLoss when it is damaged; kInternal.
  virtual Status Write(Work work) = 0;
  // A consistent snapshot; sees everything acknowledged before the call.
  virtual Status Read(Work work) = 0;
};

// Opens (creates) the database file, WAL and synchronous=FULL, and applies the missing migrations in order.
// Errors: kFailedPrecondition when the schema is newer than this program ("schema_too_new") or the file is no database
// of ours ("not_a_catalogue").
Result<std::unique_ptr<Catalogue>> OpenSqliteCatalogue(const std::filesystem::path& file,
                                                       std::span<const Migration> migrations);

}  // namespace atelier::storage
