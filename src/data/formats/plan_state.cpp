// A table's plan as JSON, for a run that goes on after a kill.
#include "base/json.h"
#include "data/formats/inference.h"

namespace atelier::data {
namespace {

constexpr std::string_view kName = "plan.json";
constexpr size_t kMaxItems = size_t{1} << 24U;

json::object ColumnJson(const Column& column, const Codes& codes) {
  json::object texts;
  for (const auto& [text, code] : codes) {
    texts.emplace(text, code);
  }
  return {{"name", column.name},
          {"type", static_cast<int64_t>(column.type)},
          {"shape", json::array(column.shape.begin(), column.shape.end())},
          {"categories", json::array(column.categories.begin(), column.categories.end())},
          {"codes", std::move(texts)}};
}

Status ReadColumn(const json::object& object, TablePlan& plan) {
  Fields fields(object);
  Column column;
  Codes codes;
  ATELIER_ASSIGN(name, fields.String("name"));
  ATELIER_ASSIGN(type, fields.Int("type", 0, static_cast<int64_t>(ColumnType::kAudio)));
  ATELIER_ASSIGN(categories, fields.StringsOr("categories", {}, kMaxItems));
  ATELIER_ASSIGN(shape, fields.ArrayOr("shape", 16));
  ATELIER_ASSIGN(texts, fields.ObjectOr("codes"));
  if (shape == nullptr || texts == nullptr) {
    return DataLoss("the checkpoint is damaged");
  }
  for (const auto& size : *shape) {
    column.shape.push_back(size.is_int64() ? size.get_int64() : 0);
  }
  for (const auto& [text, code] : *texts) {
    const int64_t value = code.is_int64() ? code.get_int64() : -1;
    if (value < 0 || value >= static_cast<int64_t>(categories.size())) {
      return DataLoss("the checkpoint is damaged");
    }
    codes.emplace(text, static_cast<int32_t>(value));
  }
  column.name = std::move(name);
  column.type = static_cast<ColumnType>(type);
  column.categories = std::move(categories);
  plan.schema.columns.push_back(std::move(column));
  plan.codes.push_back(std::move(codes));
  return {};
}

}  // namespace

Status KeepPlan(Checkpoint& checkpoint, const TablePlan& plan) {
  if (!checkpoint.enabled()) {
    return {};
  }
  json::array columns;
  for (size_t i = 0; i < plan.schema.columns.size(); ++i) {
    columns.push_back(ColumnJson(plan.schema.columns[i], plan.codes[i]));
  }
  return checkpoint.Write(kName, {{"format", plan.schema.format},
                                  {"target", plan.schema.target},
                                  {"task", static_cast<int64_t>(plan.schema.task)},
                                  {"columns", std::move(columns)},
                                  {"warnings", json::array(plan.warnings.begin(), plan.warnings.end())}});
}

std::optional<TablePlan> ReadPlan(const Checkpoint& checkpoint) {
  const auto saved = checkpoint.Read(kName);
  if (!saved) {
    return std::nullopt;
  }
  TablePlan plan;
  plan.schema.format = GetString(*saved, "format");
  plan.schema.target = GetString(*saved, "target");
  plan.schema.task = static_cast<Task>(GetInt(*saved, "task"));
  Fields fields(*saved);
  const auto columns = fields.ArrayOr("columns", kMaxItems);
  const auto warnings = fields.StringsOr("warnings", {}, kMaxItems);
  if (!columns.ok() || *columns == nullptr || !warnings.ok()) {
    return std::nullopt;
  }
  plan.warnings = *warnings;
  for (const auto& item : **columns) {
    if (!item.is_object() || !ReadColumn(item.get_object(), plan).ok()) {
      return std::nullopt;
    }
  }
  return plan;
}

}  // namespace atelier::data
