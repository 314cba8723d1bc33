#include "data/formats/text_columns.h"

namespace atelier::data {

Status CheckFixedColumns(const ImportOptions& options, const std::string& format, const std::string& target) {
  if (!options.types.empty()) {
    return InvalidArgument("the columns of the format '" + format + "' have fixed types", "types");
  }
  if (!options.target.empty() && options.target != target) {
    return InvalidArgument(
        target.empty() ? "there is no target in the format '" + format + "'" : "the target is '" + target + "'",
        "target");
  }
  if (options.task == "regression" || (options.task == "classification" && target.empty())) {
    return InvalidArgument("the format '" + format + "' has no target for " + options.task, "task");
  }
  return {};
}

Result<Manifest> TextSchema(const ImportOptions& options, std::string format, std::vector<std::string> names) {
  if (!options.columns.empty()) {
    if (options.columns.size() != names.size()) {
      return InvalidArgument("the option columns names " + std::to_string(options.columns.size()) +
                                 " columns, the files have " + std::to_string(names.size()),
                             "columns");
    }
    names = options.columns;
  }
  Manifest schema;
  schema.format = std::move(format);
  for (auto& name : names) {
    schema.columns.push_back({.name = std::move(name), .type = ColumnType::kText});
  }
  return schema;
}

}  // namespace atelier::data
