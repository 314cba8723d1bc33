// How sure a figure is: bootstrap intervals, and tests of whether two models differ. Seeded: the same input gives the
// same answer.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>

namespace atelier::learning {

struct ResamplingOptions {
  int resamples = 1000;
  double confidence = 0.95;
  uint64_t seed = 1;
};

struct Interval {
  double low = 0;
  double high = 0;
};

// A figure of the rows with these numbers, some of them several times.
using Statistic = std::function<double(std::span<const uint32_t> rows)>;

// The percentile interval of B. Efron's bootstrap ("Bootstrap Methods: Another Look at the Jackknife", 1979) over rows
// drawn with replacement, ends interpolated linearly; resamples for which the statistic is not finite are left out.
// {NaN, NaN} where nothing is left.
Interval Bootstrap(size_t rows, const Statistic& statistic, const ResamplingOptions& options);

// The same of a mean, without a call a resample.
Interval BootstrapMean(std::span<const double> values, const ResamplingOptions& options);

// McNemar's test (Q. McNemar, 1947) of two classifiers on the same rows, from how many rows only the one and only the
// other has right: two-sided, exact below 25 such rows, else chi-squared with the continuity correction.
struct McNemarResult {
  double p = 1;
  bool exact = true;
};
McNemarResult McNemar(int64_t only_a, int64_t only_b);

// Paired permutation test (R. Fisher's randomisation; E. Noreen, 1989) of the mean of `differences`: how often signs
// drawn at random give a mean as far from 0. All 2^n of them are counted where n is at most 13, else options.resamples
// drawn, with p = (count + 1) / (drawn + 1).
double PairedPermutation(std::span<const double> differences, const ResamplingOptions& options);

// The same for a figure that is no mean, such as BLEU ("approximate randomisation"): `difference(swapped)` is that of
// both models with the answers of the marked rows exchanged; it is called with none marked first.
double PairedRandomisation(size_t rows, const std::function<double(std::span<const uint8_t> swapped)>& difference,
                           const ResamplingOptions& options);

}  // namespace atelier::learning
