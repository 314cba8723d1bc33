// cast: columns of one type become columns of another.
#include <cmath>
#include <limits>

#include "data/formats/cells.h"
#include "data/steps/kinds.h"
#include "data/steps/labels.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

class CastStep final : public Step {
 public:
  struct Options {
    ColumnType to = ColumnType::kNumber;
    bool fail = true;  // else what cannot be cast is missing
    bool learn = false;
  };

  CastStep(std::vector<size_t> columns, std::vector<SchemaColumn> before, Options options)
      : Step(kChangesLayout | (options.learn ? kFits : 0)),
        columns_(std::move(columns)),
        before_(std::move(before)),
        options_(options) {}

  void SetLabels(const std::vector<std::vector<std::string>>& labels, Schema& after) {
    for (size_t i = 0; i < columns_.size(); ++i) {
      SchemaColumn& column = after.columns[columns_[i]];
      column.categories = labels[i];
      column.open = false;
      indices_.emplace_back(labels[i]);
    }
  }

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& /*context*/) override {
    return MakeLabelFitter(columns_, before_);
  }

  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& schema) override {
    ATELIER_ASSIGN(labels, LabelsFromJson(state, columns_.size()));
    SetLabels(labels, schema);
    return {};
  }

  Status Apply(Batch& batch) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      ATELIER_ASSIGN(values, Cast(i, batch));
      batch.columns[columns_[i]] = std::move(values);
    }
    return {};
  }

 private:
  Result<ColumnRows> Cast(size_t i, const Batch& batch) {
    const SchemaColumn& from = before_[i];
    const ColumnRows& values = batch.columns[columns_[i]];
    ColumnRows out;
    if (options_.to == ColumnType::kText) {
      out.offsets.push_back(0);
    }
    for (size_t row = 0; row < batch.rows(); ++row) {
      const std::string text = TextOf(from, values, row);
      if (options_.to == ColumnType::kText) {
        out.AddText(text);
        continue;
      }
      if (!Put(i, text, out) && options_.fail) {
        return InvalidArgument(RowName(batch, row) + ", column '" + from.name + "': '" + text.substr(0, 100) + "' is " +
                                   (options_.to == ColumnType::kNumber ? "no number that fits" : "none of the labels"),
                               from.name, "invalid_value");
      }
    }
    return out;
  }

  // false where the text cannot be what is wanted; it counts as missing then.
  bool Put(size_t i, const std::string& text, ColumnRows& out) {
    if (options_.to == ColumnType::kCategory) {
      out.codes.push_back(text.empty() ? -1 : indices_[i].Find(text));
      return text.empty() || out.codes.back() >= 0;
    }
    const std::string_view cell = Trim(text);
    double number = std::numeric_limits<double>::quiet_NaN();
    const NumberKind kind = data::IsMissing(cell) ? NumberKind::kDecimal : ParseNumber(cell, number);
    const bool good = kind != NumberKind::kNone && kind != NumberKind::kOverflow;
    out.numbers.push_back(good ? static_cast<float>(number) : std::numeric_limits<float>::quiet_NaN());
    return good;
  }

  std::vector<size_t> columns_;
  std::vector<SchemaColumn> before_;  // of these columns
  Options options_;
  std::vector<LabelIndex> indices_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& schema) {
  const std::string to = arguments.Text("to");
  const std::vector<size_t> columns = arguments.Columns("columns");
  CastStep::Options options{.to = to == "number"     ? ColumnType::kNumber
                                  : to == "category" ? ColumnType::kCategory
                                                     : ColumnType::kText,
                            .fail = arguments.Text("errors") == "fail"};
  if (arguments.Has("categories") && options.to != ColumnType::kCategory) {
    return arguments.Wrong("categories", "'categories' belongs to to: category");
  }
  options.learn = options.to == ColumnType::kCategory && !arguments.Has("categories");
  auto step = std::make_unique<CastStep>(columns, ColumnsOf(schema, columns), options);
  for (const size_t index : columns) {
    SchemaColumn& column = schema.columns[index];
    column.type = options.to;
    column.categories.clear();
    column.open = options.learn;
  }
  if (arguments.Has("categories")) {
    const SortedLabels sorted = SortLabels(arguments.Texts("categories"));
    step->SetLabels(std::vector(columns.size(), sorted.labels), schema);
  }
  return std::unique_ptr<Step>(std::move(step));
}

constexpr Parameter kParameters[] = {
    {.name = "columns",
     .type = ParameterType::kColumns,
     .help = "Columns to cast",
     .fallback = "",
     .columns = kScalar | kCategory | kText},
    {.name = "to",
     .type = ParameterType::kChoice,
     .help = "The type wanted",
     .fallback = "",
     .choices = "number|category|text"},
    {.name = "categories",
     .type = ParameterType::kTexts,
     .help = "The labels of a category; absent: all values that there are",
     .fallback = "null"},
    {.name = "errors",
     .type = ParameterType::kChoice,
     .help = "What a value that cannot be cast does: the job fails, or the value is missing",
     .fallback = "\"fail\"",
     .choices = "fail|missing"}};

}  // namespace

const StepKind kCastStep{"cast", "Give columns another type", kParameters, Make};

}  // namespace atelier::data::steps
