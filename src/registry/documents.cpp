#include "registry/documents.h"

#include "registry/rows.h"

namespace atelier::registry {
namespace {

Error Missing(const std::string& what) { return NotFound("there is no such " + what); }

template <class Query>
Result<std::vector<Document>> Fetch(Query&& query) {
  Document row;
  std::string body;
  soci::statement statement = (query, soci::into(row.id), soci::into(row.kind), soci::into(row.parent),
                               soci::into(body), soci::into(row.created_ms));
  std::vector<Document> documents;
  statement.execute();
  while (statement.fetch()) {
    ATELIER_ASSIGN(parsed, ObjectFromText(body));
    documents.push_back(row);
    documents.back().body = std::move(parsed);
  }
  return documents;
}

bool Exists(soci::session& session, const std::string& id) {
  int count = 0;
  session << "SELECT COUNT(*) FROM documents WHERE id = :id", soci::use(id, "id"), soci::into(count);
  return count > 0;
}

}  // namespace

Documents Registry::documents() { return {catalogue_, clock_}; }

Result<Document> Documents::Add(Document document) {
  ATELIER_ASSIGN(body, ObjectToText(document.body, document.kind));
  document.created_ms = clock_.UnixMs();
  ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
    if (!document.parent.empty() && !Exists(session, document.parent)) {
      return Missing("parent");
    }
    session << "INSERT INTO documents (id, kind, parent, body, created_ms) "
               "VALUES (:id, :kind, :parent, :body, :created)",
        soci::use(document.id, "id"), soci::use(document.kind, "kind"), soci::use(document.parent, "parent"),
        soci::use(body, "body"), soci::use(document.created_ms, "created");
    return {};
  }));
  return document;
}

Result<Document> Documents::Get(const std::string& kind, const std::string& parent, const std::string& id) {
  Document document;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, Fetch((session.prepare << "SELECT id, kind, parent, body, created_ms FROM documents "
                                                    "WHERE id = :id AND kind = :kind AND parent = :parent",
                                 soci::use(id, "id"), soci::use(kind, "kind"), soci::use(parent, "parent"))));
    if (found.empty()) {
      return Missing(kind);
    }
    document = std::move(found.front());
    return {};
  }));
  return document;
}

Result<std::vector<Document>> Documents::List(const std::string& kind, const std::string& parent, const Page& page,
                                              bool& has_more) {
  std::vector<Document> documents;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(query, MakePageQuery(session, "documents", "kind = :kind AND parent = :parent", page));
    ATELIER_ASSIGN(found,
                   Fetch((session.prepare << "SELECT id, kind, parent, body, created_ms " + query.sql,
                          soci::use(kind, "kind"), soci::use(parent, "parent"), soci::use(query.after_id, "after_id"),
                          soci::use(query.after_ms, "after_ms"), soci::use(query.limit, "limit"))));
    documents = std::move(found);
    has_more = TrimPage(documents, query);
    return {};
  }));
  return documents;
}

Status Documents::Put(const std::string& id, const boost::json::object& body) {
  ATELIER_ASSIGN(text, ObjectToText(body, "document"));
  return catalogue_.Write([&](soci::session& session) -> Status {
    if (!Exists(session, id)) {
      return Missing("document");
    }
    session << "UPDATE documents SET body = :body WHERE id = :id", soci::use(text, "body"), soci::use(id, "id");
    return {};
  });
}

Status Documents::Delete(const std::string& id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    if (!Exists(session, id)) {
      return Missing("document");
    }
    session << "DELETE FROM documents WHERE id = :id OR parent = :id", soci::use(id, "id");
    return {};
  });
}

}  // namespace atelier::registry
