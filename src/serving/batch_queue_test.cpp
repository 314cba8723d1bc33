#include "serving/batch_queue.h"

#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

BatchRequest Request(size_t instances) {
  BatchRequest request;
  request.instances.resize(instances);
  return request;
}

Status Add(BatchQueue& queue, size_t instances, int64_t now_ns) {
  BatchRequest request = Request(instances);
  return queue.Add(request, now_ns);
}

// A queue that has lately seen `requests` under way together.
BatchQueue QueueWithCompany(BatchOptions options, int requests) {
  BatchQueue queue(options);
  for (int i = 0; i < requests; ++i) {
    EXPECT_TRUE(Add(queue, 1, 0).ok());
  }
  while (!queue.empty()) {
    queue.Take(0);
  }
  queue.Finish();
  return queue;
}

TEST(BatchQueue, AloneItDoesNotWait) {
  BatchQueue queue({.max_batch = 8, .max_delay_us = 500, .max_queue = 100});
  EXPECT_FALSE(queue.StartsAtNs().has_value());
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(Add(queue, 1, 1000 * i).ok());
    EXPECT_EQ(queue.StartsAtNs(), 1000 * i);
    queue.Take(1000 * i);
    queue.Finish();
  }
}

TEST(BatchQueue, WaitsForTheCompanyItLatelyHad) {
  BatchQueue queue = QueueWithCompany({.max_batch = 8, .max_delay_us = 500, .max_queue = 100}, 3);
  ASSERT_TRUE(Add(queue, 1, 1000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000 + 500'000);
  ASSERT_TRUE(Add(queue, 1, 2000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000 + 500'000) << "the oldest one's wait counts";
  ASSERT_TRUE(Add(queue, 1, 3000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000) << "all that can be expected are there";
}

TEST(BatchQueue, AFullBatchDoesNotWait) {
  BatchQueue queue = QueueWithCompany({.max_batch = 4, .max_delay_us = 500, .max_queue = 100}, 30);
  ASSERT_TRUE(Add(queue, 3, 1000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000 + 500'000);
  ASSERT_TRUE(Add(queue, 1, 2000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000);
}

TEST(BatchQueue, WithoutDelayItNeverWaits) {
  BatchQueue queue = QueueWithCompany({.max_batch = 8, .max_delay_us = 0, .max_queue = 100}, 5);
  ASSERT_TRUE(Add(queue, 1, 1000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000);
}

TEST(BatchQueue, ForgetsCompanyThatIsGone) {
  BatchQueue queue = QueueWithCompany({.max_batch = 8, .max_delay_us = 500, .max_queue = 100}, 5);
  for (int i = 0; i < 64; ++i) {
    ASSERT_TRUE(Add(queue, 1, 1000).ok());
    queue.Take(1000);
    queue.Finish();
  }
  ASSERT_TRUE(Add(queue, 1, 1000).ok());
  EXPECT_EQ(queue.StartsAtNs(), 1000);
}

TEST(BatchQueue, SplitsAndJoinsRequests) {
  BatchQueue queue({.max_batch = 4, .max_delay_us = 0, .max_queue = 100});
  ASSERT_TRUE(Add(queue, 6, 0).ok());
  ASSERT_TRUE(Add(queue, 3, 0).ok());
  EXPECT_EQ(queue.queued(), 9);

  auto first = queue.Take(0);
  ASSERT_EQ(first.slices.size(), 1U);
  EXPECT_EQ(first.slices[0].begin, 0U);
  EXPECT_EQ(first.slices[0].count, 4U);
  EXPECT_EQ(queue.running(), 4);
  EXPECT_EQ(queue.queued(), 5);
  queue.Finish();

  auto second = queue.Take(0);
  ASSERT_EQ(second.slices.size(), 2U);
  EXPECT_EQ(second.slices[0].ticket, first.slices[0].ticket);
  EXPECT_EQ(second.slices[0].begin, 4U);
  EXPECT_EQ(second.slices[0].count, 2U);
  EXPECT_EQ(second.slices[1].count, 2U);
  queue.Finish();

  auto third = queue.Take(0);
  ASSERT_EQ(third.slices.size(), 1U);
  EXPECT_EQ(third.slices[0].begin, 2U);
  EXPECT_EQ(third.slices[0].count, 1U);
  EXPECT_TRUE(queue.empty());
  EXPECT_EQ(queue.queued(), 0);
}

TEST(BatchQueue, IsBounded) {
  BatchQueue queue({.max_batch = 4, .max_delay_us = 0, .max_queue = 10});
  ASSERT_TRUE(Add(queue, 10, 0).ok());
  BatchRequest refused = Request(1);
  const Status status = queue.Add(refused, 0);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::kResourceExhausted);
  EXPECT_EQ(status.error().reason, "queue_full");
  EXPECT_EQ(refused.instances.size(), 1U) << "unchanged";
  queue.Take(0);
  EXPECT_TRUE(Add(queue, 4, 0).ok());
}

TEST(BatchQueue, TakesARequestLargerThanTheQueueWhenNothingWaits) {
  BatchQueue queue({.max_batch = 4, .max_delay_us = 0, .max_queue = 10});
  EXPECT_TRUE(Add(queue, 50, 0).ok());
  EXPECT_FALSE(Add(queue, 50, 0).ok());
}

TEST(BatchQueue, DropsWhatExpiredOrWasCancelled) {
  BatchQueue queue({.max_batch = 4, .max_delay_us = 0, .max_queue = 10});
  BatchRequest expired = Request(2);
  expired.deadline_ns = 500;
  auto flag = std::make_shared<std::atomic<bool>>(false);
  BatchRequest cancelled = Request(2);
  cancelled.cancelled = flag;
  ASSERT_TRUE(queue.Add(expired, 0).ok());
  ASSERT_TRUE(queue.Add(cancelled, 0).ok());
  ASSERT_TRUE(Add(queue, 3, 0).ok());
  *flag = true;
  const auto batch = queue.Take(500);
  ASSERT_EQ(batch.dropped.size(), 2U);
  EXPECT_EQ(batch.dropped[0].second.code, Code::kDeadlineExceeded);
  EXPECT_EQ(batch.dropped[1].second.code, Code::kCancelled);
  ASSERT_EQ(batch.slices.size(), 1U);
  EXPECT_EQ(batch.slices[0].count, 3U) << "their room goes to the others";
  EXPECT_EQ(queue.queued(), 0);
}

TEST(BatchQueue, LeavesOutTheRestOfAFinishedRequest) {
  BatchQueue queue({.max_batch = 4, .max_delay_us = 0, .max_queue = 10});
  ASSERT_TRUE(Add(queue, 6, 0).ok());
  auto batch = queue.Take(0);
  batch.slices[0].ticket->finished = true;
  queue.Finish();
  batch = queue.Take(0);
  EXPECT_TRUE(batch.slices.empty());
  EXPECT_TRUE(batch.dropped.empty());
  EXPECT_EQ(queue.queued(), 0);
}

}  // namespace
}  // namespace atelier::serving
