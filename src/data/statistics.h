// Mean, deviation and range in one pass.
#pragma once

#include <array>
#include <bit>
#include <cmath>
#include <cstdint>
#include <span>

#include "data/manifest.h"

namespace atelier::data {

// B. P. Welford, "Note on a Method for Calculating Corrected Sums of Squares and Products", Technometrics 4 (1962).
class Moments {
 public:
  void Add(double value) {
    minimum_ = count_ == 0 || value < minimum_ ? value : minimum_;
    maximum_ = count_ == 0 || value > maximum_ ? value : maximum_;
    ++count_;
    const double delta = value - mean_;
    mean_ += delta / static_cast<double>(count_);
    squares_ += delta * (value - mean_);
  }
  // The standard deviation is that of the values themselves (divided by their count).
  void Fill(ColumnStatistics& out) const {
    out.minimum = minimum_;
    out.maximum = maximum_;
    out.mean = mean_;
    out.standard_deviation = standard_deviation();
  }
  int64_t count() const { return count_; }
  double minimum() const { return minimum_; }
  double maximum() const { return maximum_; }
  double mean() const { return mean_; }
  double standard_deviation() const { return count_ == 0 ? 0 : std::sqrt(squares_ / static_cast<double>(count_)); }
  // Whole numbers from which the very same moments come back.
  std::array<int64_t, 5> Save() const {
    const auto bits = [](double value) { return std::bit_cast<int64_t>(value); };
    return {count_, bits(minimum_), bits(maximum_), bits(mean_), bits(squares_)};
  }
  void Restore(const std::array<int64_t, 5>& saved) {
    const auto value = [&](size_t i) { return std::bit_cast<double>(saved.at(i)); };
    count_ = saved[0];
    minimum_ = value(1);
    maximum_ = value(2);
    mean_ = value(3);
    squares_ = value(4);
  }

 private:
  int64_t count_ = 0;
  double minimum_ = 0, maximum_ = 0, mean_ = 0, squares_ = 0;
};

// Pixels have 256 values only, so their statistics are exact.
class PixelHistogram {
 public:
  void Add(std::span<const uint8_t> pixels) {
    for (const uint8_t pixel : pixels) {
      ++counts_[pixel];
    }
  }
  void Fill(ColumnStatistics& out) const {
    Moments range;
    double total = 0;
    double sum = 0;
    for (size_t value = 0; value < counts_.size(); ++value) {
      if (counts_.at(value) > 0) {
        range.Add(static_cast<double>(value));
        total += static_cast<double>(counts_.at(value));
        sum += static_cast<double>(counts_.at(value)) * static_cast<double>(value);
      }
    }
    range.Fill(out);
    out.mean = total > 0 ? sum / total : 0;
    double squares = 0;
    for (size_t value = 0; value < counts_.size(); ++value) {
      const double delta = static_cast<double>(value) - out.mean;
      squares += static_cast<double>(counts_.at(value)) * delta * delta;
    }
    out.standard_deviation = total > 0 ? std::sqrt(squares / total) : 0;
  }
  const std::array<int64_t, 256>& Save() const { return counts_; }
  void Restore(const std::array<int64_t, 256>& saved) { counts_ = saved; }

 private:
  std::array<int64_t, 256> counts_{};
};

}  // namespace atelier::data
