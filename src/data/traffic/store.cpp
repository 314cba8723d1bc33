#include "data/traffic/store.h"

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

}  // namespace

Status TrafficStore::Insert(std::span<const Exchange> exchanges) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    for (const Exchange& one : exchanges) {
      const long long created = one.created_ms;
      const auto bytes = static_cast<long long>(one.request.size() + one.answer.size());
      session << "INSERT INTO traffic (id, deployment, model, kind, key_id, created_ms, request, answer, bytes) VALUES "
                 "(:id, :dep, :model, :kind, :key, :at, :req, :ans, :bytes) ON CONFLICT (id) DO NOTHING",
          soci::use(one.id, "id"), soci::use(one.deployment, "dep"), soci::use(one.model, "model"),
          soci::use(one.kind, "kind"), soci::use(one.key_id, "key"), soci::use(created, "at"),
          soci::use(one.request, "req"), soci::use(one.answer, "ans"), soci::use(bytes, "bytes");
    }
    return {};
  });
}

Status TrafficStore::SetFeedback(const std::string& id, const Feedback& feedback) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    const long long now = clock_.UnixMs();
    const long long score = Millionths(feedback.score);
    soci::statement update =
        (session.prepare << "UPDATE traffic SET score_millionths = :score, correction = :fix, comment = :text, "
                            "feedback_ms = :now WHERE id = :id",
         soci::use(score, "score"), soci::use(feedback.correction, "fix"), soci::use(feedback.comment, "text"),
         soci::use(now, "now"), soci::use(id, "id"));
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
  const bool scored = query.min_score.has_value() || query.max_score.has_value();
  const long long least = Millionths(query.min_score.value_or(-1));
  const long long most = Millionths(query.max_score.value_or(1));
  const long long from = query.from_ms;
  const long long to = query.to_ms == 0 ? std::numeric_limits<int64_t>::max() : query.to_ms;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    out.clear();
    ATELIER_ASSIGN(cursor, FindCursor(session, "traffic", page));
    const long long created = cursor.created_ms;
    const std::string score = scored
                                  ? "feedback_ms > 0 AND score_millionths >= :least AND score_millionths <= :most AND "
                                  : ":least <= 1000000 AND :most <= 1000000 AND ";
    soci::rowset<soci::row> rows =
        (session.prepare << "SELECT " << kColumns << " FROM traffic WHERE (deployment = :d OR :d2 = '') AND "
                         << "(kind = :k OR :k2 = '') AND created_ms >= :from AND created_ms < :to AND " << score
                         << PageClause(page),
         soci::use(query.deployment, "d"), soci::use(query.deployment, "d2"), soci::use(query.kind, "k"),
         soci::use(query.kind, "k2"), soci::use(from, "from"), soci::use(to, "to"), soci::use(least, "least"),
         soci::use(most, "most"), soci::use(created, "t"), soci::use(created, "t2"), soci::use(cursor.id, "i"));
    for (const auto& row : rows) {
      out.push_back(ToRecord(row));
    }
    return {};
  }));
  CutPage(out, page, has_more);
  return out;
}

Status TrafficStore::ForEach(const TrafficQuery& query,
                             const std::function<Status(const TrafficRecord& record)>& visit) {
  Page page{.after = "", .limit = 256, .descending = false};
  for (bool more = true; more;) {
    ATELIER_ASSIGN(records, List(query, page, more));
    for (const TrafficRecord& record : records) {
      ATELIER_TRY(visit(record));
    }
    page.after = records.empty() ? "" : records.back().id;
  }
  return {};
}

Status TrafficStore::Trim(const std::string& deployment, int64_t oldest_ms, int64_t max_bytes) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    const long long oldest = oldest_ms;
    session << "DELETE FROM traffic WHERE deployment = :d AND created_ms < :t", soci::use(deployment, "d"),
        soci::use(oldest, "t");
    while (true) {
      long long bytes = 0;
      session << "SELECT COALESCE(SUM(bytes), 0) FROM traffic WHERE deployment = :d", soci::use(deployment, "d"),
          soci::into(bytes);
      if (bytes <= max_bytes) {
        return {};
      }
      session
          << "DELETE FROM traffic WHERE id IN (SELECT id FROM traffic WHERE deployment = :d ORDER BY created_ms, id "
             "LIMIT 256)",
          soci::use(deployment, "d");
    }
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
