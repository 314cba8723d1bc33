// Steps over the values of text columns.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "data/steps/step.h"

namespace atelier::data::steps {

// Makes `out`, which comes in empty, from a text that is not missing. `row` names the row for seeded choices (RowHash).
using TextMap = std::function<Status(std::string_view text, int64_t row, std::string& out)>;
// Puts the mapped text in the place of the text, in each of these text columns. Missing texts stay missing.
std::unique_ptr<Step> MakeTextMap(std::vector<size_t> columns, TextMap map);

using TextTest = std::function<bool(std::string_view text)>;
// Keeps the rows whose text passes the test in all these columns; a missing text is the empty one.
std::unique_ptr<Step> MakeTextFilter(std::vector<size_t> columns, TextTest test);

}  // namespace atelier::data::steps
