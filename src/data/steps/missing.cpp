// drop_missing, fill_missing.
#include <algorithm>
#include <cmath>

#include "data/formats/cells.h"
#include "data/steps/kinds.h"
#include "data/steps/summary.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

class DropStep final : public Step {
 public:
  DropStep(std::vector<size_t> columns, bool all, const Schema& schema)
      : Step(kChangesRows), columns_(std::move(columns)), all_(all), definitions_(ColumnsOf(schema, columns_)) {}

  Status Apply(Batch& batch) override {
    std::vector<uint8_t> keep(batch.rows());
    for (size_t row = 0; row < keep.size(); ++row) {
      size_t missing = 0;
      for (size_t i = 0; i < columns_.size(); ++i) {
        missing += IsMissing(definitions_[i], batch.columns[columns_[i]], keep.size(), row) ? 1 : 0;
      }
      keep[row] = missing == 0 || (all_ && missing < columns_.size()) ? 1 : 0;
    }
    batch.Keep(keep);
    return {};
  }

 private:
  std::vector<size_t> columns_;
  bool all_;
  std::vector<SchemaColumn> definitions_;
};

Result<std::unique_ptr<Step>> MakeDropMissing(const Arguments& arguments, Schema& schema) {
  return std::unique_ptr<Step>(
      std::make_unique<DropStep>(arguments.Columns("columns"), arguments.Text("how") == "all", schema));
}

enum class With { kMean, kMedian, kMode };

// The most frequent category of each column.
class ModeFitter final : public Fitter {
 public:
  ModeFitter(std::vector<size_t> columns, bool train_only, std::unique_ptr<Fitter> numbers)
      : columns_(std::move(columns)), train_only_(train_only), counts_(columns_.size()), numbers_(std::move(numbers)) {}

  Status Observe(const Batch& batch) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      const auto& codes = batch.columns[columns_[i]].codes;
      for (size_t row = 0; row < codes.size(); ++row) {
        if (codes[row] < 0 || (train_only_ && batch.splits[row] != static_cast<uint8_t>(Split::kTrain))) {
          continue;
        }
        const auto code = static_cast<size_t>(codes[row]);
        counts_[i].resize(std::max(counts_[i].size(), code + 1));
        ++counts_[i][code];
      }
    }
    return numbers_->Observe(batch);
  }

  Result<json::object> Finish() override {
    ATELIER_ASSIGN(out, numbers_->Finish());
    json::array modes;
    for (const auto& counts : counts_) {
      modes.push_back(counts.empty() ? -1 : std::ranges::max_element(counts) - counts.begin());
    }
    out["modes"] = std::move(modes);
    return out;
  }

 private:
  std::vector<size_t> columns_;
  bool train_only_;
  std::vector<std::vector<int64_t>> counts_;
  std::unique_ptr<Fitter> numbers_;
};

// Puts a statistic of each column in the place of its missing values.
class FillStep final : public Step {
 public:
  FillStep(SummaryRequest numbers, std::vector<size_t> categories, With with)
      : Step(kFits | (numbers.train_only ? kReadsSplit : 0)),
        numbers_(std::move(numbers)),
        categories_(std::move(categories)),
        with_(with) {}

  Result<std::unique_ptr<Fitter>> Fit(const FitContext& context) override {
    return std::unique_ptr<Fitter>(
        std::make_unique<ModeFitter>(categories_, numbers_.train_only, MakeSummaryFitter(numbers_, context)));
  }

  Status Load(const json::object& state, const std::filesystem::path& /*folder*/, Schema& /*schema*/) override {
    ATELIER_ASSIGN(summaries, SummariesFromJson(state, numbers_.columns.size()));
    for (const Summary& summary : summaries) {
      const double value = with_ == With::kMean ? summary.mean : with_ == With::kMedian ? summary.median : summary.mode;
      values_.push_back(summary.count == 0 ? std::numeric_limits<float>::quiet_NaN() : static_cast<float>(value));
    }
    const json::value* modes = state.if_contains("modes");
    if (modes == nullptr || !modes->is_array() || modes->get_array().size() != categories_.size()) {
      return DataLoss("the statistics of a step are damaged");
    }
    for (const auto& mode : modes->get_array()) {
      codes_.push_back(static_cast<int32_t>(mode.is_int64() ? mode.get_int64() : -1));
    }
    return {};
  }

  Status Apply(Batch& batch) override {
    for (size_t i = 0; i < values_.size(); ++i) {
      for (float& value : batch.columns[numbers_.columns[i]].numbers) {
        value = std::isnan(value) ? values_[i] : value;
      }
    }
    for (size_t i = 0; i < codes_.size(); ++i) {
      std::ranges::replace(batch.columns[categories_[i]].codes, -1, codes_[i]);
    }
    return {};
  }

 private:
  SummaryRequest numbers_;
  std::vector<size_t> categories_;
  With with_;
  std::vector<float> values_;
  std::vector<int32_t> codes_;
};

// Puts one value in the place of the missing ones of all columns.
class ConstantStep final : public Step {
 public:
  struct Target {
    size_t column = 0;
    ColumnType type = ColumnType::kNumber;
    std::vector<int32_t> places{};  // category: of the old codes in the new labels
    int32_t code = -1;
  };
  ConstantStep(float number, std::string text, std::vector<Target> targets)
      : Step(kChangesLayout), number_(number), text_(std::move(text)), targets_(std::move(targets)) {}

  Status Apply(Batch& batch) override {
    for (const Target& target : targets_) {
      ColumnRows& values = batch.columns[target.column];
      for (float& value : values.numbers) {
        value = std::isnan(value) ? number_ : value;
      }
      for (int32_t& code : values.codes) {
        code = code < 0 ? target.code : target.places[static_cast<size_t>(code)];
      }
      if (target.type == ColumnType::kText) {
        FillTexts(values, batch.rows());
      }
    }
    return {};
  }

 private:
  void FillTexts(ColumnRows& values, size_t rows) const {
    ColumnRows filled;
    filled.offsets = {0};
    for (size_t row = 0; row < rows; ++row) {
      const std::string_view text = values.Text(row);
      filled.AddText(text.empty() ? std::string_view(text_) : text);
    }
    values = std::move(filled);
  }

  float number_;
  std::string text_;
  std::vector<Target> targets_;
};

// The label among the column's, added where it is new.
ConstantStep::Target AddLabel(size_t index, const std::string& label, SchemaColumn& column) {
  ConstantStep::Target target{.column = index, .type = ColumnType::kCategory};
  std::vector<std::string> labels = column.categories;
  labels.push_back(label);
  SortedLabels sorted = SortLabels(labels);
  target.code = sorted.places.back();
  sorted.places.pop_back();
  target.places = std::move(sorted.places);
  column.categories = std::move(sorted.labels);
  return target;
}

Result<std::unique_ptr<Step>> MakeConstant(const Arguments& arguments, Schema& schema) {
  if (!arguments.Has("value") || arguments.Value("value").is_bool()) {
    return arguments.Wrong("value", "with 'constant', 'value' takes a text or a number");
  }
  const json::value& value = arguments.Value("value");
  double number = std::numeric_limits<double>::quiet_NaN();
  const std::string text = value.is_string() ? std::string(value.get_string()) : PrintNumber(value.to_number<double>());
  const NumberKind kind = ParseNumber(text, number);
  std::vector<ConstantStep::Target> targets;
  for (const size_t index : arguments.Columns("columns")) {
    SchemaColumn& column = schema.columns[index];
    if (column.type == ColumnType::kNumber && (kind == NumberKind::kNone || kind == NumberKind::kOverflow)) {
      return arguments.Wrong(
          "value", "column '" + column.name + "' holds numbers, and '" + text.substr(0, 100) + "' is none that fits");
    }
    targets.push_back(column.type == ColumnType::kCategory
                          ? AddLabel(index, text, column)
                          : ConstantStep::Target{.column = index, .type = column.type});
  }
  return std::unique_ptr<Step>(std::make_unique<ConstantStep>(static_cast<float>(number), text, std::move(targets)));
}

Result<std::unique_ptr<Step>> MakeFill(const Arguments& arguments, Schema& schema) {
  const std::string with = arguments.Text("with");
  if (with == "constant") {
    return MakeConstant(arguments, schema);
  }
  if (arguments.Has("value")) {
    return arguments.Wrong("value", "'value' belongs to with: constant");
  }
  const std::vector<size_t> columns = arguments.Columns("columns");
  SummaryRequest numbers{.quantiles = with != "mean", .train_only = arguments.Text("fit_on") == "train"};
  std::vector<size_t> categories;
  for (size_t i = 0; i < columns.size(); ++i) {
    const SchemaColumn& column = schema.columns[columns[i]];
    if (column.type == ColumnType::kText || (column.type == ColumnType::kCategory && with != "mode")) {
      return arguments.Wrong(
          "columns[" + std::to_string(i) + "]",
          "column '" + column.name + "' is of the type " + std::string(Name(column.type)) + ", which has no " + with);
    }
    (column.type == ColumnType::kNumber ? numbers.columns : categories).push_back(columns[i]);
  }
  return std::unique_ptr<Step>(std::make_unique<FillStep>(std::move(numbers), std::move(categories),
                                                          with == "mean"     ? With::kMean
                                                          : with == "median" ? With::kMedian
                                                                             : With::kMode));
}

constexpr Parameter kDropParameters[] = {
    {.name = "columns", .type = ParameterType::kColumns, .help = "Where to look; absent: all", .fallback = "all"},
    {.name = "how",
     .type = ParameterType::kChoice,
     .help = "Drop a row in which any, or all, of these values are missing",
     .fallback = "\"any\"",
     .choices = "any|all"}};

constexpr Parameter kFillParameters[] = {
    {.name = "columns",
     .type = ParameterType::kColumns,
     .help = "Columns to fill",
     .fallback = "",
     .columns = kScalar | kCategory | kText},
    {.name = "with",
     .type = ParameterType::kChoice,
     .help = "A statistic of the column (mean and median: numbers; mode: numbers and categories), or a constant",
     .fallback = "",
     .choices = "mean|median|mode|constant"},
    {.name = "value", .type = ParameterType::kScalarValue, .help = "The constant", .fallback = "null"},
    kFitOnParameter};

}  // namespace

const StepKind kDropMissingStep{"drop_missing", "Drop rows with missing values", kDropParameters, MakeDropMissing};
const StepKind kFillMissingStep{"fill_missing", "Fill missing values", kFillParameters, MakeFill};

}  // namespace atelier::data::steps
