#include "serving/wishes.h"

#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

TEST(Wishes, SettingsGoOverTheDefaultsWithinTheirRanges) {
  const BatchOptions defaults{.max_batch = 16, .max_delay_us = 300, .max_queue = 50};
  EXPECT_EQ(BatchOptionsOf({}, defaults), defaults);
  EXPECT_EQ(BatchOptionsOf({{"max_batch", 64}, {"max_delay_us", 0}}, defaults), (BatchOptions{64, 0, 50}));
  EXPECT_EQ(BatchOptionsOf({{"max_batch", 0}, {"max_delay_us", -5}, {"max_queue", 1'000'000'000}}, defaults),
            (BatchOptions{1, 0, 1'000'000}));
  EXPECT_EQ(BatchOptionsOf({{"max_batch", "many"}}, defaults), defaults);
}

}  // namespace
}  // namespace atelier::serving
