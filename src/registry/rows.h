// The registry's rows: columns to structs and back. Everything here lets SQL exceptions out, for the catalogue to turn
// into errors.
#pragma once

#include <soci/soci.h>

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "registry/registry.h"

namespace atelier::registry {

// Files and versions as the JSON text of a column. Reading gives kDataLoss where the text is not what was written.
std::string FilesToText(const std::map<std::string, storage::BlobRef>& files);
Result<std::map<std::string, storage::BlobRef>> FilesFromText(const std::string& text);
std::string VersionsToText(const std::vector<DeployedVersion>& versions);
Result<std::vector<DeployedVersion>> VersionsFromText(const std::string& text);
// kOutOfRange above 4 MiB.
Result<std::string> ObjectToText(const boost::json::object& object, std::string_view what);
Result<boost::json::object> ObjectFromText(const std::string& text);

// kNotFound "model_not_found".
Result<Model> FindModel(soci::session& session, const std::string& name_or_id);
// kNotFound "model_version_not_found".
Result<ModelVersion> FindVersion(soci::session& session, const Model& model, int64_t version);
bool HasVersion(soci::session& session, const Model& model, int64_t version);

// Those of one version, the newest first; at most 1000.
Result<std::vector<Evaluation>> FindEvaluations(soci::session& session, const Model& model, int64_t version);

// The deployment with its adapters. kNotFound "deployment_not_found".
Result<Deployment> FindDeployment(soci::session& session, const std::string& name_or_id);
std::vector<DeployedAdapter> FindAdapters(soci::session& session, const std::string& deployment_id);

// "name@3" cut at the '@'; `selector` is empty without one.
struct Reference {
  std::string model;
  std::string selector;
};
Reference SplitReference(const std::string& reference);
// A version number written the one way it is: no sign, no leading zero.
std::optional<int64_t> ParseVersion(std::string_view text);
// The version that a selector means: "" and "latest", a number, or an alias. kNotFound "model_version_not_found",
// "alias_not_found".
Result<int64_t> SelectVersion(soci::session& session, const Model& model, const std::string& selector);

// One page of a table ordered by (created_ms, id), from `page`.
struct PageQuery {
  std::string sql;       // the text after the columns: FROM, WHERE, ORDER BY, LIMIT
  std::string after_id;  // to bind as :after_id
  int64_t after_ms = 0;  // to bind as :after_ms
  int64_t limit = 0;     // to bind as :limit; one more than the page, to see whether there is more
};
// `filter` is a condition of the module's own, such as "model_id = :model_id". kInvalidArgument "after" when no such
// row is there.
Result<PageQuery> MakePageQuery(soci::session& session, std::string_view table, std::string_view filter,
                                const Page& page);

// Cuts the extra row of a page off.
template <class Row>
bool TrimPage(std::vector<Row>& rows, const PageQuery& query) {
  const bool more = static_cast<int64_t>(rows.size()) >= query.limit;
  if (more) {
    rows.pop_back();
  }
  return more;
}

}  // namespace atelier::registry
