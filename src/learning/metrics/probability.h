// Measures of a classifier's probabilities, as scikit-learn defines them.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>

#include "learning/metrics/metrics.h"

namespace atelier::learning {

// Area under the ROC curve: the chance that a positive row scores above a negative one, ties counting half. Nothing
// where all rows are of one kind. The spans must be of one length.
std::optional<double> RocAuc(std::span<const uint8_t> positive, std::span<const float> scores);

// Area under the precision-recall curve as average precision, sum (R_n - R_{n-1}) P_n over falling thresholds. Nothing
// where no row is positive.
std::optional<double> PrecisionRecallAuc(std::span<const uint8_t> positive, std::span<const float> scores);

// `scores.scores` are probabilities.
// {"log_loss","brier","calibration_error","calibration":[{"confidence","accuracy","rows"}]} and, of two classes,
// {"roc_auc","pr_auc"} of the second, of more (at most 200) their one-vs-rest means {"roc_auc_macro",
// "roc_auc_weighted","pr_auc_macro","pr_auc_weighted"} over the classes for which they are defined.
// Probabilities below 2^-23 count as that in the log loss. The Brier score is mean (p - y)^2 of the second class where
// there are two, else the mean over rows of the sum over classes. The calibration error (C. Guo et al., ICML 2017) is
// sum rows/all |accuracy - confidence| over 15 bins of the highest probability, of equal width, closed on the right.
boost::json::object ProbabilityMetrics(const ClassScores& scores);

}  // namespace atelier::learning
