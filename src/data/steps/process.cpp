#include "data/steps/process.h"

#include <algorithm>
#include <cmath>

#include "base/json.h"
#include "data/steps/runner.h"
#include "data/steps/values.h"
#include "data/table_builder.h"

namespace atelier::data::steps {
namespace {

constexpr size_t kReportedColumns = 200;

json::array ColumnsReport(const std::vector<Column>& columns) {
  json::array out;
  for (size_t i = 0; i < columns.size() && i < kReportedColumns; ++i) {
    const ColumnStatistics& statistics = columns[i].statistics;
    json::object item{{"name", columns[i].name}, {"type", Name(columns[i].type)}, {"missing", statistics.missing}};
    if (columns[i].type == ColumnType::kCategory) {
      item["distinct"] = statistics.distinct;
    } else if (columns[i].type == ColumnType::kNumber) {
      item["minimum"] = statistics.minimum;
      item["maximum"] = statistics.maximum;
      item["mean"] = statistics.mean;
      item["standard_deviation"] = statistics.standard_deviation;
    }
    out.push_back(std::move(item));
  }
  return out;
}

json::array StepsReport(const Runner& runner) {
  json::array out;
  for (size_t i = 0; i < runner.steps().size(); ++i) {
    out.push_back(json::object{{"step", runner.steps()[i].kind->name},
                               {"rows_in", runner.counts()[i].in},
                               {"rows_out", runner.counts()[i].out}});
  }
  return out;
}

json::object Lineage(const ProcessInput& input, const Runner& runner) {
  return {{"parent", input.parent},
          {"seed", input.request.seed},
          {"steps", input.request.steps},
          {"report", json::object{{"rows", input.manifest.rows()},
                                  {"steps", StepsReport(runner)},
                                  {"before", ColumnsReport(input.manifest.columns)}}}};
}

Manifest ManifestOf(const Manifest& before, const Schema& schema) {
  Manifest out;
  out.format = before.format;
  for (const SchemaColumn& column : schema.columns) {
    out.columns.push_back(column);
  }
  out.target = schema.target;
  out.task = schema.task;
  return out;
}

Status AppendRow(const Manifest& schema, const Batch& batch, size_t row, TableBuilder& table) {
  for (size_t i = 0; i < schema.columns.size(); ++i) {
    const Column& column = schema.columns[i];
    const ColumnRows& values = batch.columns[i];
    if (column.type == ColumnType::kCategory) {
      table.SetCategory(i, values.codes[row]);
    } else if (column.type == ColumnType::kNumber && column.shape.empty()) {
      table.SetNumber(i, values.numbers[row]);
    } else if (column.type == ColumnType::kNumber) {
      const size_t width = values.numbers.size() / batch.rows();
      table.SetNumbers(i, std::span(values.numbers).subspan(row * width, width));
    } else if (!values.offsets.empty()) {
      table.SetBytes(i, values.Text(row), values.Text(row).empty());
    } else {
      const size_t width = values.bytes.size() / batch.rows();
      table.SetPixels(i, {reinterpret_cast<const uint8_t*>(values.bytes.data()) + row * width, width});
    }
  }
  return table.EndRow(static_cast<Split>(batch.splits[row]));
}

json::object ToJson(const PassPosition& position) {
  return {{"row", position.row}, {"counts", ToJson(position.counts)}, {"done", position.done}};
}

std::optional<PassPosition> PositionFromJson(const json::object& object, size_t steps) {
  const json::value* counts = object.if_contains("counts");
  const auto read = counts == nullptr ? std::nullopt : CountsFromJson(*counts, steps);
  return read ? std::optional(PassPosition{GetInt(object, "row"), *read, GetInt(object, "done")}) : std::nullopt;
}

// All rows into new shards.
Result<ImportReport> WriteTable(storage::BlobStore& blobs, const ProcessInput& input, Runner& runner,
                                Checkpoint& checkpoint) {
  const ImportOptions options{.stratify = false};
  const Manifest schema = ManifestOf(input.manifest, runner.after());
  TableBuilder table(blobs, options);
  std::optional<PassPosition> from;
  if (const auto saved = checkpoint.RestoreTable(table, schema)) {
    from = PositionFromJson(*saved, runner.steps().size());
  }
  if (!from) {
    ATELIER_TRY(table.Begin(schema));
  }
  int64_t skip = from ? from->done : 0;
  int64_t batch_row = -1;
  int64_t done = 0;
  table.OnShard([&] {
    PassPosition position = runner.position();
    position.done = done;
    return checkpoint.SaveTable(table, ToJson(position));
  });
  ATELIER_TRY(runner.Run(
      [&](Batch& batch) -> Status {
        if (runner.position().row != batch_row) {
          batch_row = runner.position().row;
          done = 0;
        }
        for (size_t row = 0; row < batch.rows(); ++row) {
          ++done;
          if (skip > 0) {
            --skip;
          } else {
            ATELIER_TRY(AppendRow(schema, batch, row, table));
          }
        }
        return {};
      },
      from ? &*from : nullptr));
  table.OnShard(nullptr);
  if (table.rows() == 0) {
    return InvalidArgument("the steps leave no row", "steps");
  }
  table.SetLineage(Lineage(input, runner));
  return table.Finish();
}

// A new split over the shards that are there.
Result<ImportReport> WriteSplit(storage::BlobStore& blobs, const ProcessInput& input, Runner& runner) {
  std::vector<uint8_t> splits;
  splits.reserve(static_cast<size_t>(input.manifest.rows()));
  ATELIER_TRY(runner.Run([&](Batch& batch) -> Status {
    splits.insert(splits.end(), batch.splits.begin(), batch.splits.end());
    return {};
  }));
  Manifest manifest = input.manifest;
  manifest.lineage = Lineage(input, runner);
  return Publish(blobs, std::move(manifest), splits);
}

bool OnlySplits(const std::vector<BoundStep>& steps) {
  return !steps.empty() &&
         std::ranges::all_of(steps, [](const BoundStep& step) { return (step.step->effects() & kWritesSplit) != 0; });
}

// At most `bytes`, cut between characters.
std::string_view Cut(std::string_view text, size_t bytes) {
  if (text.size() <= bytes) {
    return text;
  }
  while (bytes > 0 && (static_cast<unsigned char>(text[bytes]) & 0xC0U) == 0x80U) {
    --bytes;
  }
  return text.substr(0, bytes);
}

json::value CellJson(const SchemaColumn& column, const ColumnRows& values, size_t rows, size_t row) {
  constexpr size_t kTextBytes = 4096;
  constexpr size_t kNumbers = 64;
  if (column.type == ColumnType::kImage || column.type == ColumnType::kAudio) {
    const size_t bytes = values.offsets.empty() ? values.bytes.size() / rows : values.Text(row).size();
    return json::object{{std::string(Name(column.type)) + "_bytes", bytes}};
  }
  if (IsMissing(column, values, rows, row) && column.shape.empty()) {
    return nullptr;
  }
  if (column.type == ColumnType::kText) {
    return json::value(Cut(values.Text(row), kTextBytes));
  }
  if (column.type == ColumnType::kCategory) {
    return json::value(Cut(column.categories[static_cast<size_t>(values.codes[row])], kTextBytes));
  }
  const auto number = [](float value) {
    return std::isfinite(value) ? json::value(static_cast<double>(value)) : json::value(nullptr);
  };
  const size_t width = values.numbers.size() / rows;
  if (column.shape.empty()) {
    return number(values.numbers[row]);
  }
  json::array list;
  for (size_t i = 0; i < width && i < kNumbers; ++i) {
    list.push_back(number(values.numbers[row * width + i]));
  }
  return list;
}

json::array ColumnsJson(const Schema& schema) {
  json::array out;
  for (const SchemaColumn& column : schema.columns) {
    json::object item{{"name", column.name}, {"type", Name(column.type)}};
    if (!column.shape.empty()) {
      item["shape"] = json::array(column.shape.begin(), column.shape.end());
    }
    if (column.type == ColumnType::kCategory) {
      item["categories"] = column.categories.size();
    }
    out.push_back(std::move(item));
  }
  return out;
}

}  // namespace

Result<ProcessReport> Process(storage::BlobStore& blobs, const ProcessInput& input, const RunHooks& hooks) {
  ATELIER_ASSIGN(checkpoint, Checkpoint::Open(hooks.checkpoint));
  ATELIER_ASSIGN(source, OpenManifestRows(blobs, input.manifest));
  const Schema schema = SchemaOf(input.manifest);
  Runner runner(input.request, schema, *source, hooks, checkpoint);
  runner.Use(input.media);
  ATELIER_TRY(runner.FitAll());
  ATELIER_ASSIGN(version, OnlySplits(runner.steps()) ? WriteSplit(blobs, input, runner)
                                                     : WriteTable(blobs, input, runner, checkpoint));
  checkpoint.Clear();
  ProcessReport out;
  out.report = {{"rows", input.manifest.rows()},
                {"steps", StepsReport(runner)},
                {"before", ColumnsReport(input.manifest.columns)},
                {"after", ColumnsReport(version.content.columns)}};
  out.version = std::move(version);
  return out;
}

Result<json::object> Preview(storage::BlobStore& blobs, const ProcessInput& input, int64_t rows,
                             const RunHooks& hooks) {
  constexpr size_t kMaxBytes = size_t{512} << 10U;
  ATELIER_ASSIGN(checkpoint, Checkpoint::Open(hooks.checkpoint));
  ATELIER_ASSIGN(source, OpenManifestRows(blobs, input.manifest, rows));
  const Schema schema = SchemaOf(input.manifest);
  Runner runner(input.request, schema, *source, hooks, checkpoint);
  runner.Use(input.media);
  ATELIER_TRY(runner.FitAll());
  json::array out;
  json::array splits;
  size_t bytes = 0;
  bool truncated = false;
  ATELIER_TRY(runner.Run([&](Batch& batch) -> Status {
    for (size_t row = 0; row < batch.rows() && !truncated; ++row) {
      json::object item;
      for (size_t i = 0; i < batch.columns.size(); ++i) {
        const SchemaColumn& column = runner.after().columns[i];
        item.emplace(column.name, CellJson(column, batch.columns[i], batch.rows(), row));
      }
      bytes += json::serialize(item).size();
      truncated = bytes > kMaxBytes || out.size() == static_cast<size_t>(kMaxPreviewRows);
      if (!truncated) {
        out.push_back(std::move(item));
        splits.push_back(json::value(Name(static_cast<Split>(batch.splits[row]))));
      }
    }
    return {};
  }));
  checkpoint.Clear();
  return json::object{{"columns", ColumnsJson(runner.after())},
                      {"rows", std::move(out)},
                      {"splits", std::move(splits)},
                      {"truncated", truncated},
                      {"report", json::object{{"rows", source->rows()}, {"steps", StepsReport(runner)}}}};
}

}  // namespace atelier::data::steps
