// CSV and its relatives: two passes, one to learn the columns and one to fill them.
#include <optional>
#include <unordered_map>

#include "base/json.h"
#include "data/formats/cells.h"
#include "data/formats/class_names.h"
#include "data/formats/csv_reader.h"
#include "data/formats/csv_sniff.h"
#include "data/formats/format.h"
#include "data/formats/inference.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxNameBytes = 256;

struct CsvSource {
  const SourceFile* file = nullptr;
  CsvDialect dialect;
  std::optional<Split> split;
};

Error Bad(const CsvSource& source, int64_t row, const std::string& what) {
  return InvalidArgument(source.file->path + ": row " + std::to_string(row) + what, "files", "invalid_csv");
}

Result<CsvSource> Sniff(FormatContext& context, const SourceFile& file) {
  bool whole = false;
  ATELIER_ASSIGN(sample, context.Peek(file, kSniffBytes, whole));
  CsvSource out;
  out.file = &file;
  out.dialect = SniffCsv(sample, whole, context.options);
  out.split = SplitFromPath(file.path);
  if (!out.dialect.warning.empty()) {
    context.table.Warn(file.path + ": " + out.dialect.warning);
  }
  return out;
}

// Of the columns: as `given`, or as the header has them.
Result<std::vector<std::string>> Names(const CsvSource& source, const CsvRow& row,
                                       const std::vector<std::string>& given) {
  std::vector<std::string> names;
  std::unordered_map<std::string, size_t> seen;
  if (!given.empty() && given.size() != row.size()) {
    return Bad(
        source, row.line(),
        " has " + std::to_string(row.size()) + " columns, the option columns names " + std::to_string(given.size()));
  }
  for (size_t i = 0; i < row.size(); ++i) {
    std::string name = !given.empty() ? given[i] : source.dialect.header ? std::string(Trim(row[i])) : "";
    if (name.empty()) {
      name = "column_" + std::to_string(i + 1);
    }
    const std::string at = ", column " + std::to_string(i + 1);
    if (name.size() > kMaxNameBytes) {
      return Bad(source, row.line(), at + ": a name of more than 256 bytes");
    }
    const auto [other, fresh] = seen.emplace(name, i);
    if (!fresh) {
      return Bad(source, row.line(),
                 at + ": the name '" + name + "' is that of column " + std::to_string(other->second + 1) + " too");
    }
    names.push_back(std::move(name));
  }
  return names;
}

// Calls `use` for each row of one file, the header left out, after checking its width.
class RowLoop {
 public:
  RowLoop(FormatContext& context, const CsvSource& source, std::vector<std::string>& names)
      : context_(context), source_(source), names_(names) {}

  // To go on behind rows that are done.
  void Resume(const CsvPosition& position) { resumed_ = position; }
  // While `use` runs: where the row after this one begins.
  CsvPosition Next() const { return reader_->position(); }

  Status Run(const std::function<Status(const CsvRow&)>& use) {
    ATELIER_ASSIGN(input, context_.Open(*source_.file));
    const CsvDialect& dialect = source_.dialect;
    if (resumed_) {
      reader_.emplace(SkipBytes(input->Source(), resumed_->offset), dialect.delimiter, source_.file->path, *resumed_,
                      dialect.quotes);
    } else {
      reader_.emplace(input->Source(), dialect.delimiter, source_.file->path, dialect.skip_lines, dialect.quotes);
    }
    CsvRow row;
    bool first = !resumed_;
    for (int64_t count = 0;; ++count) {
      ATELIER_ASSIGN(more, reader_->Next(row));
      if (!more) {
        return {};
      }
      if (count % kCheckRows == 0) {
        ATELIER_TRY(context_.hooks.Check());
      }
      if (first) {
        first = false;
        ATELIER_TRY(TakeNames(row));
        if (source_.dialect.header) {
          continue;
        }
      }
      if (row.size() != names_.size()) {
        return Bad(source_, row.line(),
                   " has " + std::to_string(row.size()) + " columns, the first row has " +
                       std::to_string(names_.size()) +
                       " (lines before the table are left out with skip_lines; see also delimiter and quote)");
      }
      ATELIER_TRY(use(row));
    }
  }

 private:
  static constexpr int64_t kCheckRows = 4096;

  Status TakeNames(const CsvRow& row) {
    ATELIER_ASSIGN(names, Names(source_, row, context_.options.columns));
    if (names_.empty()) {
      names_ = std::move(names);
    } else if (source_.dialect.header && names != names_) {
      return Bad(source_, row.line(), ": the header differs from that of the first file");
    }
    return {};
  }

  FormatContext& context_;
  const CsvSource& source_;
  std::vector<std::string>& names_;
  std::optional<CsvPosition> resumed_;
  std::optional<CsvReader> reader_;
};

Status Scan(FormatContext& context, const CsvSource& source, std::vector<std::string>& names,
            std::vector<ColumnScan>& scans, size_t& budget) {
  const CsvRow* current = nullptr;
  const std::function<std::string()> place = [&] {
    return source.file->path + ": row " + std::to_string(current->line());
  };
  return RowLoop(context, source, names).Run([&](const CsvRow& row) -> Status {
    current = &row;
    scans.resize(names.size());
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string_view cell = Trim(row[i]);
      if (IsMissing(cell)) {
        ++scans[i].missing;
      } else {
        scans[i].AddCell(cell, budget, place);
      }
    }
    return {};
  });
}

// The first pass: what the columns are.
Result<TablePlan> LearnColumns(FormatContext& context, const std::vector<CsvSource>& sources, ClassNames& classes) {
  if (auto kept = ReadPlan(context.checkpoint)) {
    for (const auto& source : sources) {
      context.meter.Add(source.file->blob.size);
    }
    return *std::move(kept);
  }
  std::vector<std::string> names;
  std::vector<ColumnScan> scans;
  size_t budget = kDistinctBudget;
  for (const auto& source : sources) {
    ATELIER_TRY(Scan(context, source, names, scans, budget));
  }
  if (scans.empty()) {
    return InvalidArgument(context.files.front().path + ": there are no rows", "files", "invalid_csv");
  }
  for (size_t i = 0; i < names.size(); ++i) {
    scans[i].name = names[i];
  }
  ATELIER_ASSIGN(plan, PlanTable(std::move(scans), context.options, "csv"));
  ATELIER_TRY(classes.Apply(plan));
  ATELIER_TRY(KeepPlan(context.checkpoint, plan));
  return plan;
}

json::object ToJson(size_t source, const CsvPosition& position) {
  return {{"source", source},
          {"offset", position.offset},
          {"line", position.line},
          {"skip_line_feed", position.skip_line_feed}};
}

// The second pass: the rows, from the first on that is in no stored shard.
Status FillTable(FormatContext& context, const std::vector<CsvSource>& sources, const TablePlan& plan) {
  size_t first = 0;
  std::optional<CsvPosition> resumed;
  if (const auto saved = context.checkpoint.RestoreTable(context.table, plan.schema)) {
    first = static_cast<size_t>(GetInt(*saved, "source"));
    resumed = CsvPosition{.offset = static_cast<uint64_t>(GetInt(*saved, "offset")),
                          .line = GetInt(*saved, "line"),
                          .skip_line_feed = GetBool(*saved, "skip_line_feed")};
  } else {
    ATELIER_TRY(context.table.Begin(plan.schema));
  }
  std::vector<std::string> names;
  for (const Column& column : plan.schema.columns) {
    names.push_back(column.name);
  }
  for (size_t i = 0; i < sources.size(); ++i) {
    if (i < first) {
      context.meter.Add(sources[i].file->blob.size);
      continue;
    }
    RowLoop loop(context, sources[i], names);
    if (i == first && resumed) {
      loop.Resume(*resumed);
    }
    context.table.OnShard([&] { return context.checkpoint.SaveTable(context.table, ToJson(i, loop.Next())); });
    ATELIER_TRY(loop.Run([&](const CsvRow& row) -> Status {
      for (size_t column = 0; column < row.size(); ++column) {
        ATELIER_TRY(PutCell(context.table, plan, column, row[column]));
      }
      return context.table.EndRow(sources[i].split);
    }));
  }
  return {};
}

Status Read(FormatContext& context) {
  std::vector<CsvSource> sources;
  ClassNames classes;
  for (const auto& file : context.files) {
    if (IsClassNames(file.path) && context.files.size() > 1) {
      ATELIER_TRY(classes.Read(context, file));
      continue;
    }
    ATELIER_ASSIGN(source, Sniff(context, file));
    sources.push_back(std::move(source));
  }
  ATELIER_ASSIGN(plan, LearnColumns(context, sources, classes));
  for (const auto& warning : plan.warnings) {
    context.table.Warn(warning);
  }
  ATELIER_TRY(FillTable(context, sources, plan));
  context.table.OnShard(nullptr);
  return {};
}

bool ClaimsCsv(std::string_view path) {
  const std::string extension = DataExtension(path);
  return extension == "csv" || extension == "txt" || extension == "data";
}

// "x.txt" says little: it is a table where the options or the first rows say so.
Result<bool> AcceptsCsv(FormatContext& context) {
  const ImportOptions& options = context.options;
  if (!options.delimiter.empty() || options.header != "auto" || options.quote != "auto" || options.skip_lines > 0) {
    return true;
  }
  for (const auto& file : context.files) {
    if (DataExtension(file.path) == "txt" && !IsClassNames(file.path)) {
      bool whole = false;
      ATELIER_ASSIGN(sample, context.Peek(file, kSniffBytes, whole));
      return LooksLikeTable(sample, whole);
    }
  }
  return true;
}

bool ClaimsTsv(std::string_view path) {
  const std::string extension = DataExtension(path);
  return extension == "tsv" || extension == "tab" || IsClassNames(path);
}

}  // namespace

const Format kCsvFormat{.name = "csv", .passes = 2, .claims = ClaimsCsv, .read = Read, .accepts = AcceptsCsv};
const Format kTsvFormat{.name = "tsv", .passes = 2, .claims = ClaimsTsv, .read = Read};

}  // namespace atelier::data
