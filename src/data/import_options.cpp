#include <algorithm>
#include <array>

#include "base/json.h"
#include "data/importer.h"
#include "data/splitter.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxNameBytes = 256;
constexpr size_t kMaxTypes = 4096;
constexpr int64_t kMaxSkippedLines = 1'000'000;
constexpr int64_t kMaxSeed = std::numeric_limits<int64_t>::max();

Status OneOf(const std::string& value, std::initializer_list<std::string_view> allowed, const std::string& param) {
  if (std::ranges::find(allowed, value) != allowed.end()) {
    return {};
  }
  std::string list;
  for (const auto word : allowed) {
    list += (list.empty() ? "'" : ", '") + (word == "\t" ? "\\t" : std::string(word)) + "'";
  }
  return InvalidArgument("'" + param + "' takes one of " + list, param);
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
    ATELIER_TRY(OneOf(type, {"number", "category", "text"}, "types." + column));
    options.types.emplace_back(column, type);
  }
  return {};
}

}  // namespace

Result<ImportOptions> ImportOptionsFromJson(const boost::json::object& object) {
  Fields fields(object);
  ImportOptions out;
  ATELIER_ASSIGN(format, fields.StringOr("format", "auto", kMaxNameBytes));
  ATELIER_TRY(OneOf(format, {"auto", "idx", "csv", "tsv", "jsonl", "images"}, "format"));
  ATELIER_ASSIGN(target, fields.StringOr("target", "", kMaxNameBytes));
  ATELIER_ASSIGN(task, fields.StringOr("task", "", kMaxNameBytes));
  ATELIER_TRY(OneOf(task, {"", "classification", "regression", "none"}, "task"));
  ATELIER_ASSIGN(delimiter, fields.StringOr("delimiter", "", kMaxNameBytes));
  ATELIER_TRY(OneOf(delimiter, {"", ",", ";", "\t", "|", " "}, "delimiter"));
  ATELIER_ASSIGN(header, fields.StringOr("header", "auto", kMaxNameBytes));
  ATELIER_TRY(OneOf(header, {"auto", "yes", "no"}, "header"));
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
  out.skip_lines = skip_lines;
  out.split = std::move(split);
  out.stratify = stratify;
  out.seed = static_cast<uint64_t>(seed);
  return out;
}

}  // namespace atelier::data
