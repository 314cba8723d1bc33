#include <array>

#include "registry/registry.h"

namespace atelier::registry {
namespace {

constexpr std::string_view kSchema1 = R"sql(
CREATE TABLE models (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  latest_version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX models_by_time ON models (created_ms, id);
CREATE TABLE model_versions (
  model_id TEXT NOT NULL REFERENCES models (id) ON DELETE CASCADE,
  version BIGINT NOT NULL,
  files TEXT NOT NULL,
  metadata TEXT NOT NULL,
  job_id TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (model_id, version)
);
CREATE TABLE model_aliases (
  model_id TEXT NOT NULL,
  alias TEXT NOT NULL,
  version BIGINT NOT NULL,
  PRIMARY KEY (model_id, alias),
  FOREIGN KEY (model_id, version) REFERENCES model_versions (model_id, version) ON DELETE CASCADE
);
CREATE TABLE evaluations (
  id TEXT NOT NULL PRIMARY KEY,
  model_id TEXT NOT NULL,
  model_version BIGINT NOT NULL,
  dataset_name TEXT NOT NULL,
  dataset_version BIGINT NOT NULL,
  split TEXT NOT NULL,
  metrics TEXT NOT NULL,
  job_id TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  FOREIGN KEY (model_id, model_version) REFERENCES model_versions (model_id, version) ON DELETE CASCADE
);
CREATE INDEX evaluations_by_time ON evaluations (created_ms, id);
CREATE INDEX evaluations_by_model ON evaluations (model_id, model_version);
CREATE TABLE deployments (
  id TEXT NOT NULL PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  model_id TEXT NOT NULL REFERENCES models (id),
  versions TEXT NOT NULL,
  previous TEXT NOT NULL,
  settings TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  updated_ms BIGINT NOT NULL
);
)sql";

constexpr std::string_view kSchema2 = R"sql(
CREATE TABLE deployment_adapters (
  deployment_id TEXT NOT NULL REFERENCES deployments (id) ON DELETE CASCADE,
  name TEXT NOT NULL,
  model_id TEXT NOT NULL,
  version BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  PRIMARY KEY (deployment_id, name),
  FOREIGN KEY (model_id, version) REFERENCES model_versions (model_id, version)
);
)sql";

constexpr std::string_view kSchema3 = R"sql(
ALTER TABLE evaluations ADD COLUMN predictions TEXT NOT NULL DEFAULT '';
ALTER TABLE deployments ADD COLUMN gate TEXT NOT NULL DEFAULT '';
)sql";

constexpr std::string_view kSchema4 = R"sql(
CREATE TABLE documents (
  id TEXT NOT NULL PRIMARY KEY,
  kind TEXT NOT NULL,
  parent TEXT NOT NULL,
  body TEXT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX documents_by_time ON documents (kind, parent, created_ms, id);
)sql";

constexpr std::array<storage::Migration, 4> kMigrations{
    {{"registry", 1, kSchema1}, {"registry", 2, kSchema2}, {"registry", 3, kSchema3}, {"registry", 4, kSchema4}}};

}  // namespace

std::span<const storage::Migration> Migrations() { return kMigrations; }

}  // namespace atelier::registry
