// JSON lines in the shapes of OpenAI's files for fine-tuning (formats/tuning_row.h). Never guessed: who wants them
// names the format. A file named "validation_file" is for validation.
#include <algorithm>

#include "base/json.h"
#include "data/formats/format.h"
#include "data/formats/json_items.h"
#include "data/formats/paths.h"
#include "data/formats/tuning_row.h"

namespace atelier::data {
namespace {

using RowReader = Result<TuningRow> (*)(const json::object& row);

bool SameColumns(const Manifest& schema, const TuningRow& row) {
  return std::ranges::equal(schema.columns, row, {}, &Column::name, [](const auto& cell) { return cell.first; });
}

Status AddRow(FormatContext& context, const TuningRow& row, std::optional<Split> split) {
  if (context.table.schema().columns.empty()) {
    Manifest schema;
    schema.format = "jsonl";
    for (const auto& [name, text] : row) {
      schema.columns.push_back({.name = name, .type = ColumnType::kText});
    }
    ATELIER_TRY(context.table.Begin(std::move(schema)));
  }
  if (!SameColumns(context.table.schema(), row)) {
    return InvalidArgument("this row has '" + row.front().first + "', the first one '" +
                               context.table.schema().columns.front().name + "': all must have one shape",
                           row.front().first, "invalid_jsonl");
  }
  for (size_t i = 0; i < row.size(); ++i) {
    context.table.SetBytes(i, row[i].second);
  }
  return context.table.EndRow(split);
}

Status ReadFile(FormatContext& context, const SourceFile& file, RowReader read_row) {
  const auto split = file.path == "validation_file" ? Split::kValidation : SplitFromPath(file.path);
  ATELIER_ASSIGN(input, context.Open(file));
  JsonItems items(input->Source(), file.path);
  std::string_view text;
  while (true) {
    ATELIER_TRY(context.hooks.Check());
    ATELIER_ASSIGN(more, items.Next(text));
    if (!more) {
      return {};
    }
    const auto add = [&]() -> Status {
      ATELIER_ASSIGN(value, ParseJson(text));
      if (!value.is_object()) {
        return InvalidArgument("this is no JSON object");
      }
      ATELIER_ASSIGN(row, read_row(value.get_object()));
      return AddRow(context, row, split);
    };
    if (const Status added = add(); !added.ok()) {
      const Error& error = added.error();
      return error.code == Code::kInvalidArgument
                 ? InvalidArgument(items.Place() + ": " + error.message, "files", "invalid_jsonl")
                 : error;
    }
  }
}

Status ReadFiles(FormatContext& context, RowReader read_row) {
  for (const auto& file : context.files) {
    const int64_t before = context.table.rows();
    ATELIER_TRY(ReadFile(context, file, read_row));
    if (context.table.rows() == before) {
      return InvalidArgument(file.path + ": there are no rows", "files", "invalid_jsonl");
    }
  }
  return {};
}

bool Never(std::string_view /*path*/) { return false; }

}  // namespace

const Format kTuningFormat{.name = "tuning", .passes = 1, .claims = Never, .read = [](FormatContext& context) {
                             return ReadFiles(context, ReadTuningRow);
                           }};
const Format kPreferencesFormat{
    .name = "preferences", .passes = 1, .claims = Never, .read = [](FormatContext& context) {
      return ReadFiles(context, ReadPreferenceRow);
    }};

}  // namespace atelier::data
