// Parts of the rows that share something, and how well each is answered.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "learning/evaluation/predictions.h"

namespace atelier::learning {

struct Slice {
  std::string value;           // a category, "[1.5, 2.25)" of numbers, "(missing)", "(others)"
  std::vector<uint32_t> rows;  // places in the predictions
};

// The names to slice by: "(class)" (the true label, of kLabel) and the keys.
std::vector<std::string> SliceNames(const Predictions& predictions);

// Categories in order of falling size, at most 50, the rest together; numbers with more than 12 different values in at
// most 5 ranges of about equal size. Every row is in exactly one. Errors: kInvalidArgument on `slice`, saying which
// there are.
Result<std::vector<Slice>> SlicesBy(const Predictions& predictions, std::string_view name);

}  // namespace atelier::learning
