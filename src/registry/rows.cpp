#include "registry/rows.h"

#include <algorithm>
#include <charconv>

#include "base/ids.h"
#include "base/json.h"
#include "storage/blob_json.h"

namespace atelier::registry {
namespace {

constexpr size_t kMaxObjectBytes = size_t{4} << 20U;
constexpr int kMaxPage = 100;

Error Damaged() { return DataLoss("a row of the registry is damaged"); }

Result<json::value> ParseColumn(const std::string& text) {
  auto value = ParseJson(text, {2 * kMaxObjectBytes, 64});
  return value.ok() ? std::move(value) : Result<json::value>(Damaged());
}

}  // namespace

std::string FilesToText(const std::map<std::string, storage::BlobRef>& files) {
  json::object object;
  for (const auto& [name, blob] : files) {
    object[name] = storage::ToJson(blob);
  }
  return json::serialize(object);
}

Result<std::map<std::string, storage::BlobRef>> FilesFromText(const std::string& text) {
  ATELIER_ASSIGN(object, ObjectFromText(text));
  std::map<std::string, storage::BlobRef> files;
  for (const auto& member : object) {
    if (!member.value().is_object()) {
      return Damaged();
    }
    auto blob = storage::BlobRefFromJson(member.value().get_object(), "files");
    if (!blob.ok()) {
      return Damaged();
    }
    files.emplace(member.key(), std::move(blob).value());
  }
  return files;
}

std::string VersionsToText(const std::vector<DeployedVersion>& versions) {
  json::array array;
  for (const auto& version : versions) {
    array.push_back(json::object{{"version", version.version}, {"weight", version.weight}});
  }
  return json::serialize(array);
}

Result<std::vector<DeployedVersion>> VersionsFromText(const std::string& text) {
  ATELIER_ASSIGN(value, ParseColumn(text));
  if (!value.is_array()) {
    return Damaged();
  }
  std::vector<DeployedVersion> versions;
  for (const auto& item : value.get_array()) {
    if (!item.is_object()) {
      return Damaged();
    }
    versions.push_back({GetInt(item.get_object(), "version"), static_cast<int>(GetInt(item.get_object(), "weight"))});
  }
  return versions;
}

Result<std::string> ObjectToText(const boost::json::object& object, std::string_view what) {
  std::string text = json::serialize(object);
  if (text.size() > kMaxObjectBytes) {
    return MakeError(Code::kOutOfRange, "the " + std::string(what) + " are larger than 4 MiB");
  }
  return text;
}

Result<boost::json::object> ObjectFromText(const std::string& text) {
  ATELIER_ASSIGN(value, ParseColumn(text));
  if (!value.is_object()) {
    return Damaged();
  }
  return std::move(value.get_object());
}

Result<Model> FindModel(soci::session& session, const std::string& name_or_id) {
  Model model;
  // An id means its model even where somebody named another one like it.
  session << "SELECT id, name, created_ms, latest_version FROM models WHERE id = :key OR name = :key "
             "ORDER BY CASE WHEN id = :key THEN 0 ELSE 1 END LIMIT 1",
      soci::use(name_or_id, "key"), soci::into(model.id), soci::into(model.name), soci::into(model.created_ms),
      soci::into(model.latest_version);
  if (!session.got_data()) {
    return NotFound("there is no model '" + name_or_id + "'", "model_not_found");
  }
  return model;
}

Result<ModelVersion> FindVersion(soci::session& session, const Model& model, int64_t version) {
  ModelVersion found;
  found.model_id = model.id;
  found.model_name = model.name;
  found.version = version;
  std::string files;
  std::string metadata;
  session << "SELECT files, metadata, job_id, created_ms FROM model_versions "
             "WHERE model_id = :model_id AND version = :version",
      soci::use(model.id, "model_id"), soci::use(version, "version"), soci::into(files), soci::into(metadata),
      soci::into(found.job_id), soci::into(found.created_ms);
  if (!session.got_data()) {
    return NotFound("model '" + model.name + "' has no version " + std::to_string(version), "model_version_not_found");
  }
  ATELIER_ASSIGN(parsed_files, FilesFromText(files));
  ATELIER_ASSIGN(parsed_metadata, ObjectFromText(metadata));
  found.files = std::move(parsed_files);
  found.metadata = std::move(parsed_metadata);
  return found;
}

bool HasVersion(soci::session& session, const Model& model, int64_t version) {
  int count = 0;
  session << "SELECT COUNT(*) FROM model_versions WHERE model_id = :model_id AND version = :version",
      soci::use(model.id, "model_id"), soci::use(version, "version"), soci::into(count);
  return count > 0;
}

Reference SplitReference(const std::string& reference) {
  const size_t at = reference.find('@');
  return at == std::string::npos ? Reference{reference, ""}
                                 : Reference{reference.substr(0, at), reference.substr(at + 1)};
}

std::optional<int64_t> ParseVersion(std::string_view text) {
  int64_t version = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), version);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  return whole && text[0] != '0' && version > 0 ? std::optional(version) : std::nullopt;
}

Result<int64_t> SelectVersion(soci::session& session, const Model& model, const std::string& selector) {
  if (selector.empty() || selector == "latest") {
    return model.latest_version;
  }
  if (std::all_of(selector.begin(), selector.end(), [](char c) { return c >= '0' && c <= '9'; })) {
    const auto version = ParseVersion(selector);
    if (!version || !HasVersion(session, model, *version)) {
      return NotFound("model '" + model.name + "' has no version " + selector, "model_version_not_found");
    }
    return *version;
  }
  int64_t version = 0;
  session << "SELECT version FROM model_aliases WHERE model_id = :model_id AND alias = :alias",
      soci::use(model.id, "model_id"), soci::use(selector, "alias"), soci::into(version);
  if (!session.got_data()) {
    return NotFound("model '" + model.name + "' has no alias '" + selector + "'", "alias_not_found");
  }
  return version;
}

Result<PageQuery> MakePageQuery(soci::session& session, std::string_view table, std::string_view filter,
                                const Page& page) {
  PageQuery query;
  query.limit = std::clamp(page.limit, 1, kMaxPage) + 1;
  query.after_id = page.after;
  std::string where(filter);
  if (!page.after.empty()) {
    session << "SELECT created_ms FROM " + std::string(table) + " WHERE id = :id", soci::use(page.after, "id"),
        soci::into(query.after_ms);
    if (!session.got_data()) {
      return InvalidArgument("there is no '" + page.after + "' to go on after", "after");
    }
    where += std::string(where.empty() ? "" : " AND ") + "(created_ms, id) " + (page.descending ? "<" : ">") +
             " (:after_ms, :after_id)";
  } else {
    // Names the parameters all the same, so that every page binds alike.
    where += std::string(where.empty() ? "" : " AND ") + "(:after_ms = 0 AND :after_id = '')";
  }
  const std::string direction = page.descending ? " DESC" : " ASC";
  query.sql = " FROM " + std::string(table) + " WHERE " + where + " ORDER BY created_ms" + direction + ", id" +
              direction + " LIMIT :limit";
  return query;
}

}  // namespace atelier::registry
