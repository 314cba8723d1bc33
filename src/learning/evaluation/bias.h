// Whether groups of people or things are treated alike.
#pragma once

#include <boost/json.hpp>
#include <string>

#include "base/result.h"
#include "learning/evaluation/predictions.h"

namespace atelier::learning {

struct BiasQuery {
  std::string group;       // a name of SliceNames
  std::string positive{};  // of labels: the outcome that is at stake; empty: the second of two, each of more
  size_t least_rows = 10;  // smaller groups are shown, but do not count for the gaps
};

// {"group","rows","groups":[{"value","rows","score","counted", ...}],"gaps":[{"name","value","lowest","highest",
//  "positive"}]}
// Each gap is the highest value of a group less the lowest, with the names of both groups:
//   labels : "accuracy"; of the positive outcome "demographic_parity" (share of rows it is predicted for),
//            "equal_opportunity" (share of those truly positive it is predicted for) and "equalized_odds" (the larger
//            of that and of the same for the truly negative): M. Hardt, E. Price, N. Srebro, "Equality of Opportunity
//            in Supervised Learning", 2016. Of more than two classes, the class with the largest gap, which is named.
//   numbers: "mae" and "mean_error" (predicted less true); texts and tags: their score.
// Groups of labels also have "outcomes":[{"positive","base_rate","selection_rate","true_positive_rate",
// "false_positive_rate"}]; what is not defined is null.
// Errors: kInvalidArgument on `group` and `positive`, and where fewer than two groups are large enough.
Result<boost::json::object> BiasReport(const Predictions& predictions, const BiasQuery& query);

}  // namespace atelier::learning
