// What an interrupted job goes on from: small JSON files in a folder, each replaced as a whole and durably, and the
// splits of a table that is being built, which only grow.
#pragma once

#include <boost/json.hpp>
#include <filesystem>
#include <optional>
#include <string_view>

#include "base/result.h"
#include "data/table_builder.h"

namespace atelier::data {

// Not thread-safe.
class Checkpoint {
 public:
  // Keeps nothing.
  Checkpoint() = default;
  // Keeps things in the folder, which is made where absent.
  static Result<Checkpoint> Open(std::filesystem::path folder);

  bool enabled() const { return !folder_.empty(); }
  const std::filesystem::path& folder() const { return folder_; }

  // Nothing where there is no such file, or it is none of ours.
  std::optional<boost::json::object> Read(std::string_view name) const;
  Status Write(std::string_view name, const boost::json::object& object);

  // To be called from TableBuilder::OnShard; `position` says what comes next.
  Status SaveTable(const TableBuilder& table, boost::json::object position);
  // Restores the table and gives the position; nothing, and the table is as it was, where there is no whole checkpoint.
  std::optional<boost::json::object> RestoreTable(TableBuilder& table, const Manifest& schema);

  // Removes the folder: the job is done.
  void Clear();

 private:
  std::filesystem::path folder_;
  size_t saved_splits_ = 0;
};

}  // namespace atelier::data
