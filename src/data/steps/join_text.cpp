// join_text: several columns as one text.
#include <algorithm>

#include "data/steps/kinds.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

class JoinStep final : public Step {
 public:
  JoinStep(std::vector<size_t> columns, const Schema& before, std::string separator, std::vector<size_t> kept)
      : Step(kChangesLayout),
        columns_(std::move(columns)),
        definitions_(ColumnsOf(before, columns_)),
        separator_(std::move(separator)),
        kept_(std::move(kept)) {}

  Status Apply(Batch& batch) override {
    ColumnRows joined;
    joined.offsets.push_back(0);
    std::string text;
    for (size_t row = 0; row < batch.rows(); ++row) {
      text.clear();
      for (size_t i = 0; i < columns_.size(); ++i) {
        const std::string part = TextOf(definitions_[i], batch.columns[columns_[i]], row);
        if (!part.empty()) {
          text += text.empty() ? part : separator_ + part;
        }
      }
      joined.AddText(text);
    }
    std::vector<ColumnRows> columns;
    for (const size_t index : kept_) {
      columns.push_back(std::move(batch.columns[index]));
    }
    columns.push_back(std::move(joined));
    batch.columns = std::move(columns);
    return {};
  }

 private:
  std::vector<size_t> columns_;
  std::vector<SchemaColumn> definitions_;
  std::string separator_;
  std::vector<size_t> kept_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& schema) {
  const std::vector<size_t> columns = arguments.Columns("columns");
  const Schema before = schema;
  std::vector<size_t> kept;
  std::vector<SchemaColumn> after;
  for (size_t i = 0; i < before.columns.size(); ++i) {
    if (arguments.Bool("keep") || std::ranges::find(columns, i) == columns.end()) {
      kept.push_back(i);
      after.push_back(before.columns[i]);
    }
  }
  SchemaColumn joined;
  joined.name = arguments.Text("into");
  joined.type = ColumnType::kText;
  after.push_back(std::move(joined));
  schema.columns = std::move(after);
  if (schema.Find(arguments.Text("into")) != schema.columns.size() - 1) {
    return arguments.Wrong("into", "there is a column '" + arguments.Text("into") + "' already");
  }
  return std::unique_ptr<Step>(
      std::make_unique<JoinStep>(columns, before, arguments.Text("separator"), std::move(kept)));
}

constexpr Parameter kParameters[] = {
    {.name = "columns",
     .type = ParameterType::kColumns,
     .help = "What is joined, in this order; missing values are left out",
     .fallback = "",
     .columns = kScalar | kCategory | kText},
    {.name = "into", .type = ParameterType::kText, .help = "Name of the text column", .fallback = ""},
    {.name = "separator", .type = ParameterType::kText, .help = "What stands between them", .fallback = "\" \""},
    {.name = "keep", .type = ParameterType::kBool, .help = "Keep the columns joined, too", .fallback = "false"}};

}  // namespace

const StepKind kJoinTextStep{"join_text", "Join columns to one text", kParameters, Make};

}  // namespace atelier::data::steps
