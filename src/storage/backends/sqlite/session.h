// SOCI sessions on an SQLite file, and their exceptions as errors.
#pragma once

#include <soci/soci.h>

#include <filesystem>
#include <functional>
#include <string>

#include "base/result.h"

namespace atelier::storage::sqlite {

// Opens the file. A writer waits for other programs' locks; a reader can change nothing.
// Lets SQL exceptions out.
enum class Access { kRead, kWrite };
void OpenSession(soci::session& session, const std::filesystem::path& file, Access access);

// Whether a transaction is open; SQLite ends one by itself after some failures (disk full, I/O error).
bool InTransaction(soci::session& session);

// Ends an open transaction without its changes. Never throws.
void Rollback(soci::session& session) noexcept;

// Runs `work` and turns what it throws into an error; see Catalogue::Write for the codes.
Status Guard(const std::function<Status()>& work) noexcept;
// The same for one statement without parameters.
Status Execute(soci::session& session, const std::string& sql) noexcept;

}  // namespace atelier::storage::sqlite
