#include "base/metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <thread>

namespace atelier {
namespace {

using testing::HasSubstr;

TEST(Metrics, TheSameNameAndLabelsAreTheSameObject) {
  Metrics metrics;
  auto& first = metrics.Counter("atelier_requests_total", "Requests", {{"route", "/v1/predict"}});
  auto& again = metrics.Counter("atelier_requests_total", "Requests", {{"route", "/v1/predict"}});
  auto& other = metrics.Counter("atelier_requests_total", "Requests", {{"route", "/v1/jobs"}});
  EXPECT_EQ(&first, &again);
  EXPECT_NE(&first, &other);
  EXPECT_EQ(&metrics.Gauge("atelier_queue", "Waiting"), &metrics.Gauge("atelier_queue", "Waiting"));
  EXPECT_EQ(&metrics.Histogram("atelier_seconds", "Time", {}, {0.1, 1}),
            &metrics.Histogram("atelier_seconds", "Time", {}, {0.1, 1}));
}

TEST(Metrics, RenderPrometheusText) {
  Metrics metrics;
  metrics.Counter("atelier_requests_total", "Requests", {{"code", "200"}}).Increment(3);
  metrics.Gauge("atelier_queue", "Waiting").Set(-2.5);
  auto& histogram = metrics.Histogram("atelier_seconds", "Time", {}, {0.1, 1});
  histogram.Observe(0.05);
  histogram.Observe(0.5);
  histogram.Observe(5);
  const std::string text = metrics.Render();
  EXPECT_THAT(text, HasSubstr("# HELP atelier_requests_total Requests\n# TYPE atelier_requests_total counter\n"
                              "atelier_requests_total{code=\"200\"} 3\n"));
  EXPECT_THAT(text, HasSubstr("# TYPE atelier_queue gauge\natelier_queue -2.5\n"));
  EXPECT_THAT(text, HasSubstr("atelier_seconds_count 3\n"));
  EXPECT_THAT(text, HasSubstr("atelier_seconds_bucket{le=\"0.1\"} 1\n"));
  EXPECT_THAT(text, HasSubstr("atelier_seconds_bucket{le=\"1\"} 2\n"));
  EXPECT_THAT(text, HasSubstr("atelier_seconds_bucket{le=\"+Inf\"} 3\n"));
}

TEST(Metrics, LabelsFromOutsideCannotBreakTheText) {
  Metrics metrics;
  metrics.Counter("atelier_total", "Help", {{"model", "a\"} 1\nevil_total 9"}}).Increment();
  EXPECT_THAT(metrics.Render(), HasSubstr(R"(atelier_total{model="a\"} 1\nevil_total 9"} 1)"));
}

TEST(Metrics, CountFromManyThreadsThatAskByThemselves) {
  Metrics metrics;
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < 4; ++i) {
      threads.emplace_back([&] {
        for (int j = 0; j < 500; ++j) {
          metrics.Counter("atelier_total", "Help", {{"n", std::to_string(j % 5)}}).Increment();
        }
      });
    }
  }
  EXPECT_EQ(metrics.Counter("atelier_total", "Help", {{"n", "0"}}).Value(), 400);
}

}  // namespace
}  // namespace atelier
