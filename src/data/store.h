// Data sets and their versions in the catalogue.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "data/manifest.h"
#include "storage/catalogue.h"

namespace atelier::data {

struct Dataset {
  std::string id;    // dset_...
  std::string name;  // unique
  int64_t created_ms = 0;
  int64_t latest_version = 0;  // 0: none yet
};

struct DatasetVersion {
  std::string dataset_id;
  std::string dataset_name;
  int64_t version = 0;        // 1, 2, ...
  storage::BlobRef manifest;  // its JSON
  int64_t rows = 0;
  int64_t created_ms = 0;
  std::string job_id;  // the job that made it
  std::optional<int64_t> parent_version{};
};

// What a job has made.
struct NewVersion {
  storage::BlobRef manifest;
  int64_t rows = 0;
  std::string job_id;
  std::optional<int64_t> parent_version{};
};

inline constexpr int kMaxPageRows = 10'000;

struct Page {
  std::string after;  // an id; empty: from the start
  int limit = 20;     // 1..kMaxPageRows
  bool descending = true;
};

std::span<const storage::Migration> Migrations();

// Thread-safe.
class Store {
 public:
  Store(storage::Catalogue& catalogue, Clock& clock, Rng& rng) : catalogue_(catalogue), clock_(clock), rng_(rng) {}

  // Inside a job's commit: appends a version to the named data set, creating it where absent.
  Result<DatasetVersion> AddVersion(soci::session& session, const std::string& name, NewVersion added);
  Result<Dataset> Get(const std::string& name_or_id);
  // version 0: the latest. Errors: kNotFound "dataset_not_found" | "dataset_version_not_found".
  Result<DatasetVersion> GetVersion(const std::string& name_or_id, int64_t version);
  Result<std::vector<Dataset>> List(const Page& page, bool& has_more);
  Result<std::vector<DatasetVersion>> Versions(const std::string& name_or_id);
  // Removes the data set and its versions from the catalogue. Blobs stay for others that share them.
  Status Delete(const std::string& name_or_id);

 private:
  storage::Catalogue& catalogue_;
  Clock& clock_;
  Rng& rng_;
};

// "NAME" or "NAME@V" -> name and version (0: latest). Errors: kInvalidArgument.
struct Reference {
  std::string name;
  int64_t version = 0;
};
Result<Reference> ParseReference(std::string_view text, std::string_view param);

}  // namespace atelier::data
