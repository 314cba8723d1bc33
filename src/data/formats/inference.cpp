#include "data/formats/inference.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>

#include "data/formats/cells.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxCategoryBytes = 1024;
constexpr size_t kNodeBytes = 64;        // what a kept value costs beside its text
constexpr size_t kFewCategories = 20;    // a whole-number target with at most so many values is a class
constexpr size_t kAlwaysCategories = 8;  // so few different words are categories, however few rows there are

std::string Shown(const std::string& text) { return "'" + text.substr(0, 60) + "'"; }

bool MostlyDistinct(const ColumnScan& scan) {
  return scan.many || scan.prose ||
         (scan.distinct.size() > kAlwaysCategories &&
          static_cast<int64_t>(scan.distinct.size()) * 2 > scan.words + scan.numbers);
}

// Words of people who write such columns for what there is to predict.
bool IsLabelName(const std::string& name) {
  static constexpr std::array<std::string_view, 6> kNames{"label", "target", "class", "category", "标签", "类别"};
  return std::ranges::find(kNames, LowerAscii(name)) != kNames.end();
}

ColumnType GuessFeature(const ColumnScan& scan) {
  if (scan.words == 0 && scan.nested == 0 && (!scan.texts || scan.numbers > 0 || scan.arrays > 0)) {
    return ColumnType::kNumber;
  }
  return scan.words == 0 || MostlyDistinct(scan) ? ColumnType::kText : ColumnType::kCategory;
}

Status CheckType(const ColumnScan& scan, ColumnType type) {
  const std::string column = "column '" + scan.name + "'";
  if (type == ColumnType::kNumber && scan.words > 0) {
    return InvalidArgument(scan.first_word.place + ", " + column + ": " + Shown(scan.first_word.text) + " is no number",
                           scan.name, "invalid_number");
  }
  if (type == ColumnType::kNumber && !scan.first_overflow.place.empty()) {
    return InvalidArgument(scan.first_overflow.place + ", " + column + ": " + Shown(scan.first_overflow.text) +
                               " is too large for a 32-bit float",
                           scan.name, "number_out_of_range");
  }
  if (type == ColumnType::kCategory && scan.many) {
    return InvalidArgument(column + " has too many different values, or too long ones, for categories: at most " +
                               std::to_string(kMaxCategories) + " of " + std::to_string(kMaxCategoryBytes) + " bytes",
                           scan.name, "too_many_categories");
  }
  if (type == ColumnType::kNumber && scan.nested > 0) {
    return InvalidArgument(column + " holds JSON and no numbers", scan.name, "invalid_number");
  }
  if (type == ColumnType::kCategory && scan.nested > 0) {
    return InvalidArgument(column + " holds JSON, which is no category", scan.name);
  }
  if (type != ColumnType::kNumber && scan.arrays > 0) {
    return InvalidArgument(column + " holds arrays of numbers", scan.name);
  }
  return {};
}

// The categories of a column and the number of each text that a cell of it may have.
void FillCategories(const ColumnScan& scan, Column& column, Codes& codes) {
  std::vector<std::pair<double, std::string>> numbers;
  std::vector<std::string> words;
  bool numeric = true;
  for (const auto& text : scan.distinct) {
    double value = 0;
    const NumberKind kind = ParseNumber(text, value);
    numeric = numeric && kind != NumberKind::kNone && kind != NumberKind::kOverflow;
    numbers.emplace_back(value, text);
    words.push_back(text);
  }
  if (!numeric) {
    std::ranges::sort(words);
    for (size_t i = 0; i < words.size(); ++i) {
      codes.emplace(words[i], static_cast<int32_t>(i));
    }
    column.categories = std::move(words);
    return;
  }
  std::ranges::sort(numbers);
  for (size_t i = 0; i < numbers.size(); ++i) {
    if (i == 0 || numbers[i].first != numbers[i - 1].first) {  // "1" and "1.0" are one class
      column.categories.push_back(PrintNumber(numbers[i].first));
    }
    codes.emplace(numbers[i].second, static_cast<int32_t>(column.categories.size()) - 1);
  }
}

class Planner {
 public:
  Planner(std::vector<ColumnScan> scans, const ImportOptions& options) : scans_(std::move(scans)), options_(options) {}

  Result<TablePlan> Plan(std::string format) {
    plan_.schema.format = std::move(format);
    for (const auto& scan : scans_) {
      types_.push_back(GuessFeature(scan));
    }
    ATELIER_TRY(ApplyTypes());
    ATELIER_TRY(ChooseTarget());
    for (size_t i = 0; i < scans_.size(); ++i) {
      ATELIER_TRY(CheckType(scans_[i], types_[i]));
      Column column{.name = scans_[i].name, .type = types_[i]};
      Codes codes;
      if (column.type == ColumnType::kNumber) {
        column.shape = scans_[i].shape;
      } else if (column.type == ColumnType::kCategory) {
        FillCategories(scans_[i], column, codes);
      }
      plan_.schema.columns.push_back(std::move(column));
      plan_.codes.push_back(std::move(codes));
      plan_.lines.push_back(std::ranges::find(options_.types, std::pair(scans_[i].name, std::string("lines"))) !=
                            options_.types.end());
    }
    return std::move(plan_);
  }

 private:
  Result<size_t> Find(const std::string& name, const std::string& param) const {
    for (size_t i = 0; i < scans_.size(); ++i) {
      if (scans_[i].name == name) {
        return i;
      }
    }
    std::string names;
    for (const auto& scan : scans_) {
      if (names.size() < 300) {
        names += (names.empty() ? "" : ", ") + scan.name;
      }
    }
    return InvalidArgument("there is no column '" + name + "'; the columns are: " + names, param, "column_not_found");
  }

  Status ApplyTypes() {
    forced_.assign(scans_.size(), false);
    for (const auto& [name, type] : options_.types) {
      ATELIER_ASSIGN(index, Find(name, "types"));
      types_[index] = type == "number"     ? ColumnType::kNumber
                      : type == "category" ? ColumnType::kCategory
                                           : ColumnType::kText;
      forced_[index] = true;
    }
    return {};
  }

  Status ChooseTarget() {
    if (options_.target.empty() && options_.task == "none") {
      return {};
    }
    size_t index = DefaultTarget();
    if (!options_.target.empty()) {
      ATELIER_ASSIGN(found, Find(options_.target, "target"));
      index = found;
    }
    const ColumnScan& scan = scans_[index];
    if (options_.task == "classification" || options_.task == "regression") {
      const ColumnType wanted = options_.task == "regression" ? ColumnType::kNumber : ColumnType::kCategory;
      if (scan.arrays > 0 || (forced_[index] && types_[index] != wanted)) {
        return InvalidArgument("column '" + scan.name + "' cannot be the target of " + options_.task +
                                   ", which takes a single " + std::string(Name(wanted)),
                               "target");
      }
      types_[index] = wanted;
    } else if (!forced_[index]) {
      types_[index] = GuessTarget(scan);
    }
    SetTarget(scan, types_[index]);
    return {};
  }

  // The last column, as is the custom; where that is a text, one whose name says that it is the label.
  size_t DefaultTarget() const {
    const auto fits = [&](const ColumnScan& scan) {
      return scan.arrays == 0 && GuessTarget(scan) != ColumnType::kText;
    };
    if (!fits(scans_.back())) {
      for (size_t i = 0; i < scans_.size(); ++i) {
        if (IsLabelName(scans_[i].name) && fits(scans_[i])) {
          return i;
        }
      }
    }
    return scans_.size() - 1;
  }

  ColumnType GuessTarget(const ColumnScan& scan) const {
    if (scan.nested > 0 || (scan.texts && scan.words == 0 && scan.numbers == 0)) {
      return ColumnType::kText;
    }
    if (scan.words > 0) {
      return options_.target.empty() && MostlyDistinct(scan) ? ColumnType::kText : ColumnType::kCategory;
    }
    const bool few = scan.integers && !scan.many && scan.first_overflow.place.empty() && scan.numbers > 0 &&
                     scan.distinct.size() <= kFewCategories;
    return few ? ColumnType::kCategory : ColumnType::kNumber;
  }

  void SetTarget(const ColumnScan& scan, ColumnType type) {
    if (type == ColumnType::kText || scan.arrays > 0) {
      plan_.warnings.push_back("column '" + scan.name + "' is no class and no single number, so there is no target");
      return;
    }
    plan_.schema.target = scan.name;
    if (options_.task != "none") {
      plan_.schema.task = type == ColumnType::kCategory ? Task::kClassification : Task::kRegression;
    }
  }

  std::vector<ColumnScan> scans_;
  const ImportOptions& options_;
  std::vector<ColumnType> types_;
  std::vector<bool> forced_;
  TablePlan plan_;
};

}  // namespace

void ColumnScan::Keep(std::string_view text, size_t& budget) {
  if (many || distinct.find(text) != distinct.end()) {
    return;
  }
  const size_t cost = text.size() + kNodeBytes;
  if (distinct.size() >= kMaxCategories || text.size() > kMaxCategoryBytes || cost > budget) {
    many = true;
    for (const auto& kept : distinct) {
      budget += kept.size() + kNodeBytes;
    }
    distinct = {};
    return;
  }
  budget -= cost;
  distinct.emplace(text);
}

void ColumnScan::AddCell(std::string_view cell, size_t& budget, const std::function<std::string()>& place) {
  double value = 0;
  const NumberKind kind = ParseNumber(cell, value);
  if (kind == NumberKind::kNone) {
    AddWord(cell, budget, place);
    return;
  }
  ++numbers;
  integers = integers && kind == NumberKind::kInteger;
  if (kind == NumberKind::kOverflow && first_overflow.place.empty()) {
    first_overflow = {place(), std::string(cell.substr(0, 100))};
  }
  Keep(cell, budget);
}

void ColumnScan::AddNumber(double value, size_t& budget) {
  ++numbers;
  integers = integers && std::trunc(value) == value;
  Keep(PrintNumber(value), budget);
}

void ColumnScan::AddWord(std::string_view word, size_t& budget, const std::function<std::string()>& place) {
  ++words;
  if (first_word.place.empty()) {
    first_word = {place(), std::string(word.substr(0, 100))};
  }
  Keep(word, budget);
}

Result<TablePlan> PlanTable(std::vector<ColumnScan> scans, const ImportOptions& options, std::string format) {
  if (scans.empty()) {
    return InvalidArgument("the data has no columns");
  }
  return Planner(std::move(scans), options).Plan(std::move(format));
}

Status PutCell(TableBuilder& table, const TablePlan& plan, size_t column, std::string_view raw) {
  const std::string_view cell = Trim(raw);
  const bool missing = IsMissing(cell);
  switch (plan.schema.columns[column].type) {
    case ColumnType::kNumber: {
      double value = std::numeric_limits<double>::quiet_NaN();
      if (!missing && ParseNumber(cell, value) == NumberKind::kNone) {
        return Internal("a number became a word between two passes");
      }
      table.SetNumber(column, value);
      return {};
    }
    case ColumnType::kCategory: {
      int32_t code = -1;
      if (!missing) {
        const auto found = plan.codes[column].find(cell);
        if (found == plan.codes[column].end()) {
          return Internal("a category appeared between two passes");
        }
        code = found->second;
      }
      table.SetCategory(column, code);
      return {};
    }
    default:
      table.SetBytes(column, missing ? std::string_view() : raw, missing);
      return {};
  }
}

}  // namespace atelier::data
