#include "engine/service/speculation/policy.h"

#include <algorithm>
#include <numeric>

namespace atelier::engine {
namespace {

constexpr double kClearly = 1.02;
constexpr double kLongestStep = 1.1;  // beside what the answer that gains least expects

struct Plan {
  std::vector<size_t> lengths;
  std::vector<double> next;      // chance that one token more would be taken
  std::vector<double> expected;  // tokens of each answer
  size_t rows = 0;
  size_t passes = 0;
};

// One token more for the answer where it is likeliest to be taken; false when there is none.
bool Extend(std::span<const DraftOffer> offers, Plan& plan) {
  size_t best = offers.size();
  for (size_t i = 0; i < offers.size(); ++i) {
    if (plan.lengths[i] < offers[i].most && (best == offers.size() || plan.next[i] > plan.next[best])) {
      best = i;
    }
  }
  if (best == offers.size()) {
    return false;
  }
  plan.expected[best] += plan.next[best];
  plan.next[best] *= offers[best].rate;
  ++plan.lengths[best];
  ++plan.rows;
  plan.passes = offers[best].by_model ? std::max(plan.passes, plan.lengths[best]) : plan.passes;
  return true;
}

}  // namespace

std::vector<size_t> ChooseLengths(std::span<const DraftOffer> offers, const StepCosts& costs, double pass) {
  Plan plan{std::vector<size_t>(offers.size()), {}, std::vector<double>(offers.size(), 1.0), offers.size()};
  std::ranges::transform(offers, std::back_inserter(plan.next), &DraftOffer::rate);
  const double plain_cost = costs.Of(offers.size());
  double best_speed = kClearly * static_cast<double>(offers.size()) / plain_cost;
  std::vector<size_t> best = plan.lengths;
  while (plan.rows < StepCosts::kMostRows && Extend(offers, plan)) {
    const double cost = costs.Of(plan.rows) + static_cast<double>(plan.passes) * pass;
    const double speed = std::accumulate(plan.expected.begin(), plan.expected.end(), 0.0) / cost;
    if (speed > best_speed && cost <= kLongestStep * plain_cost * std::ranges::min(plan.expected)) {
      best_speed = speed;
      best = plan.lengths;
    }
  }
  return best;
}

}  // namespace atelier::engine
