#include "data/steps/text_step.h"

namespace atelier::data::steps {
namespace {

class MapStep final : public Step {
 public:
  MapStep(std::vector<size_t> columns, TextMap map) : Step(0), columns_(std::move(columns)), map_(std::move(map)) {}

  Status Apply(Batch& batch) override {
    std::string mapped;
    for (const size_t index : columns_) {
      const ColumnRows before = std::move(batch.columns[index]);
      ColumnRows after;
      after.offsets = {0};
      for (size_t row = 0; row < batch.rows(); ++row) {
        mapped.clear();
        if (const std::string_view text = before.Text(row); !text.empty()) {
          ATELIER_TRY(map_(text, batch.first + static_cast<int64_t>(row), mapped));
        }
        after.AddText(mapped);
      }
      batch.columns[index] = std::move(after);
    }
    return {};
  }

 private:
  std::vector<size_t> columns_;
  TextMap map_;
};

class FilterStep final : public Step {
 public:
  FilterStep(std::vector<size_t> columns, TextTest test)
      : Step(kChangesRows), columns_(std::move(columns)), test_(std::move(test)) {}

  Status Apply(Batch& batch) override {
    std::vector<uint8_t> keep(batch.rows(), 1);
    for (const size_t index : columns_) {
      for (size_t row = 0; row < keep.size(); ++row) {
        keep[row] = keep[row] != 0 && test_(batch.columns[index].Text(row)) ? 1 : 0;
      }
    }
    batch.Keep(keep);
    return {};
  }

 private:
  std::vector<size_t> columns_;
  TextTest test_;
};

}  // namespace

std::unique_ptr<Step> MakeTextMap(std::vector<size_t> columns, TextMap map) {
  return std::make_unique<MapStep>(std::move(columns), std::move(map));
}

std::unique_ptr<Step> MakeTextFilter(std::vector<size_t> columns, TextTest test) {
  return std::make_unique<FilterStep>(std::move(columns), std::move(test));
}

}  // namespace atelier::data::steps
