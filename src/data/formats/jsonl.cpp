// JSON: an array of objects, or an object a line. Two passes, as for CSV. Values are typed, so a string is never taken
// for a number unless the options say so; booleans are the categories "false" and "true". Objects, and arrays of other
// things than numbers, are kept as JSON text, so that chats and preferences come through as they are.
#include <algorithm>
#include <cmath>
#include <limits>
#include <map>

#include "base/json.h"
#include "data/formats/cells.h"
#include "data/formats/format.h"
#include "data/formats/inference.h"
#include "data/formats/json_items.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxColumns = 4096;
constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxArrayDimensions = 6;
constexpr size_t kMaxDepth = 32;
constexpr size_t kLongText = 256;  // a string of more bytes is a text and no category

using Place = std::function<std::string()>;

Error Bad(const Place& place, const std::string& what, const std::string& reason = "invalid_jsonl") {
  return InvalidArgument(place() + ": " + what, "files", reason);
}

// Calls `use` for each object of one file.
Status ForEachObject(FormatContext& context, const SourceFile& file,
                     const std::function<Status(const json::object&, const Place&)>& use) {
  ATELIER_ASSIGN(input, context.Open(file));
  JsonItems items(input->Source(), file.path);
  const Place place = [&] { return items.Place(); };
  std::string_view text;
  while (true) {
    ATELIER_ASSIGN(more, items.Next(text));
    if (!more) {
      return {};
    }
    auto value = ParseJson(text, {.max_bytes = kMaxLineBytes, .max_depth = kMaxDepth});
    if (!value.ok()) {
      return Bad(place, value.error().message);
    }
    if (!value->is_object()) {
      return Bad(place, "this is no JSON object");
    }
    ATELIER_TRY(use(value->get_object(), place));
  }
}

bool AsNumber(const json::value& value, double& out) {
  if (value.is_int64()) {
    out = static_cast<double>(value.get_int64());
  } else if (value.is_uint64()) {
    out = static_cast<double>(value.get_uint64());
  } else if (value.is_double()) {
    out = value.get_double();
  } else {
    return false;
  }
  return true;
}

bool FitsFloat(double value) { return std::abs(value) <= static_cast<double>(std::numeric_limits<float>::max()); }

// Appends the numbers of a nested array and finds its shape. Recursion is bounded by kMaxArrayDimensions.
bool Flatten(const json::array& array, size_t depth, std::vector<int64_t>& shape, std::vector<float>& out) {
  if (depth >= kMaxArrayDimensions || array.empty()) {
    return false;
  }
  const auto size = static_cast<int64_t>(array.size());
  if (shape.size() == depth) {
    if (!out.empty()) {
      return false;  // deeper than the numbers before
    }
    shape.push_back(size);
  } else if (shape[depth] != size) {
    return false;
  }
  for (const auto& item : array) {
    double number = 0;
    if (item.is_array()) {
      if (!Flatten(item.get_array(), depth + 1, shape, out)) {
        return false;
      }
    } else if (AsNumber(item, number) && FitsFloat(number) && shape.size() == depth + 1) {
      out.push_back(static_cast<float>(number));
    } else {
      return false;
    }
  }
  return true;
}

// Whether an array is meant as one of numbers: its first item is one, or the first item of its first item and so on.
bool IsNumbers(const json::array& array) {
  const json::array* inner = &array;
  for (size_t depth = 0; depth < kMaxArrayDimensions && !inner->empty(); ++depth) {
    if (!inner->front().is_array()) {
      return inner->front().is_number();
    }
    inner = &inner->front().get_array();
  }
  return false;
}

// Strings one a line; false where the array holds anything else.
bool JoinLines(const json::array& array, std::string& out) {
  for (const auto& item : array) {
    if (!item.is_string()) {
      return false;
    }
    out.append(out.empty() ? "" : "\n").append(item.get_string());
  }
  return true;
}

std::string ShapeText(const std::vector<int64_t>& shape) {
  std::string out;
  for (const int64_t size : shape) {
    out += (out.empty() ? "" : ", ") + std::to_string(size);
  }
  return "[" + out + "]";
}

class Scanner {
 public:
  explicit Scanner(const ImportOptions& options) {
    for (const auto& [name, type] : options.types) {
      loose_.emplace(name, type);
    }
  }

  Status Add(const json::object& object, const Place& place) {
    for (const auto& member : object) {
      ATELIER_ASSIGN(index, Column(member.key(), place));
      ATELIER_TRY(AddValue(scans_[index], member.value(), place));
    }
    ++rows_;
    return {};
  }

  int64_t rows() const { return rows_; }
  std::vector<ColumnScan> Take() { return std::move(scans_); }

 private:
  Result<size_t> Column(std::string_view name, const Place& place) {
    const auto found = index_.find(name);
    if (found != index_.end()) {
      return found->second;
    }
    if (name.empty() || name.size() > kMaxNameBytes || scans_.size() >= kMaxColumns) {
      return Bad(place, "field '" + std::string(name.substr(0, 60)) +
                            "': names have 1 to 256 bytes, and there are at "
                            "most 4096 of them");
    }
    scans_.emplace_back();
    scans_.back().name = std::string(name);
    index_.emplace(std::string(name), scans_.size() - 1);
    return scans_.size() - 1;
  }

  Status AddValue(ColumnScan& scan, const json::value& value, const Place& place) {
    const std::string field = "field '" + scan.name + "'";
    double number = 0;
    if (value.is_null()) {
      ++scan.missing;
    } else if (value.is_string()) {
      AddString(scan, value.get_string(), place);
    } else if (value.is_bool()) {
      scan.AddWord(value.get_bool() ? "true" : "false", budget_, place);
    } else if (AsNumber(value, number)) {
      if (!FitsFloat(number)) {
        return Bad(place, field + ": the number is too large for a 32-bit float", "number_out_of_range");
      }
      scan.AddNumber(number, budget_);
    } else if (value.is_array() && value.get_array().empty()) {
      scan.texts = true;  // of what, other rows say
    } else if (value.is_array() && IsNumbers(value.get_array()) && LooseType(scan.name) != "text") {
      ATELIER_TRY(AddArray(scan, value.get_array(), place));
    } else {
      ++scan.nested;
    }
    const int kinds =
        (scan.numbers > 0 ? 1 : 0) + (scan.words > 0 ? 1 : 0) + (scan.arrays > 0 ? 1 : 0) + (scan.nested > 0 ? 1 : 0);
    if (kinds > 1 && (scan.arrays > 0 || LooseType(scan.name).empty())) {
      return Bad(place, field + " has another type than in the rows before");
    }
    return {};
  }

  // The type that the options give a column; empty: none.
  std::string_view LooseType(const std::string& name) const {
    const auto found = loose_.find(name);
    return found == loose_.end() ? std::string_view() : found->second;
  }

  void AddString(ColumnScan& scan, std::string_view text, const Place& place) {
    scan.texts = true;
    scan.prose = scan.prose || text.size() > kLongText;
    if (Trim(text).empty()) {
      ++scan.missing;
    } else if (LooseType(scan.name) == "number") {
      IsMissing(Trim(text)) ? static_cast<void>(++scan.missing) : scan.AddCell(Trim(text), budget_, place);
    } else {
      scan.AddWord(text, budget_, place);
    }
  }

  Status AddArray(ColumnScan& scan, const json::array& array, const Place& place) {
    std::vector<int64_t> shape;
    std::vector<float> values;
    const std::string field = "field '" + scan.name + "'";
    if (!Flatten(array, 0, shape, values)) {
      return Bad(place, field + " is no regular array of numbers");
    }
    if (scan.arrays > 0 && scan.shape != shape) {
      return Bad(place, field + " has the shape " + ShapeText(shape) + ", before it was " + ShapeText(scan.shape));
    }
    scan.shape = std::move(shape);
    ++scan.arrays;
    return {};
  }

  std::map<std::string, std::string, std::less<>> loose_;  // columns whose type the options give
  std::vector<ColumnScan> scans_;
  std::map<std::string, size_t, std::less<>> index_;
  size_t budget_ = kDistinctBudget;
  int64_t rows_ = 0;
};

// The text under which the first pass kept a scalar; the JSON of others.
std::string ScalarText(const json::value& value) {
  double number = 0;
  if (value.is_bool()) {
    return value.get_bool() ? "true" : "false";
  }
  if (AsNumber(value, number)) {
    return PrintNumber(number);
  }
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

// What a text column holds of a value.
std::string ValueText(const json::value& value, bool lines) {
  std::string joined;
  return lines && value.is_array() && JoinLines(value.get_array(), joined) ? joined : ScalarText(value);
}

Status PutCategory(TableBuilder& table, const Codes& codes, size_t column, const std::string& text) {
  if (Trim(text).empty()) {
    table.SetCategory(column, -1);
    return {};
  }
  const auto found = codes.find(text);
  if (found == codes.end()) {
    return Internal("a category appeared between two passes");
  }
  table.SetCategory(column, found->second);
  return {};
}

Status PutArray(TableBuilder& table, const Column& definition, size_t column, const json::value* value) {
  size_t size = 1;
  for (const int64_t side : definition.shape) {
    size *= static_cast<size_t>(side);
  }
  std::vector<float> numbers;
  std::vector<int64_t> shape;
  if (value == nullptr || value->is_null() || (value->is_array() && value->get_array().empty())) {
    numbers.assign(size, std::numeric_limits<float>::quiet_NaN());
  } else if (!value->is_array() || !Flatten(value->get_array(), 0, shape, numbers) || numbers.size() != size) {
    return Internal("an array changed between two passes");
  }
  table.SetNumbers(column, numbers);
  return {};
}

Status PutValue(TableBuilder& table, const TablePlan& plan, size_t column, const json::value* value) {
  const Column& definition = plan.schema.columns[column];
  const bool missing = value == nullptr || value->is_null();
  if (!definition.shape.empty()) {
    return PutArray(table, definition, column, value);
  }
  double number = std::numeric_limits<double>::quiet_NaN();
  switch (definition.type) {
    case ColumnType::kNumber:
      if (!missing && !AsNumber(*value, number)) {
        return PutCell(table, plan, column, ScalarText(*value));
      }
      table.SetNumber(column, number);
      return {};
    case ColumnType::kCategory:
      return PutCategory(table, plan.codes[column], column, missing ? "" : ScalarText(*value));
    default:
      table.SetBytes(column, missing ? "" : ValueText(*value, plan.lines[column]), missing);
      return {};
  }
}

Status Read(FormatContext& context) {
  Scanner scanner(context.options);
  for (const auto& file : context.files) {
    ATELIER_TRY(ForEachObject(
        context, file, [&](const json::object& object, const Place& place) { return scanner.Add(object, place); }));
  }
  if (scanner.rows() == 0) {
    return InvalidArgument(context.files.front().path + ": there are no rows", "files", "invalid_jsonl");
  }
  ATELIER_ASSIGN(plan, PlanTable(scanner.Take(), context.options, "jsonl"));
  for (auto& warning : plan.warnings) {
    context.table.Warn(std::move(warning));
  }
  ATELIER_TRY(context.table.Begin(plan.schema));
  for (const auto& file : context.files) {
    const auto split = SplitFromPath(file.path);
    ATELIER_TRY(ForEachObject(context, file, [&](const json::object& object, const Place& /*place*/) -> Status {
      for (size_t i = 0; i < plan.schema.columns.size(); ++i) {
        ATELIER_TRY(PutValue(context.table, plan, i, object.if_contains(plan.schema.columns[i].name)));
      }
      return context.table.EndRow(split);
    }));
  }
  return {};
}

bool Claims(std::string_view path) {
  const std::string extension = DataExtension(path);
  return extension == "jsonl" || extension == "ndjson" || extension == "json";
}

}  // namespace

const Format kJsonlFormat{.name = "jsonl", .passes = 2, .claims = Claims, .read = Read};
const Format kJsonFormat{.name = "json", .passes = 2, .claims = Claims, .read = Read};

}  // namespace atelier::data
