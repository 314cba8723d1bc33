#include "families/sequence/linear_start.h"

#include <gtest/gtest.h>

namespace atelier::families {
namespace {

TEST(LinearStart, FindsWhatMadeTheNumbers) {
  torch::manual_seed(1);
  const auto x = torch::randn({200, 3});
  const auto truth = torch::tensor({{2.0F, -1.0F, 0.0F}, {0.5F, 0.0F, 3.0F}});
  RidgeSums sums;
  for (const int64_t begin : {0, 100}) {
    const auto part = x.narrow(0, begin, 100);
    sums.Add(part, part.mm(truth.t()) + 4);
  }
  const auto found = sums.Solve();
  EXPECT_TRUE(torch::allclose(found.narrow(1, 0, 3), truth, 1e-3, 1e-3));
  EXPECT_TRUE(torch::allclose(found.select(1, 3), torch::tensor({4.0F, 4.0F}), 1e-3, 1e-3));
}

// Ten rows, thirty inputs of noise: an exact fit exists, and says nothing of other rows.
TEST(LinearStart, ShrinksWhatIsOnlyNoise) {
  torch::manual_seed(1);
  RidgeSums sums;
  sums.Add(torch::randn({10, 30}), torch::randn({10, 1}));
  const auto weights = sums.Solve().narrow(1, 0, 30);
  const auto prediction = torch::randn({500, 30}).mm(weights.t());
  EXPECT_LT(prediction.square().mean().item<float>(), 0.5F);
}

}  // namespace
}  // namespace atelier::families
