// Things of the API that are kept as they were written: a kind, perhaps a
// parent, and JSON.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "registry/registry.h"
#include "storage/catalogue.h"

namespace atelier::registry {

struct Document {
  std::string id{};
  std::string kind{};
  std::string parent{};  // the id of another; empty: none
  boost::json::object body{};
  int64_t created_ms = 0;
};

// Thread-safe. The table is part of registry::Migrations(). Bodies have at most
// 4 MiB: kOutOfRange.
class Documents {
 public:
  Documents(storage::Catalogue& catalogue, Clock& clock) : catalogue_(catalogue), clock_(clock) {}

  // Sets created_ms. Errors: kNotFound where its parent is not there.
  Result<Document> Add(Document document);
  // Errors: kNotFound "not_found", also where it is of another kind or parent.
  Result<Document> Get(const std::string& kind, const std::string& parent, const std::string& id);
  Result<std::vector<Document>> List(const std::string& kind, const std::string& parent, const Page& page,
                                     bool& has_more);
  // Replaces the body. Errors: kNotFound.
  Status Put(const std::string& id, const boost::json::object& body);
  // With those whose parent it is. Errors: kNotFound.
  Status Delete(const std::string& id);

 private:
  storage::Catalogue& catalogue_;
  Clock& clock_;
};

}  // namespace atelier::registry
