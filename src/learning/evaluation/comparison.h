// Whether one model is better than another on the same rows.
#pragma once

#include <boost/json.hpp>

#include "base/result.h"
#include "learning/evaluation/predictions.h"
#include "learning/metrics/resampling.h"

namespace atelier::learning {

// {"rows", "only_a","only_b": rows that only one of them has answered,
//  "figures":[{"metric","a","b","difference": b - a,"interval":[low,high],"p","better":"a"|"b"|null}],
//  "fixed","broken": of labels, rows that only b and only a has right, "mcnemar":{"p","exact"}}
// The interval is the paired bootstrap's (P. Koehn, "Statistical Significance Tests for Machine Translation
// Evaluation", EMNLP 2004), p that of approximate randomisation: answers of both exchanged by chance. `better` is told
// where p < 0.05. Fewer resamples are drawn from very many rows. Errors: kInvalidArgument (answers of different kinds,
// no row in common, truths that differ on a row).
Result<boost::json::object> Compare(const Predictions& a, const Predictions& b, const ResamplingOptions& options);

}  // namespace atelier::learning
