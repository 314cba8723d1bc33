#include "data/store.h"

#include <charconv>

#include "base/ids.h"
#include "data/paging.h"

namespace atelier::data {
namespace {

constexpr const char* kVersionColumns =
    "version, manifest_sha256, manifest_size, row_count, created_ms, job_id, parent_version";

Dataset ToDataset(const soci::row& row) {
  Dataset out;
  out.id = row.get<std::string>(0);
  out.name = row.get<std::string>(1);
  out.created_ms = row.get<long long>(2);
  out.latest_version = row.get<long long>(3);
  return out;
}

DatasetVersion ToVersion(const soci::row& row, const Dataset& dataset) {
  DatasetVersion out;
  out.dataset_id = dataset.id;
  out.dataset_name = dataset.name;
  out.version = row.get<long long>(0);
  out.manifest = {row.get<std::string>(1), static_cast<uint64_t>(row.get<long long>(2))};
  out.rows = row.get<long long>(3);
  out.created_ms = row.get<long long>(4);
  out.job_id = row.get<std::string>(5);
  if (row.get_indicator(6) == soci::i_ok) {
    out.parent_version = row.get<long long>(6);
  }
  return out;
}

Result<Dataset> FindDataset(soci::session& session, const std::string& name_or_id) {
  // A name that looks like an id wins over the id: names are what people choose.
  soci::rowset<soci::row> rows = (session.prepare << "SELECT id, name, created_ms, latest_version FROM datasets "
                                                     "WHERE name = :n OR id = :i",
                                  soci::use(name_or_id, "n"), soci::use(name_or_id, "i"));
  std::optional<Dataset> found;
  for (const auto& row : rows) {
    Dataset dataset = ToDataset(row);
    if (!found || dataset.name == name_or_id) {
      found = std::move(dataset);
    }
  }
  if (!found) {
    return NotFound("there is no data set '" + name_or_id + "'", "dataset_not_found");
  }
  return *std::move(found);
}

Result<DatasetVersion> FindVersion(soci::session& session, const Dataset& dataset, int64_t version) {
  const long long wanted = version == 0 ? dataset.latest_version : version;
  soci::row row;
  session << "SELECT " << kVersionColumns << " FROM dataset_versions WHERE dataset_id = :d AND version = :v",
      soci::use(dataset.id, "d"), soci::use(wanted, "v"), soci::into(row);
  if (!session.got_data()) {
    return NotFound("data set '" + dataset.name + "' has no version " + std::to_string(version),
                    "dataset_version_not_found");
  }
  return ToVersion(row, dataset);
}

}  // namespace

Result<DatasetVersion> Store::AddVersion(soci::session& session, const std::string& name, NewVersion added) {
  ATELIER_TRY(ValidateName(name, "name"));
  const long long now = clock_.UnixMs();
  auto found = FindDataset(session, name);
  Dataset dataset;
  if (found.ok() && found->name == name) {
    dataset = std::move(found).value();
  } else {
    dataset = {.id = NewId("dset_", rng_), .name = name, .created_ms = now, .latest_version = 0};
    session << "INSERT INTO datasets (id, name, created_ms, latest_version) VALUES (:id, :name, :created, 0)",
        soci::use(dataset.id, "id"), soci::use(name, "name"), soci::use(now, "created");
  }
  DatasetVersion version{.dataset_id = dataset.id,
                         .dataset_name = name,
                         .version = dataset.latest_version + 1,
                         .manifest = added.manifest,
                         .rows = added.rows,
                         .created_ms = now,
                         .job_id = added.job_id,
                         .parent_version = added.parent_version};
  const long long number = version.version;
  const auto size = static_cast<long long>(added.manifest.size);
  const long long count = added.rows;
  const long long parent = added.parent_version.value_or(0);
  soci::indicator has_parent = added.parent_version ? soci::i_ok : soci::i_null;
  session << "INSERT INTO dataset_versions (dataset_id, version, manifest_sha256, manifest_size, row_count, "
             "created_ms, job_id, parent_version) VALUES (:d, :v, :sha, :size, :rows, :created, :job, :parent)",
      soci::use(dataset.id, "d"), soci::use(number, "v"), soci::use(added.manifest.sha256, "sha"),
      soci::use(size, "size"), soci::use(count, "rows"), soci::use(now, "created"), soci::use(added.job_id, "job"),
      soci::use(parent, has_parent, "parent");
  session << "UPDATE datasets SET latest_version = :v WHERE id = :d", soci::use(number, "v"),
      soci::use(dataset.id, "d");
  return version;
}

Result<Dataset> Store::Get(const std::string& name_or_id) {
  Dataset out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(dataset, FindDataset(session, name_or_id));
    out = std::move(dataset);
    return {};
  }));
  return out;
}

Result<DatasetVersion> Store::GetVersion(const std::string& name_or_id, int64_t version) {
  DatasetVersion out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(dataset, FindDataset(session, name_or_id));
    ATELIER_ASSIGN(found, FindVersion(session, dataset, version));
    out = std::move(found);
    return {};
  }));
  return out;
}

Result<std::vector<Dataset>> Store::List(const Page& page, bool& has_more) {
  std::vector<Dataset> out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    out.clear();
    ATELIER_ASSIGN(cursor, FindCursor(session, "datasets", page));
    const long long created = cursor.created_ms;
    soci::rowset<soci::row> rows =
        (session.prepare << "SELECT id, name, created_ms, latest_version FROM datasets WHERE " << PageClause(page),
         soci::use(created, "t"), soci::use(created, "t2"), soci::use(cursor.id, "i"));
    for (const auto& row : rows) {
      out.push_back(ToDataset(row));
    }
    return {};
  }));
  CutPage(out, page, has_more);
  return out;
}

Result<std::vector<DatasetVersion>> Store::Versions(const std::string& name_or_id) {
  std::vector<DatasetVersion> out;
  ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
    out.clear();
    ATELIER_ASSIGN(dataset, FindDataset(session, name_or_id));
    soci::rowset<soci::row> rows = (session.prepare << "SELECT " << kVersionColumns
                                                    << " FROM dataset_versions WHERE dataset_id = :d ORDER BY version",
                                    soci::use(dataset.id, "d"));
    for (const auto& row : rows) {
      out.push_back(ToVersion(row, dataset));
    }
    return {};
  }));
  return out;
}

Status Store::Delete(const std::string& name_or_id) {
  return catalogue_.Write([&](soci::session& session) -> Status {
    ATELIER_ASSIGN(dataset, FindDataset(session, name_or_id));
    session << "DELETE FROM dataset_versions WHERE dataset_id = :d", soci::use(dataset.id, "d");
    session << "DELETE FROM datasets WHERE id = :d", soci::use(dataset.id, "d");
    return {};
  });
}

Result<Reference> ParseReference(std::string_view text, std::string_view param) {
  Reference out;
  const size_t at = text.find('@');
  out.name = std::string(text.substr(0, at));
  ATELIER_TRY(ValidateName(out.name, param));
  if (at == std::string_view::npos) {
    return out;
  }
  const std::string_view version = text.substr(at + 1);
  if (version == "latest") {
    return out;
  }
  const auto [end, code] = std::from_chars(version.data(), version.data() + version.size(), out.version);
  if (code != std::errc() || end != version.data() + version.size() || out.version < 1) {
    return InvalidArgument("'" + std::string(text) + "' must be NAME or NAME@VERSION with a version from 1",
                           std::string(param));
  }
  return out;
}

}  // namespace atelier::data
