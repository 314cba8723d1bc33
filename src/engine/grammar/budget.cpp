#include "engine/grammar/budget.h"

namespace atelier::engine::grammar {
namespace {

constexpr uint64_t kStepsBetweenLooks = 20'000;

}  // namespace

Budget::Budget(const GrammarLimits& limits, const Clock* clock) : limits_(limits), clock_(clock) {
  if (clock_ != nullptr) {
    deadline_ns_ = clock_->MonotonicNs() + limits.max_compile_ms * 1'000'000;
  }
}

bool Budget::Spend(uint64_t steps) {
  if (exhausted_) {
    return false;
  }
  steps_ += steps;
  exhausted_ = steps_ > limits_.max_steps;
  if (clock_ != nullptr && steps_ >= next_look_) {
    next_look_ = steps_ + kStepsBetweenLooks;
    exhausted_ = exhausted_ || clock_->MonotonicNs() > deadline_ns_;
  }
  return !exhausted_;
}

bool Budget::SpendCells(size_t cells) {
  cells_ += cells;
  exhausted_ = exhausted_ || cells_ > limits_.max_cells;
  return !exhausted_;
}

Error TooComplex(const std::string& what) {
  return MakeError(Code::kInvalidArgument, what + " is too complex to be enforced", "schema_too_complex");
}

Error TooDeep(const std::string& what) {
  return MakeError(Code::kInvalidArgument, what + " is nested too deeply", "schema_too_deep");
}

Error Unsupported(const std::string& what, const std::string& pointer) {
  return MakeError(Code::kInvalidArgument, what + " cannot be enforced (at '" + pointer + "')",
                   "unsupported_schema_keyword", pointer);
}

}  // namespace atelier::engine::grammar
