#include "data/formats/line_table.h"

#include "data/formats/cells.h"
#include "data/formats/inference.h"
#include "data/formats/line_reader.h"
#include "data/formats/paths.h"

namespace atelier::data {

Status ForEachLine(FormatContext& context, const SourceFile& file,
                   const std::function<Status(std::string_view line, int64_t number)>& use) {
  ATELIER_ASSIGN(input, context.Open(file));
  LineReader reader(input->Source(), file.path, "invalid_text");
  std::string_view line;
  while (true) {
    ATELIER_ASSIGN(more, reader.NextText(line));
    if (!more) {
      return {};
    }
    if (Trim(line).empty()) {
      continue;
    }
    if (auto used = use(line, reader.number()); !used.ok()) {
      Error error = std::move(used).error();
      error.message = file.path + ": line " + std::to_string(reader.number()) + ": " + error.message;
      return error;
    }
  }
}

Status ReadLineTable(FormatContext& context, std::string format, const LineFields& fields) {
  std::vector<ColumnScan> scans(fields.names.size());
  for (size_t i = 0; i < scans.size(); ++i) {
    scans[i].name = fields.names[i];
    scans[i].prose = scans[i].name == fields.text;
  }
  size_t budget = kDistinctBudget;
  int64_t rows = 0;
  std::vector<std::string_view> cells;
  for (const auto& file : context.files) {
    int64_t current = 0;
    const std::function<std::string()> place = [&] { return file.path + ": line " + std::to_string(current); };
    ATELIER_TRY(ForEachLine(context, file, [&](std::string_view line, int64_t number) -> Status {
      ATELIER_TRY(fields.split(line, cells));
      current = number;
      ++rows;
      for (size_t i = 0; i < scans.size(); ++i) {
        const std::string_view cell = Trim(cells[i]);
        IsMissing(cell) ? static_cast<void>(++scans[i].missing) : scans[i].AddCell(cell, budget, place);
      }
      return {};
    }));
  }
  if (rows == 0) {
    return InvalidArgument(context.files.front().path + ": there are no rows", "files", "invalid_text");
  }
  ATELIER_ASSIGN(plan, PlanTable(std::move(scans), context.options, std::move(format)));
  for (auto& warning : plan.warnings) {
    context.table.Warn(std::move(warning));
  }
  ATELIER_TRY(context.table.Begin(plan.schema));
  for (const auto& file : context.files) {
    const auto split = SplitFromPath(file.path);
    ATELIER_TRY(ForEachLine(context, file, [&](std::string_view line, int64_t /*number*/) -> Status {
      ATELIER_TRY(fields.split(line, cells));
      for (size_t i = 0; i < cells.size(); ++i) {
        if (plan.schema.columns[i].type == ColumnType::kText) {
          context.table.SetBytes(i, cells[i], cells[i].empty());  // "NA" and "null" are words here
        } else {
          ATELIER_TRY(PutCell(context.table, plan, i, cells[i]));
        }
      }
      return context.table.EndRow(split);
    }));
  }
  return {};
}

}  // namespace atelier::data
