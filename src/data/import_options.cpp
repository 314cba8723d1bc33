#include <algorithm>
#include <set>
#include <span>

#include "base/json.h"
#include "data/formats/transcoder.h"
#include "data/importer.h"
#include "data/splitter.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxTypes = 4096;
constexpr size_t kMaxPatternBytes = 1024;
constexpr int64_t kMaxSkippedLines = 1'000'000;
constexpr int64_t kMaxSeed = std::numeric_limits<int64_t>::max();

Status OneOf(const std::string& value, std::span<const std::string_view> allowed, const std::string& param) {
  if (std::ranges::find(allowed, value) != allowed.end()) {
    return {};
  }
  std::string list;
  for (const auto word : allowed) {
    list += (list.empty() ? "'" : ", '") + (word == "\t" ? "\\t" : std::string(word)) + "'";
  }
  return InvalidArgument("'" + param + "' takes one of " + list, param);
}

Status OneOf(const std::string& value, std::initializer_list<std::string_view> allowed, const std::string& param) {
  return OneOf(value, std::span(allowed.begin(), allowed.size()), param);
}

Result<std::vector<double>> Fractions(Fields& fields, std::string_view key) {
  std::vector<double> out;
  ATELIER_ASSIGN(array, fields.ArrayOr(key, kSplits));
  if (array == nullptr) {
    return out;
  }
  for (const auto& item : *array) {
    boost::system::error_code code;
    const auto number = item.to_number<double>(code);
    if (code) {
      return InvalidArgument("'" + std::string(key) + "' takes numbers", std::string(key));
    }
    out.push_back(number);
  }
  ATELIER_TRY(CheckFractions(out, key));
  return out;
}

Status ReadTypes(Fields& fields, ImportOptions& options) {
  ATELIER_ASSIGN(types, fields.ObjectOr("types"));
  if (types == nullptr) {
    return {};
  }
  if (types->size() > kMaxTypes) {
    return InvalidArgument("'types' takes at most " + std::to_string(kMaxTypes) + " columns", "types");
  }
  Fields columns(*types, "types");
  for (const auto& member : *types) {
    const std::string column(member.key());
    ATELIER_ASSIGN(type, columns.String(column, kMaxNameBytes));
    ATELIER_TRY(OneOf(type, {"number", "category", "text", "lines"}, "types." + column));
    options.types.emplace_back(column, type);
  }
  return {};
}

// What says how texts become rows.
Status ReadTextOptions(Fields& fields, ImportOptions& options) {
  ATELIER_ASSIGN(unit, fields.StringOr("unit", "", kMaxNameBytes));
  ATELIER_TRY(OneOf(unit, {"", "document", "paragraph", "line"}, "unit"));
  ATELIER_ASSIGN(pattern, fields.StringOr("pattern", "", kMaxPatternBytes));
  ATELIER_ASSIGN(encoding, fields.StringOr("encoding", "", kMaxNameBytes));
  if (!encoding.empty()) {
    ATELIER_TRY(OneOf(encoding, EncodingNames(), "encoding"));
  }
  ATELIER_ASSIGN(columns, fields.StringsOr("columns", {}, kMaxTypes));
  std::set<std::string> seen;
  for (const auto& column : columns) {
    if (column.empty() || column.size() > kMaxNameBytes || !seen.insert(column).second) {
      return InvalidArgument("'columns' takes different names of 1 to 256 bytes", "columns");
    }
  }
  options.unit = std::move(unit);
  options.pattern = std::move(pattern);
  options.encoding = std::move(encoding);
  options.columns = std::move(columns);
  return {};
}

}  // namespace

Result<ImportOptions> ImportOptionsFromJson(const boost::json::object& object) {
  Fields fields(object);
  ImportOptions out;
  ATELIER_ASSIGN(format, fields.StringOr("format", "auto", kMaxNameBytes));
  ATELIER_TRY(OneOf(format,
                    {"auto", "idx", "csv", "tsv", "jsonl", "json", "xml", "text", "labelled", "pattern", "conll",
                     "tagged", "parallel", "images", "audio", "tuning", "preferences"},
                    "format"));
  ATELIER_ASSIGN(target, fields.StringOr("target", "", kMaxNameBytes));
  ATELIER_ASSIGN(task, fields.StringOr("task", "", kMaxNameBytes));
  ATELIER_TRY(OneOf(task, {"", "classification", "regression", "none"}, "task"));
  ATELIER_ASSIGN(delimiter, fields.StringOr("delimiter", "", kMaxNameBytes));
  ATELIER_TRY(OneOf(delimiter, {"", ",", ";", "\t", "|", " "}, "delimiter"));
  ATELIER_ASSIGN(header, fields.StringOr("header", "auto", kMaxNameBytes));
  ATELIER_TRY(OneOf(header, {"auto", "yes", "no"}, "header"));
  ATELIER_ASSIGN(quote, fields.StringOr("quote", "auto", kMaxNameBytes));
  ATELIER_TRY(OneOf(quote, {"auto", "yes", "no"}, "quote"));
  ATELIER_TRY(ReadTextOptions(fields, out));
  ATELIER_ASSIGN(skip_lines, fields.IntOr("skip_lines", 0, 0, kMaxSkippedLines));
  ATELIER_TRY(ReadTypes(fields, out));
  ATELIER_ASSIGN(split, Fractions(fields, "split"));
  ATELIER_ASSIGN(stratify, fields.BoolOr("stratify", true));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, kMaxSeed));
  ATELIER_TRY(fields.RejectUnknown());
  out.format = std::move(format);
  out.target = std::move(target);
  out.task = std::move(task);
  out.delimiter = std::move(delimiter);
  out.header = std::move(header);
  out.quote = std::move(quote);
  out.skip_lines = skip_lines;
  out.split = std::move(split);
  out.stratify = stratify;
  out.seed = static_cast<uint64_t>(seed);
  return out;
}

}  // namespace atelier::data
