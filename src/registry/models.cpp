// Models, versions and aliases.
#include <algorithm>

#include "base/ids.h"
#include "registry/registry.h"
#include "registry/rows.h"

namespace atelier::registry {
namespace {

constexpr size_t kMaxFiles = 1000;
constexpr size_t kMaxFileNameBytes = 255;

bool IsSafeFileName(std::string_view name) {
  const bool plain = std::all_of(name.begin(), name.end(), [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' ||
           c == '-';
  });
  return plain && !name.empty() && name.size() <= kMaxFileNameBytes && name.front() != '.';
}

Status ValidateFiles(const std::map<std::string, storage::BlobRef>& files) {
  if (files.empty() || files.size() > kMaxFiles) {
    return InvalidArgument("a model version has 1 to 1000 files", "files");
  }
  for (const auto& [name, blob] : files) {
    if (!IsSafeFileName(name)) {
      return InvalidArgument("a file of a model is named by ASCII letters, digits, '.', '_' and '-'", "files");
    }
    if (!IsSha256(blob.sha256) || blob.size > static_cast<uint64_t>(std::numeric_limits<int64_t>::max())) {
      return InvalidArgument("'" + name + "' does not name a blob", "files");
    }
  }
  return {};
}

Status ValidateAlias(const std::string& alias) {
  ATELIER_TRY(ValidateName(alias, "alias"));
  const bool numeric = std::all_of(alias.begin(), alias.end(), [](char c) { return c >= '0' && c <= '9'; });
  if (numeric || alias == "latest") {
    return InvalidArgument("an alias is neither a number nor 'latest'", "alias");
  }
  return {};
}

Result<Model> FindOrCreate(soci::session& session, const std::string& name, std::string id, int64_t now_ms) {
  auto found = FindModel(session, name);
  if (found.ok() && found->name == name) {
    return found;
  }
  if (found.ok()) {
    return InvalidArgument("a model may not be named like another model's id", "model");
  }
  Model model{std::move(id), name, now_ms, 0};
  session << "INSERT INTO models (id, name, latest_version, created_ms) VALUES (:id, :name, 0, :created_ms)",
      soci::use(model.id, "id"), soci::use(model.name, "name"), soci::use(model.created_ms, "created_ms");
  return model;
}

int64_t CountDeployments(soci::session& session, const Model& model) {
  int64_t count = 0;
  session << "SELECT (SELECT COUNT(*) FROM deployments WHERE model_id = :model_id) + "
             "(SELECT COUNT(*) FROM deployment_adapters WHERE model_id = :model_id)",
      soci::use(model.id, "model_id"), soci::into(count);
  return count;
}

std::vector<int64_t> VersionNumbers(soci::session& session, const Model& model) {
  std::vector<int64_t> numbers;
  int64_t number = 0;
  soci::statement query =
      (session.prepare << "SELECT version FROM model_versions WHERE model_id = :model_id ORDER BY version",
       soci::use(model.id, "model_id"), soci::into(number));
  query.execute();
  while (query.fetch()) {
    numbers.push_back(number);
  }
  return numbers;
}

}  // namespace

Result<ModelVersion> Registry::AddVersion(soci::session& session, const std::string& name,
                                          std::map<std::string, storage::BlobRef> files, boost::json::object metadata,
                                          const std::string& job_id) {
  ATELIER_TRY(ValidateName(name, "model"));
  ATELIER_TRY(ValidateFiles(files));
  ATELIER_ASSIGN(metadata_text, ObjectToText(metadata, "model's metadata"));
  const int64_t now_ms = clock_.UnixMs();
  ATELIER_ASSIGN(model, FindOrCreate(session, name, NewId("model_", rng_), now_ms));
  ModelVersion version{model.id, model.name, model.latest_version + 1, std::move(files), std::move(metadata),
                       now_ms,   job_id};
  const std::string files_text = FilesToText(version.files);
  session << "INSERT INTO model_versions (model_id, version, files, metadata, job_id, created_ms) "
             "VALUES (:model_id, :version, :files, :metadata, :job_id, :created_ms)",
      soci::use(model.id, "model_id"), soci::use(version.version, "version"), soci::use(files_text, "files"),
      soci::use(metadata_text, "metadata"), soci::use(job_id, "job_id"), soci::use(now_ms, "created_ms");
  session << "UPDATE models SET latest_version = :version WHERE id = :id", soci::use(version.version, "version"),
      soci::use(model.id, "id");
  return version;
}

Result<Model> Registry::GetModel(const std::string& name_or_id) {
  Model model;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, FindModel(session, name_or_id));
    model = std::move(found);
    return {};
  }));
  return model;
}

Result<std::vector<Model>> Registry::ListModels(const Page& page, bool& has_more) {
  std::vector<Model> models;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(query, MakePageQuery(session, "models", "", page));
    Model row;
    soci::statement statement =
        (session.prepare << "SELECT id, name, created_ms, latest_version" + query.sql,
         soci::use(query.after_ms, "after_ms"), soci::use(query.after_id, "after_id"), soci::use(query.limit, "limit"),
         soci::into(row.id), soci::into(row.name), soci::into(row.created_ms), soci::into(row.latest_version));
    statement.execute();
    while (statement.fetch()) {
      models.push_back(row);
    }
    has_more = TrimPage(models, query);
    return {};
  }));
  return models;
}

Result<std::vector<ModelVersion>> Registry::Versions(const std::string& name_or_id) {
  std::vector<ModelVersion> versions;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(model, FindModel(session, name_or_id));
    for (const int64_t number : VersionNumbers(session, model)) {
      ATELIER_ASSIGN(version, FindVersion(session, model, number));
      versions.push_back(std::move(version));
    }
    return {};
  }));
  return versions;
}

Result<ModelVersion> Registry::Resolve(const std::string& reference) {
  ModelVersion version;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    const Reference parts = SplitReference(reference);
    ATELIER_ASSIGN(model, FindModel(session, parts.model));
    if (parts.selector.empty() && parts.model.size() != reference.size()) {
      return InvalidArgument("'" + reference + "' names no version after the '@'", "model");
    }
    ATELIER_ASSIGN(number, SelectVersion(session, model, parts.selector));
    ATELIER_ASSIGN(found, FindVersion(session, model, number));
    version = std::move(found);
    return {};
  }));
  return version;
}

Status Registry::DeleteModel(const std::string& name_or_id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(model, FindModel(session, name_or_id));
    if (CountDeployments(session, model) > 0) {
      return FailedPrecondition("model '" + model.name + "' is deployed; remove its deployments first", "in_use");
    }
    session << "DELETE FROM models WHERE id = :id", soci::use(model.id, "id");
    return {};
  });
}

Status Registry::SetAlias(const std::string& model, const std::string& alias, int64_t version) {
  ATELIER_TRY(ValidateAlias(alias));
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, FindModel(session, model));
    if (!HasVersion(session, found, version)) {
      return NotFound("model '" + found.name + "' has no version " + std::to_string(version),
                      "model_version_not_found");
    }
    session << "INSERT INTO model_aliases (model_id, alias, version) VALUES (:model_id, :alias, :version) "
               "ON CONFLICT (model_id, alias) DO UPDATE SET version = excluded.version",
        soci::use(found.id, "model_id"), soci::use(alias, "alias"), soci::use(version, "version");
    return {};
  });
}

Status Registry::DeleteAlias(const std::string& model, const std::string& alias) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, FindModel(session, model));
    soci::statement statement =
        (session.prepare << "DELETE FROM model_aliases WHERE model_id = :model_id AND alias = :alias",
         soci::use(found.id, "model_id"), soci::use(alias, "alias"));
    statement.execute(true);
    if (statement.get_affected_rows() == 0) {
      return NotFound("model '" + found.name + "' has no alias '" + alias + "'", "alias_not_found");
    }
    return {};
  });
}

Result<std::map<std::string, int64_t>> Registry::Aliases(const std::string& model) {
  std::map<std::string, int64_t> aliases;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(found, FindModel(session, model));
    std::string alias;
    int64_t version = 0;
    soci::statement statement =
        (session.prepare << "SELECT alias, version FROM model_aliases WHERE model_id = :model_id",
         soci::use(found.id, "model_id"), soci::into(alias), soci::into(version));
    statement.execute();
    while (statement.fetch()) {
      aliases[alias] = version;
    }
    return {};
  }));
  return aliases;
}

}  // namespace atelier::registry
