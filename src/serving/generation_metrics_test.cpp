#include "serving/generation_metrics.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace atelier::serving {
namespace {

using engine::GenerationDelta;
using ::testing::HasSubstr;
using Kind = GenerationDelta::Kind;

GenerationDelta Delta(Kind kind, int32_t tokens, engine::FinishReason finish = engine::FinishReason::kNone) {
  GenerationDelta delta;
  delta.kind = kind;
  delta.tokens = tokens;
  delta.finish = finish;
  return delta;
}

class GenerationMetricsTest : public ::testing::Test {
 protected:
  // A line of one number.
  void Expect(const std::string& name, const std::string& more, const std::string& value) {
    EXPECT_THAT(registry_.Render(), HasSubstr("\nvllm:" + name + "{" + more + "} " + value + "\n"));
  }

  static constexpr const char* kLabels = R"(engine="2",model_name="story")";
  Metrics registry_;
  ManualClock clock_;
  std::shared_ptr<const GenerationMetrics> metrics_ = std::make_shared<GenerationMetrics>(registry_, "story", 2);
};

TEST_F(GenerationMetricsTest, CountsAnAnswer) {
  GenerationWatch watch(metrics_, clock_);
  clock_.AdvanceMs(30);
  watch.OnDeltas({Delta(Kind::kPrompt, 7), Delta(Kind::kContent, 1)});
  clock_.AdvanceMs(20);
  watch.OnDeltas({Delta(Kind::kContent, 2), Delta(Kind::kFinish, 1, engine::FinishReason::kLength)});
  watch.OnDone({}, {7, 5, 4, 0, 1'000'000, 2'000'000'000, 3'000'000'000, 0, 0, 1, 3, 2});
  Expect("prompt_tokens_total", kLabels, "7");
  Expect("generation_tokens_total", kLabels, "4");
  Expect("prefix_cache_queries_total", kLabels, "7");
  Expect("prefix_cache_hits_total", kLabels, "5");
  Expect("spec_decode_num_drafts_total", kLabels, "1");
  Expect("spec_decode_num_draft_tokens_total", kLabels, "3");
  Expect("spec_decode_num_accepted_tokens_total", kLabels, "2");
  Expect("time_to_first_token_seconds_sum", kLabels, "0.03");
  Expect("inter_token_latency_seconds_sum", kLabels, "0.02");
  Expect("e2e_request_latency_seconds_count", kLabels, "1");
  Expect("request_inference_time_seconds_sum", kLabels, "5");
  Expect("request_time_per_output_token_seconds_sum", kLabels, "1");
  Expect("request_generation_tokens_sum", kLabels, "4");
  Expect("request_success_total", R"(engine="2",finished_reason="length",model_name="story")", "1");
}

TEST_F(GenerationMetricsTest, CountsWhatWasCutShort) {
  GenerationWatch watch(metrics_, clock_);
  watch.OnDeltas({Delta(Kind::kPrompt, 7), Delta(Kind::kContent, 1)});
  watch.OnDone(MakeError(Code::kCancelled, "cancelled", "cancelled"), {7, 0, 1, 0, 0, 0, 0});
  GenerationWatch(metrics_, clock_).OnDone(Unavailable("gone", "worker_crashed"), {});
  Expect("request_success_total", R"(engine="2",finished_reason="abort",model_name="story")", "1");
  Expect("request_success_total", R"(engine="2",finished_reason="error",model_name="story")", "1");
  Expect("generation_tokens_total", kLabels, "1");
  Expect("e2e_request_latency_seconds_count", kLabels, "0");
}

TEST_F(GenerationMetricsTest, ShowsTheWorkerAndNothingAfterIt) {
  WorkerHealth health;
  health.running = 3;
  health.queued = 2;
  health.kv_used = 0.25;
  metrics_->Observe(health);
  Expect("num_requests_running", kLabels, "3");
  Expect("num_requests_waiting", kLabels, "2");
  Expect("kv_cache_usage_perc", kLabels, "0.25");
  metrics_.reset();
  Expect("num_requests_running", kLabels, "0");
  GenerationWatch(nullptr, clock_).OnDone({}, {});
}

}  // namespace
}  // namespace atelier::serving
