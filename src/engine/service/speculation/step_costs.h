// How long a step takes, by its rows: what a draft costs.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace atelier::engine {

// Learns from steps in which nothing but answers is computed. The times of all steps grow and shrink together (texts
// become longer, others use the machine), so that one time moves all of them, and its own the most. Before anything is
// known, each row more is guessed to cost a small share of the first. Not thread-safe.
class StepCosts {
 public:
  static constexpr size_t kMostRows = 48;

  // Steps of more than kMostRows rows teach nothing.
  void Note(size_t rows, int64_t ns);
  // In nanoseconds, or in an unknown unit as long as nothing was noted: for ratios. `rows` from 1 to kMostRows.
  double Of(size_t rows) const;
  bool known() const { return first_ != 0; }

 private:
  std::array<double, kMostRows + 1> ns_{};  // by rows; 0: unknown
  size_t first_ = 0;                        // fewest rows that are known; 0: none
};

}  // namespace atelier::engine
