// Bringing a database's schema up to date; shared by every SQL backend.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "storage/catalogue.h"

namespace atelier::storage {

// The statements of a migration: cut at each ';' that ends a line; lines that are comments are left out.
std::vector<std::string> SplitStatements(std::string_view sql);

// Applies what is missing, module by module in the order given, inside the transaction that the caller began and ends.
// Errors: kFailedPrecondition "schema_too_new" when the database has a step that is not in `migrations`; kInternal for
// steps with holes. Lets SQL exceptions out.
Status ApplyMigrations(soci::session& session, std::span<const Migration> migrations);

}  // namespace atelier::storage
