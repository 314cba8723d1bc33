// Where a model is wrong: the worst rows, what it takes for what, and the parts of the data that it answers worse.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/result.h"
#include "learning/evaluation/predictions.h"

namespace atelier::learning {

struct ErrorQuery {
  std::string slice{};  // a name of SliceNames; empty: the weakest slices of all of them
  size_t limit = 20;    // worst rows
};

// {"metric": the name of the rows' score (see RowScores), "overall": its mean, "rows",
//  "worst":[{"row","truth","predicted","confidence","loss","score","input","keys"}] rows that are not right, the worst
//  and of equal ones the surest first; "confusions":[{"truth","predicted","rows"}] of labels, at most 20;
//  "slice_names":[...],
//  "slices":[{"slice","value","rows","score","difference","p"}]}
// Of one slice all parts are given; of all, those of at least 20 rows that are answered worse than the other rows with
// p < 0.05, the clearest 20. `difference` is the mean score less that of the other rows; p is Welch's test of that, by
// the normal distribution, and is not corrected for how many parts are looked at.
// Errors: kInvalidArgument on `slice`.
Result<boost::json::object> ErrorReport(const Predictions& predictions, const ErrorQuery& query);

}  // namespace atelier::learning
