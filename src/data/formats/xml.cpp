// Lists in XML, as of RTE's sentence pairs: a row is an element below the root, its columns are its attributes and the
// texts of the elements in it.
#include <map>

#include "data/formats/cells.h"
#include "data/formats/format.h"
#include "data/formats/inference.h"
#include "data/formats/paths.h"
#include "data/formats/xml_rows.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxColumns = 4096;

Status ForEachRow(FormatContext& context, const SourceFile& file, const std::function<Status(const XmlRow&)>& use) {
  ATELIER_ASSIGN(input, context.Open(file));
  XmlRows rows(input->Source(), file.path);
  XmlRow row;
  while (true) {
    ATELIER_ASSIGN(more, rows.Next(row));
    if (!more) {
      return {};
    }
    ATELIER_TRY(use(row));
  }
}

Result<std::vector<ColumnScan>> Scan(FormatContext& context, int64_t& rows) {
  std::vector<ColumnScan> scans;
  std::map<std::string, size_t> index;
  size_t budget = kDistinctBudget;
  for (const auto& file : context.files) {
    ATELIER_TRY(ForEachRow(context, file, [&](const XmlRow& row) -> Status {
      ++rows;
      const std::function<std::string()> place = [&] {
        return file.path + ": " + row.name + " " + std::to_string(row.number);
      };
      for (const auto& [name, value] : row.fields) {
        const auto [found, fresh] = index.emplace(name, scans.size());
        if (fresh) {
          if (scans.size() >= kMaxColumns) {
            return InvalidArgument(place() + ": there are more than 4096 columns", "files", "invalid_xml");
          }
          scans.emplace_back().name = name;
        }
        ColumnScan& scan = scans[found->second];
        scan.texts = true;
        const std::string_view cell = Trim(value);
        IsMissing(cell) ? static_cast<void>(++scan.missing) : scan.AddCell(cell, budget, place);
      }
      return {};
    }));
  }
  return scans;
}

Status Read(FormatContext& context) {
  int64_t rows = 0;
  ATELIER_ASSIGN(scans, Scan(context, rows));
  if (rows == 0 || scans.empty()) {
    return InvalidArgument(context.files.front().path + ": there are no rows", "files", "invalid_xml");
  }
  ATELIER_ASSIGN(plan, PlanTable(std::move(scans), context.options, "xml"));
  for (auto& warning : plan.warnings) {
    context.table.Warn(std::move(warning));
  }
  ATELIER_TRY(context.table.Begin(plan.schema));
  for (const auto& file : context.files) {
    const auto split = SplitFromPath(file.path);
    ATELIER_TRY(ForEachRow(context, file, [&](const XmlRow& row) -> Status {
      for (size_t i = 0; i < plan.schema.columns.size(); ++i) {
        std::string_view cell;
        for (const auto& [name, value] : row.fields) {
          if (name == plan.schema.columns[i].name) {
            cell = value;
          }
        }
        ATELIER_TRY(PutCell(context.table, plan, i, cell));
      }
      return context.table.EndRow(split);
    }));
  }
  return {};
}

bool Claims(std::string_view path) { return DataExtension(path) == "xml"; }

}  // namespace

const Format kXmlFormat{.name = "xml", .passes = 2, .claims = Claims, .read = Read};

}  // namespace atelier::data
