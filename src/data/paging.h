// Pages of rows that are ordered by (created_ms, id), after a cursor that is an id.
#pragma once

#include <soci/soci.h>

#include <string>

#include "data/store.h"

namespace atelier::data {

// Where a page begins: behind (created_ms, id) in the page's direction. Without a cursor: before everything.
struct Cursor {
  int64_t created_ms = 0;
  std::string id;
};

// Errors: kInvalidArgument where `page` is out of range or its cursor is no row of `table`.
Result<Cursor> FindCursor(soci::session& session, const std::string& table, const Page& page);

// "(created_ms, id) < (:t, :i) ORDER BY created_ms DESC, id DESC LIMIT n + 1" in the page's direction; the caller
// binds the cursor to :t, :t2 and :i. One row more than the page tells whether there are more.
std::string PageClause(const Page& page);

// Cuts the row too many.
template <class Rows>
void CutPage(Rows& rows, const Page& page, bool& has_more) {
  has_more = rows.size() > static_cast<size_t>(page.limit);
  if (has_more) {
    rows.resize(static_cast<size_t>(page.limit));
  }
}

}  // namespace atelier::data
