#include "data/traffic/store.h"

#include <algorithm>
#include <cmath>
#include <limits>

#include "data/paging.h"

namespace atelier::data {
namespace {

long long Millionths(double score) { return std::llround(score * 1e6); }

constexpr std::string_view kColumns =
    "id, deployment, model, kind, key_id, created_ms, request, answer, score_millionths, correction, comment, "
    "feedback_ms";

TrafficRecord ToRecord(const soci::row& row) {
  TrafficRecord record;
  record.id = row.get<std::string>(0);
  record.deployment = row.get<std::string>(1);
  record.model = row.get<std::string>(2);
  record.kind = row.get<std::string>(3);
  record.key_id = row.get<std::string>(4);
  record.created_ms = row.get<long long>(5);
  record.request = row.get<std::string>(6);
  record.answer = row.get<std::string>(7);
  record.feedback_ms = row.get<long long>(11);
  if (record.feedback_ms > 0) {
    record.feedback = {static_cast<double>(row.get<long long>(8)) / 1e6, row.get<std::string>(9),
                       row.get<std::string>(10)};
  }
  return record;
}

Error Unknown() { return NotFound("no answer with this id is recorded", "answer_not_recorded"); }

// One row more than the page, as PageClause says.
Status ListFrom(soci::session& session, const TrafficQuery& query, const Page& page, const Cursor& cursor,
                std::vector<TrafficRecord>& out) {
  out.clear();
  const bool scored = query.min_score.has_value() || query.max_score.has_value();
  const long long least = Millionths(query.min_score.value_or(-1));
  const long long most = Millionths(query.max_score.value_or(1));
  const long long from = query.from_ms;
  const long long to = query.to_ms == 0 ? std::numeric_limits<int64_t>::max() : query.to_ms;
  const long long created = cursor.created_ms;
  const std::string_view judged = scored ? "feedback_ms > 0 AND " : "";  // without feedback the score is 0
  soci::rowset<soci::row> rows =
      (session.prepare << "SELECT " << kColumns << " FROM traffic WHERE (deployment = :d OR :d2 = '') AND "
                       << "(kind = :k OR :k2 = '') AND created_ms >= :from AND created_ms < :to AND " << judged
                       << "score_millionths >= :least AND score_millionths <= :most AND " << PageClause(page),
       soci::use(query.deployment, "d"), soci::use(query.deployment, "d2"), soci::use(query.kind, "k"),
       soci::use(query.kind, "k2"), soci::use(from, "from"), soci::use(to, "to"), soci::use(least, "least"),
       soci::use(most, "most"), soci::use(created, "t"), soci::use(created, "t2"), soci::use(cursor.id, "i"));
  for (const auto& row : rows) {
    out.push_back(ToRecord(row));
  }
  return {};
}

long long TextBytes(const Feedback& feedback) { return std::ssize(feedback.correction) + std::ssize(feedback.comment); }

}  // namespace

Result<size_t> TrafficStore::Insert(std::span<const Exchange> exchanges) {
  size_t inserted = 0;
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    inserted = 0;
    for (const Exchange& one : exchanges) {
      const long long created = one.created_ms;
      const auto bytes = static_cast<long long>(one.request.size() + one.answer.size());
      soci::statement insert =
          (session.prepare << "INSERT INTO traffic (id, deployment, model, kind, key_id, created_ms, request, answer, "
                              "bytes) VALUES "
                              "(:id, :dep, :model, :kind, :key, :at, :req, :ans, :bytes) ON CONFLICT (id) DO NOTHING",
           soci::use(one.id, "id"), soci::use(one.deployment, "dep"), soci::use(one.model, "model"),
           soci::use(one.kind, "kind"), soci::use(one.key_id, "key"), soci::use(created, "at"),
           soci::use(one.request, "req"), soci::use(one.answer, "ans"), soci::use(bytes, "bytes"));
      insert.execute(true);
      inserted += static_cast<size_t>(std::max<long long>(insert.get_affected_rows(), 0));
    }
    return {};
  }));
  return inserted;
}

Status TrafficStore::SetFeedback(const std::string& id, const Feedback& feedback, const std::string& key_id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    const long long now = clock_.UnixMs();
    const long long score = Millionths(feedback.score);
    Feedback before;
    long long bytes = 0;
    session << "SELECT correction, comment, bytes FROM traffic WHERE id = :id AND (key_id = :key OR :key2 = '')",
        soci::use(id, "id"), soci::use(key_id, "key"), soci::use(key_id, "key2"), soci::into(before.correction),
        soci::into(before.comment), soci::into(bytes);
    if (!session.got_data()) {
      return Unknown();
    }
    bytes += TextBytes(feedback) - TextBytes(before);
    soci::statement update =
        (session.prepare << "UPDATE traffic SET score_millionths = :score, correction = :fix, comment = :text, "
                            "feedback_ms = :now, bytes = :bytes WHERE id = :id",
         soci::use(score, "score"), soci::use(feedback.correction, "fix"), soci::use(feedback.comment, "text"),
         soci::use(now, "now"), soci::use(bytes, "bytes"), soci::use(id, "id"));
    update.execute(true);
    return update.get_affected_rows() == 1 ? Status() : Status(Unknown());
  });
}

Result<TrafficRecord> TrafficStore::Get(const std::string& id) {
  TrafficRecord out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    soci::row row;
    session << "SELECT " << kColumns << " FROM traffic WHERE id = :id", soci::use(id, "id"), soci::into(row);
    if (!session.got_data()) {
      return Unknown();
    }
    out = ToRecord(row);
    return {};
  }));
  return out;
}

Status TrafficStore::Delete(const std::string& id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    soci::statement remove = (session.prepare << "DELETE FROM traffic WHERE id = :id", soci::use(id, "id"));
    remove.execute(true);
    return remove.get_affected_rows() == 1 ? Status() : Status(Unknown());
  });
}

Result<std::vector<TrafficRecord>> TrafficStore::List(const TrafficQuery& query, const Page& page, bool& has_more) {
  std::vector<TrafficRecord> out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(cursor, FindCursor(session, "traffic", page));
    return ListFrom(session, query, page, cursor, out);
  }));
  CutPage(out, page, has_more);
  return out;
}

// The cursor is a place, not a row: what it was may be trimmed meanwhile.
Status TrafficStore::ForEach(TrafficQuery query,
                             const std::function<Result<bool>(const TrafficRecord& record)>& visit) {
  const Page page{.after = "", .limit = 256, .descending = false};
  Cursor cursor{.created_ms = std::numeric_limits<int64_t>::min(), .id = ""};
  for (bool more = true; more;) {
    std::vector<TrafficRecord> records;
    ATELIER_TRY(catalogue_.Read(
        [&](soci::session& session) -> Status { return ListFrom(session, query, page, cursor, records); }));
    CutPage(records, page, more);
    for (const TrafficRecord& record : records) {
      ATELIER_ASSIGN(go_on, visit(record));
      if (!go_on) {
        return {};
      }
    }
    if (!records.empty()) {
      cursor = {.created_ms = records.back().created_ms, .id = records.back().id};
      query.from_ms = cursor.created_ms;  // the index begins there
    }
  }
  return {};
}

Status TrafficStore::Trim(const std::string& deployment, int64_t oldest_ms, int64_t max_bytes) {
  const long long oldest = oldest_ms;
  const long long most = max_bytes;
  bool needed = false;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    long long old = 0;
    long long bytes = 0;
    session << "SELECT COUNT(*) FROM traffic WHERE deployment = :d AND created_ms < :t", soci::use(deployment, "d"),
        soci::use(oldest, "t"), soci::into(old);
    session << "SELECT COALESCE(SUM(bytes), 0) FROM traffic WHERE deployment = :d", soci::use(deployment, "d"),
        soci::into(bytes);
    needed = old > 0 || bytes > most;
    return {};
  }));
  if (!needed) {
    return {};
  }
  return catalogue_.Write([&](soci::session& session) -> Status {
    session << "DELETE FROM traffic WHERE deployment = :d AND created_ms < :t", soci::use(deployment, "d"),
        soci::use(oldest, "t");
    session << "DELETE FROM traffic WHERE id IN (SELECT id FROM (SELECT id, SUM(bytes) OVER (ORDER BY created_ms DESC, "
               "id DESC) AS held FROM traffic WHERE deployment = :d) AS t WHERE held > :max)",
        soci::use(deployment, "d"), soci::use(most, "max");
    return {};
  });
}

Result<std::vector<std::string>> TrafficStore::Deployments() {
  std::vector<std::string> out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    out.clear();
    soci::rowset<std::string> rows = (session.prepare << "SELECT DISTINCT deployment FROM traffic");
    out.assign(rows.begin(), rows.end());
    return {};
  }));
  return out;
}

}  // namespace atelier::data
