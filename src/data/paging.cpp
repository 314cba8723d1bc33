#include "data/paging.h"

#include <limits>

namespace atelier::data {

Result<Cursor> FindCursor(soci::session& session, const std::string& table, const Page& page) {
  if (page.limit < 1 || page.limit > kMaxPageRows) {
    return InvalidArgument("'limit' takes 1 to " + std::to_string(kMaxPageRows), "limit");
  }
  Cursor cursor;
  if (page.after.empty()) {
    cursor.created_ms = page.descending ? std::numeric_limits<int64_t>::max() : std::numeric_limits<int64_t>::min();
    return cursor;
  }
  long long created = 0;
  session << "SELECT created_ms FROM " << table << " WHERE id = :id", soci::use(page.after, "id"), soci::into(created);
  if (!session.got_data()) {
    return InvalidArgument("'after' names nothing of this list", "after");
  }
  cursor.created_ms = created;
  cursor.id = page.after;
  return cursor;
}

std::string PageClause(const Page& page) {
  const std::string compare = page.descending ? "<" : ">";
  const std::string order = page.descending ? " DESC" : " ASC";
  return "(created_ms " + compare + " :t OR (created_ms = :t2 AND id " + compare + " :i)) ORDER BY created_ms" + order +
         ", id" + order + " LIMIT " + std::to_string(page.limit + 1);
}

}  // namespace atelier::data
