// deduplicate: of rows with the same values the first one stays.
#include <cmath>

#include "data/steps/kinds.h"
#include "data/steps/marks.h"
#include "data/steps/spill.h"
#include "data/steps/values.h"

namespace atelier::data::steps {
namespace {

struct HashedRow {
  Hash128 hash;
  int64_t row;
  auto operator<=>(const HashedRow&) const = default;
};

// Appends a value so that different values, and lists of values, give different bytes.
void AppendValue(const ColumnRows& values, size_t rows, size_t row, std::string& out) {
  const auto append = [&](const auto& value) { out.append(reinterpret_cast<const char*>(&value), sizeof(value)); };
  if (!values.offsets.empty()) {
    const std::string_view text = values.Text(row);
    append(text.size());
    out += text;
  } else if (!values.bytes.empty()) {
    const size_t width = values.bytes.size() / rows;
    out.append(values.bytes, row * width, width);
  } else if (!values.codes.empty()) {
    append(values.codes[row]);
  }
  const size_t width = values.numbers.size() / rows;
  for (size_t i = row * width; i < (row + 1) * width; ++i) {
    const float value = values.numbers[i];
    append(std::isnan(value) ? std::numeric_limits<float>::quiet_NaN() : value + 0.0F);  // one NaN, one zero
  }
}

class DuplicateFitter final : public Fitter {
 public:
  DuplicateFitter(std::vector<size_t> columns, const FitContext& context)
      : columns_(std::move(columns)),
        context_(context),
        hashes_(context.folder / (context.prefix + ".hashes"), context.memory_bytes) {}

  Status Observe(const Batch& batch) override {
    for (size_t row = 0; row < batch.rows(); ++row) {
      value_.clear();
      for (const size_t index : columns_) {
        AppendValue(batch.columns[index], batch.rows(), row, value_);
      }
      ATELIER_TRY(hashes_.Add({HashBytes(value_), batch.first + static_cast<int64_t>(row)}));
    }
    return {};
  }

  Result<json::object> Finish() override {
    RowMarks marks(static_cast<int64_t>(hashes_.size()));
    HashedRow previous{{}, -1};
    ATELIER_TRY(hashes_.ForEach([&](const HashedRow& row) -> Status {
      if (previous.row >= 0 && row.hash == previous.hash) {
        marks.Set(row.row);
      }
      previous = row;
      return {};
    }));
    return marks.Save(context_);
  }

 private:
  std::vector<size_t> columns_;
  FitContext context_;
  Spill<HashedRow> hashes_;
  std::string value_;
};

Result<std::unique_ptr<Step>> Make(const Arguments& arguments, Schema& /*schema*/) {
  return MakeDropMarked([columns = arguments.Columns("columns")](const FitContext& context) {
    return std::unique_ptr<Fitter>(std::make_unique<DuplicateFitter>(columns, context));
  });
}

constexpr Parameter kParameters[] = {{.name = "columns",
                                      .type = ParameterType::kColumns,
                                      .help = "The columns to compare; absent: all",
                                      .fallback = "all"}};

}  // namespace

const StepKind kDeduplicateStep{"deduplicate", "Drop rows whose values another row had before", kParameters, Make};

}  // namespace atelier::data::steps
