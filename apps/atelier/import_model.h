// The body of `import_model` jobs.
#pragma once

#include <boost/json.hpp>
#include <optional>
#include <vector>

#include "base/result.h"
#include "engine/importing/import.h"
#include "jobs/host.h"
#include "storage/blob_store.h"

namespace atelier::apps {

// From spec["files"] (path, blob) to the files and the metadata of a model version, loaded once to prove that it runs.
Result<boost::json::object> ImportModelJob(jobs::Host& host);

struct ImportSource {
  engine::ModelSource model;
  std::optional<storage::BlobRef> blob{};  // nothing: it is not in the store yet
};

// The same with files that lie on this machine. `lineage` says where they came from.
Result<boost::json::object> ImportSources(jobs::Host& host, storage::BlobStore& store,
                                          const std::vector<ImportSource>& sources, boost::json::object lineage);

}  // namespace atelier::apps
