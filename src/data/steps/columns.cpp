// select, drop, rename, set_target: which columns there are and what they are called.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

// Leaves these columns, in this order.
class SelectStep final : public Step {
 public:
  explicit SelectStep(std::vector<size_t> kept) : Step(kChangesLayout), kept_(std::move(kept)) {}

  Status Apply(Batch& batch) override {
    std::vector<ColumnRows> columns;
    columns.reserve(kept_.size());
    for (const size_t index : kept_) {
      columns.push_back(std::move(batch.columns[index]));
    }
    batch.columns = std::move(columns);
    return {};
  }

 private:
  std::vector<size_t> kept_;
};

std::unique_ptr<Step> Leave(std::vector<size_t> kept, Schema& schema) {
  std::vector<SchemaColumn> columns;
  for (const size_t index : kept) {
    columns.push_back(std::move(schema.columns[index]));
  }
  schema.columns = std::move(columns);
  return std::make_unique<SelectStep>(std::move(kept));
}

Result<std::unique_ptr<Step>> MakeSelect(const Arguments& arguments, Schema& schema) {
  return Leave(arguments.Columns("columns"), schema);
}

Result<std::unique_ptr<Step>> MakeDrop(const Arguments& arguments, Schema& schema) {
  const std::vector<size_t> dropped = arguments.Columns("columns");
  std::vector<size_t> kept;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (std::ranges::find(dropped, i) == dropped.end()) {
      kept.push_back(i);
    }
  }
  return Leave(std::move(kept), schema);
}

Result<std::unique_ptr<Step>> MakeRename(const Arguments& arguments, Schema& schema) {
  std::vector<std::pair<size_t, std::string>> names;
  std::string target = schema.target;
  for (const auto& member : arguments.Map("columns")) {
    const std::string from(member.key());
    const auto found = schema.Find(from);
    if (!found) {
      return arguments.Wrong("columns." + from.substr(0, 100), "there is no column '" + from.substr(0, 100) + "' here");
    }
    if (!member.value().is_string()) {
      return arguments.Wrong("columns." + from, "a column needs a name");
    }
    names.emplace_back(*found, std::string(member.value().get_string()));
    if (from == schema.target) {
      target = names.back().second;
    }
  }
  for (const auto& [index, name] : names) {  // at once, so that two columns can change their names
    schema.columns[index].name = name;
  }
  schema.target = target;
  return std::unique_ptr<Step>(std::make_unique<NothingStep>());
}

Result<std::unique_ptr<Step>> MakeTarget(const Arguments& arguments, Schema& schema) {
  schema.target.clear();
  schema.task = Task::kNone;
  if (arguments.Has("column")) {
    schema.target = schema.columns[arguments.Column("column")].name;
    schema.task = Task::kRegression;  // Settle makes it the one that fits the column
  }
  return std::unique_ptr<Step>(std::make_unique<NothingStep>());
}

constexpr Parameter kColumnsParameters[] = {
    {.name = "columns", .type = ParameterType::kColumns, .help = "The columns, in the order wanted", .fallback = ""}};
constexpr Parameter kRenameParameters[] = {
    {.name = "columns", .type = ParameterType::kMap, .help = "Old name: new name", .fallback = ""}};
constexpr Parameter kTargetParameters[] = {{.name = "column",
                                            .type = ParameterType::kColumn,
                                            .help = "The column that a model is to predict; absent: none",
                                            .fallback = "null",
                                            .columns = kScalar | kCategory}};

}  // namespace

const StepKind kSelectStep{"select", "Leave only these columns, in this order", kColumnsParameters, MakeSelect};
const StepKind kDropStep{"drop", "Drop columns", kColumnsParameters, MakeDrop};
const StepKind kRenameStep{"rename", "Give columns other names", kRenameParameters, MakeRename};
const StepKind kTargetStep{"set_target", "Say which column is the target", kTargetParameters, MakeTarget};

}  // namespace atelier::data::steps
