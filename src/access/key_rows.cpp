#include "access/key_rows.h"

#include <array>

namespace atelier::access {
namespace {

constexpr std::string_view kSchema1 = R"sql(
CREATE TABLE api_keys (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL,
  role TEXT NOT NULL,
  hint TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT,
  revoked_ms BIGINT
);
)sql";

constexpr std::array<storage::Migration, 1> kMigrations{{{"access", 1, kSchema1}}};

const std::string kSelect = "SELECT id, name, role, hint, hash, created_ms, expires_ms, revoked_ms FROM api_keys";

// One row's columns, as SOCI fills them.
struct Columns {
  std::string id, name, role, hint, hash;
  long long created_ms = 0;
  long long expires_ms = 0;
  long long revoked_ms = 0;
  soci::indicator expires = soci::i_null;
  soci::indicator revoked = soci::i_null;

  KeyRow Row() const {
    KeyRow row{Key{id, name, role == Name(Role::kOwner) ? Role::kOwner : Role::kMember, hint, created_ms}, hash};
    if (expires == soci::i_ok) {
      row.key.expires_ms = expires_ms;
    }
    if (revoked == soci::i_ok) {
      row.key.revoked_ms = revoked_ms;
    }
    return row;
  }
};

template <class Query>
std::vector<KeyRow> Fetch(Query&& query, Columns& columns) {
  soci::statement statement =
      (query, soci::into(columns.id), soci::into(columns.name), soci::into(columns.role), soci::into(columns.hint),
       soci::into(columns.hash), soci::into(columns.created_ms), soci::into(columns.expires_ms, columns.expires),
       soci::into(columns.revoked_ms, columns.revoked));
  std::vector<KeyRow> rows;
  statement.execute();
  while (statement.fetch()) {
    rows.push_back(columns.Row());
  }
  return rows;
}

}  // namespace

std::span<const storage::Migration> Migrations() { return kMigrations; }

std::vector<KeyRow> SelectKeys(soci::session& session) {
  Columns columns;
  return Fetch((session.prepare << kSelect + " ORDER BY created_ms, id"), columns);
}

std::optional<KeyRow> SelectKey(soci::session& session, const std::string& id) {
  Columns columns;
  auto rows = Fetch((session.prepare << kSelect + " WHERE id = :id", soci::use(id, "id")), columns);
  return rows.empty() ? std::nullopt : std::optional<KeyRow>(std::move(rows.front()));
}

int64_t CountKeys(soci::session& session) {
  long long count = 0;
  session << "SELECT COUNT(*) FROM api_keys", soci::into(count);
  return count;
}

int64_t CountLiveOwners(soci::session& session, int64_t now_ms) {
  long long count = 0;
  const std::string owner(Name(Role::kOwner));
  session << "SELECT COUNT(*) FROM api_keys WHERE role = :role AND revoked_ms IS NULL AND "
             "(expires_ms IS NULL OR expires_ms > :now)",
      soci::use(owner, "role"), soci::use(now_ms, "now"), soci::into(count);
  return count;
}

void InsertKey(soci::session& session, const KeyRow& row) {
  const std::string role(Name(row.key.role));
  const long long expires_ms = row.key.expires_ms.value_or(0);
  soci::indicator expires = row.key.expires_ms ? soci::i_ok : soci::i_null;
  session << "INSERT INTO api_keys (id, name, role, hint, hash, created_ms, expires_ms) "
             "VALUES (:id, :name, :role, :hint, :hash, :created_ms, :expires_ms)",
      soci::use(row.key.id, "id"), soci::use(row.key.name, "name"), soci::use(role, "role"),
      soci::use(row.key.hint, "hint"), soci::use(row.hash, "hash"), soci::use(row.key.created_ms, "created_ms"),
      soci::use(expires_ms, expires, "expires_ms");
}

void MarkRevoked(soci::session& session, const std::string& id, int64_t at_ms) {
  session << "UPDATE api_keys SET revoked_ms = :at WHERE id = :id AND revoked_ms IS NULL", soci::use(at_ms, "at"),
      soci::use(id, "id");
}

}  // namespace atelier::access
