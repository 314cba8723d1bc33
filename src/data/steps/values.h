// Single values of batches.
#pragma once

#include <bit>
#include <cmath>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/json.h"
#include "data/steps/batch.h"
#include "data/steps/schema.h"
#include "data/steps/step.h"

namespace atelier::data::steps {

// "3" for 3.0, else the shortest text that reads back as the same float.
std::string PrintFloat(float value);

// Whether a value is missing: NaN (any, where it has a shape), no category, an empty text or picture.
bool IsMissing(const SchemaColumn& column, const ColumnRows& values, size_t rows, size_t row);

// A number, a label or a text as text; "" where missing. Not of other types.
std::string TextOf(const SchemaColumn& column, const ColumnRows& values, size_t row);

// A double as a whole number, so that the very same comes back from JSON.
inline int64_t Exact(double value) { return std::bit_cast<int64_t>(value); }
inline double FromExact(const json::object& object, std::string_view key) {
  return std::bit_cast<double>(GetInt(object, key));
}

// A row of a batch as people count them: from 1.
inline std::string RowName(const Batch& batch, size_t row) {
  return "row " + std::to_string(batch.first + static_cast<int64_t>(row) + 1);
}

// For what changes the schema alone.
class NothingStep final : public Step {
 public:
  NothingStep() : Step(kChangesLayout) {}
  Status Apply(Batch& /*batch*/) override { return {}; }
};

// Of steps that learn from numbers or labels: from which rows.
inline constexpr Parameter kFitOnParameter{.name = "fit_on",
                                           .type = ParameterType::kChoice,
                                           .help = "The rows that the statistics are of: the training split, or all",
                                           .fallback = "\"train\"",
                                           .choices = "train|all"};

}  // namespace atelier::data::steps
