#include <array>

#include "data/store.h"

namespace atelier::data {
namespace {

constexpr std::string_view kDatasets = R"(
CREATE TABLE datasets (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL UNIQUE,
  created_ms BIGINT NOT NULL,
  latest_version BIGINT NOT NULL
);
CREATE INDEX datasets_by_time ON datasets (created_ms, id);
CREATE TABLE dataset_versions (
  dataset_id TEXT NOT NULL REFERENCES datasets (id),
  version BIGINT NOT NULL,
  manifest_sha256 TEXT NOT NULL,
  manifest_size BIGINT NOT NULL,
  row_count BIGINT NOT NULL,
  created_ms BIGINT NOT NULL,
  job_id TEXT NOT NULL,
  parent_version BIGINT,
  PRIMARY KEY (dataset_id, version)
);
)";

constexpr std::string_view kFiles = R"(
CREATE TABLE files (
  id TEXT PRIMARY KEY,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  created_ms BIGINT NOT NULL
);
CREATE INDEX files_by_time ON files (created_ms, id);
CREATE TABLE uploads (
  id TEXT PRIMARY KEY,
  filename TEXT NOT NULL,
  purpose TEXT NOT NULL,
  size BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  status TEXT NOT NULL,
  joined TEXT NOT NULL,
  file_id TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  expires_ms BIGINT NOT NULL
);
CREATE INDEX uploads_by_content ON uploads (sha256, size);
CREATE TABLE upload_parts (
  id TEXT PRIMARY KEY,
  upload_id TEXT NOT NULL REFERENCES uploads (id),
  position BIGINT NOT NULL,
  sha256 TEXT NOT NULL,
  size BIGINT NOT NULL,
  UNIQUE (upload_id, position)
);
)";

constexpr std::string_view kExpiry = R"(
ALTER TABLE files ADD COLUMN expires_ms BIGINT NOT NULL DEFAULT 0;
ALTER TABLE uploads ADD COLUMN life_s BIGINT NOT NULL DEFAULT 0;
)";

constexpr std::string_view kTraffic = R"(
CREATE TABLE traffic (
  id TEXT PRIMARY KEY,
  deployment TEXT NOT NULL,
  model TEXT NOT NULL,
  kind TEXT NOT NULL,
  key_id TEXT NOT NULL,
  created_ms BIGINT NOT NULL,
  request TEXT NOT NULL,
  answer TEXT NOT NULL,
  bytes BIGINT NOT NULL,
  score_millionths BIGINT NOT NULL DEFAULT 0,
  correction TEXT NOT NULL DEFAULT '',
  comment TEXT NOT NULL DEFAULT '',
  feedback_ms BIGINT NOT NULL DEFAULT 0
);
CREATE INDEX traffic_by_time ON traffic (created_ms, id);
CREATE INDEX traffic_by_deployment ON traffic (deployment, created_ms, id, bytes);
)";

constexpr std::array<storage::Migration, 4> kMigrations{
    {{"data", 1, kDatasets}, {"data", 2, kFiles}, {"data", 3, kExpiry}, {"data", 4, kTraffic}}};

}  // namespace

std::span<const storage::Migration> Migrations() { return kMigrations; }

}  // namespace atelier::data
