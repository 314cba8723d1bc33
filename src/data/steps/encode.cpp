// one_hot, ordinal: labels as numbers.
#include <algorithm>
#include <limits>

#include "data/steps/kinds.h"
#include "data/steps/labels.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

constexpr size_t kMaxOneHot = 1000;

// One number column a label, behind the others.
class OneHotStep final : public Step {
 public:
  struct Source {
    size_t column = 0;
    std::vector<int32_t> slots{};  // of each code: the new column; -1: none
    size_t width = 0;
  };
  OneHotStep(std::vector<Source> sources, std::vector<size_t> kept)
      : Step(kChangesLayout), sources_(std::move(sources)), kept_(std::move(kept)) {}

  Status Apply(Batch& batch) override {
    std::vector<ColumnRows> columns;
    for (const size_t index : kept_) {
      columns.push_back(batch.columns[index]);
    }
    for (const Source& source : sources_) {
      const size_t first = columns.size();
      columns.resize(first + source.width);
      for (size_t i = 0; i < source.width; ++i) {
        columns[first + i].numbers.assign(batch.rows(), 0);
      }
      const auto& codes = batch.columns[source.column].codes;
      for (size_t row = 0; row < codes.size(); ++row) {
        const int32_t slot = codes[row] < 0 ? -1 : source.slots[static_cast<size_t>(codes[row])];
        if (slot >= 0) {
          columns[first + static_cast<size_t>(slot)].numbers[row] = 1;
        }
      }
    }
    batch.columns = std::move(columns);
    return {};
  }

 private:
  std::vector<Source> sources_;
  std::vector<size_t> kept_;
};

Status CheckClosed(const Arguments& arguments, const SchemaColumn& column, size_t i, const char* parameter) {
  return !column.open ? Status()
                      : Status(arguments.Wrong("columns[" + std::to_string(i) + "]",
                                               "the labels of column '" + column.name +
                                                   "' are known only when the data have been read; list them in '" +
                                                   parameter + "', or in the step that makes the column"));
}

Result<std::unique_ptr<Step>> MakeOneHot(const Arguments& arguments, Schema& schema) {
  const std::vector<size_t> columns = arguments.Columns("columns");
  std::vector<OneHotStep::Source> sources;
  std::vector<SchemaColumn> added;
  for (size_t i = 0; i < columns.size(); ++i) {
    const SchemaColumn& column = schema.columns[columns[i]];
    if (!arguments.Has("categories")) {
      ATELIER_TRY(CheckClosed(arguments, column, i, "categories"));
    }
    const auto labels = arguments.Has("categories") ? arguments.Texts("categories") : column.categories;
    if (labels.size() > kMaxOneHot) {
      return arguments.Wrong(
          "columns[" + std::to_string(i) + "]",
          "column '" + column.name + "' has " + std::to_string(labels.size()) + " labels; one_hot takes at most 1000");
    }
    const LabelIndex index(labels);
    OneHotStep::Source source{.column = columns[i], .width = labels.size()};
    for (const std::string& label : column.categories) {
      source.slots.push_back(index.Find(label));
    }
    sources.push_back(std::move(source));
    for (const std::string& label : labels) {
      SchemaColumn number;
      number.name = column.name + "_" + label;
      added.push_back(std::move(number));
    }
  }
  std::vector<size_t> kept;
  std::vector<SchemaColumn> after;
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    if (arguments.Bool("keep") || std::ranges::find(columns, i) == columns.end()) {
      kept.push_back(i);
      after.push_back(std::move(schema.columns[i]));
    }
  }
  after.insert(after.end(), std::make_move_iterator(added.begin()), std::make_move_iterator(added.end()));
  schema.columns = std::move(after);
  return std::unique_ptr<Step>(std::make_unique<OneHotStep>(std::move(sources), std::move(kept)));
}

// The place of the label in an order.
class OrdinalStep final : public Step {
 public:
  OrdinalStep(std::vector<size_t> columns, std::vector<std::vector<float>> numbers)
      : Step(kChangesLayout), columns_(std::move(columns)), numbers_(std::move(numbers)) {}

  Status Apply(Batch& batch) override {
    for (size_t i = 0; i < columns_.size(); ++i) {
      ColumnRows out;
      for (const int32_t code : batch.columns[columns_[i]].codes) {
        out.numbers.push_back(code < 0 ? std::numeric_limits<float>::quiet_NaN()
                                       : numbers_[i][static_cast<size_t>(code)]);
      }
      batch.columns[columns_[i]] = std::move(out);
    }
    return {};
  }

 private:
  std::vector<size_t> columns_;
  std::vector<std::vector<float>> numbers_;
};

Result<std::unique_ptr<Step>> MakeOrdinal(const Arguments& arguments, Schema& schema) {
  const std::vector<size_t> columns = arguments.Columns("columns");
  std::vector<std::vector<float>> numbers;
  for (const size_t index : columns) {
    SchemaColumn& column = schema.columns[index];
    const LabelIndex order(arguments.Has("order") ? arguments.Texts("order") : column.categories);
    std::vector<float> places;
    for (const std::string& label : column.categories) {
      const int32_t place = order.Find(label);
      if (place < 0) {
        return arguments.Wrong(
            "order", "the label '" + label.substr(0, 100) + "' of column '" + column.name + "' is missing in 'order'");
      }
      places.push_back(static_cast<float>(place));
    }
    numbers.push_back(std::move(places));
    column.type = ColumnType::kNumber;
    column.categories.clear();
    column.open = false;
  }
  return std::unique_ptr<Step>(std::make_unique<OrdinalStep>(columns, std::move(numbers)));
}

constexpr Parameter kColumns{.name = "columns",
                             .type = ParameterType::kColumns,
                             .help = "Category columns; absent: all but the target",
                             .fallback = "features",
                             .columns = kCategory};
constexpr Parameter kOneHotParameters[] = {
    kColumns,
    {.name = "categories",
     .type = ParameterType::kTexts,
     .help = "The labels that get a column; absent: all of the column",
     .fallback = "null"},
    {.name = "keep", .type = ParameterType::kBool, .help = "Keep the category column, too", .fallback = "false"}};
constexpr Parameter kOrdinalParameters[] = {kColumns,
                                            {.name = "order",
                                             .type = ParameterType::kTexts,
                                             .help = "The labels in order, the first becomes 0; absent: as they are",
                                             .fallback = "null"}};

}  // namespace

const StepKind kOneHotStep{"one_hot", "A number column of 0 and 1 for each label (NAME_LABEL)", kOneHotParameters,
                           MakeOneHot};
const StepKind kOrdinalStep{"ordinal", "The place of a label in an order, as a number", kOrdinalParameters,
                            MakeOrdinal};

}  // namespace atelier::data::steps
