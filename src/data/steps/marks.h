// One bit a row, kept in a file between the pass that finds it and those that use it.
#pragma once

#include <cstdint>
#include <filesystem>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "data/steps/batch.h"
#include "data/steps/step.h"

namespace atelier::data::steps {

class RowMarks {
 public:
  RowMarks() = default;
  explicit RowMarks(int64_t rows) : bits_((static_cast<size_t>(rows) + 7) / 8) {}

  void Set(int64_t row) { bits_[static_cast<size_t>(row) / 8] |= static_cast<uint8_t>(1U << (row % 8)); }
  bool Get(int64_t row) const {
    const auto byte = static_cast<size_t>(row) / 8;
    return byte < bits_.size() && (bits_[byte] >> (row % 8) & 1U) != 0;
  }
  // Into a file of the context; what Load needs.
  Result<json::object> Save(const FitContext& context) const;
  static Result<RowMarks> Load(const json::object& state, const std::filesystem::path& folder);

 private:
  std::vector<uint8_t> bits_;
};

// Drops the rows that its fitter marked. Of the fitter: `make` makes it.
std::unique_ptr<Step> MakeDropMarked(std::function<std::unique_ptr<Fitter>(const FitContext&)> make);

}  // namespace atelier::data::steps
