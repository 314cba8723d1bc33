#include "serving/generation_metrics.h"

#include <utility>

namespace atelier::serving {
namespace {

using Kind = engine::GenerationDelta::Kind;
using Buckets = std::vector<double>;

double Seconds(int64_t ns) { return static_cast<double>(ns) * 1e-9; }

// vLLM's.
const Buckets& FirstTokenBuckets() {
  static const Buckets kBuckets{.001, .005, .01, .02, .04, .06, .08, .1, .25, .5,  .75,
                                1,    2.5,  5,   7.5, 10,  20,  40,  80, 160, 640, 2560};
  return kBuckets;
}
const Buckets& TokenBuckets() {
  static const Buckets kBuckets{.01, .025, .05, .075, .1, .15, .2, .3, .4, .5, .75, 1, 2.5, 5, 7.5, 10, 20, 40, 80};
  return kBuckets;
}
const Buckets& RequestBuckets() {
  static const Buckets kBuckets{.3, .5, .8, 1,  1.5, 2,   2.5, 5,   10,   15,  20,
                                30, 40, 50, 60, 120, 240, 480, 960, 1920, 7680};
  return kBuckets;
}
const Buckets& CountBuckets() {
  static const Buckets kBuckets{1,    2,    5,    10,     20,     50,     100,     200,    500,
                                1000, 2000, 5000, 10'000, 20'000, 50'000, 100'000, 200'000};
  return kBuckets;
}

}  // namespace

struct GenerationMetrics::Series {
  Series(Metrics& metrics, const Metrics::Labels& labels)
      : running(metrics.Gauge("vllm:num_requests_running", "Answers that are being computed", labels)),
        waiting(metrics.Gauge("vllm:num_requests_waiting", "Requests that wait for their first step", labels)),
        kv_used(metrics.Gauge("vllm:kv_cache_usage_perc", "Share of the cache's pages in use, 0 to 1", labels)),
        prompt_tokens(metrics.Counter("vllm:prompt_tokens_total", "Tokens of prompts", labels)),
        generation_tokens(metrics.Counter("vllm:generation_tokens_total", "Tokens generated", labels)),
        cache_queries(metrics.Counter("vllm:prefix_cache_queries_total", "Tokens looked for in the cache", labels)),
        cache_hits(metrics.Counter("vllm:prefix_cache_hits_total", "Tokens found in the cache", labels)),
        stop(Finished(metrics, labels, "stop")),
        length(Finished(metrics, labels, "length")),
        abort(Finished(metrics, labels, "abort")),
        error(Finished(metrics, labels, "error")),
        first_token(metrics.Histogram("vllm:time_to_first_token_seconds", "Time to the first token", labels,
                                      FirstTokenBuckets())),
        inter_token(
            metrics.Histogram("vllm:inter_token_latency_seconds", "Time from token to token", labels, TokenBuckets())),
        per_token(metrics.Histogram("vllm:request_time_per_output_token_seconds",
                                    "Mean time of a request's tokens after the first", labels, TokenBuckets())),
        whole(Duration(metrics, labels, "vllm:e2e_request_latency_seconds", "Time of whole requests")),
        queue(Duration(metrics, labels, "vllm:request_queue_time_seconds", "Time until the first step")),
        prefill(Duration(metrics, labels, "vllm:request_prefill_time_seconds", "Time of prompts")),
        decode(Duration(metrics, labels, "vllm:request_decode_time_seconds", "Time of answers")),
        inference(Duration(metrics, labels, "vllm:request_inference_time_seconds", "Time of prompts and answers")),
        drafts(metrics.Counter("vllm:spec_decode_num_drafts_total", "Guesses of tokens that come next", labels)),
        draft_tokens(metrics.Counter("vllm:spec_decode_num_draft_tokens_total", "Tokens of those guesses", labels)),
        accepted_tokens(
            metrics.Counter("vllm:spec_decode_num_accepted_tokens_total", "Tokens of them that came", labels)),
        request_prompt(
            metrics.Histogram("vllm:request_prompt_tokens", "Tokens of a request's prompt", labels, CountBuckets())),
        request_generation(metrics.Histogram("vllm:request_generation_tokens", "Tokens of a request's answers", labels,
                                             CountBuckets())) {}

  static prometheus::Counter& Finished(Metrics& metrics, Metrics::Labels labels, const char* reason) {
    labels["finished_reason"] = reason;
    return metrics.Counter("vllm:request_success_total", "Answers that ended", labels);
  }
  static prometheus::Histogram& Duration(Metrics& metrics, const Metrics::Labels& labels, const char* name,
                                         const char* help) {
    return metrics.Histogram(name, help, labels, RequestBuckets());
  }

  prometheus::Gauge& running;
  prometheus::Gauge& waiting;
  prometheus::Gauge& kv_used;
  prometheus::Counter& prompt_tokens;
  prometheus::Counter& generation_tokens;
  prometheus::Counter& cache_queries;
  prometheus::Counter& cache_hits;
  prometheus::Counter& stop;
  prometheus::Counter& length;
  prometheus::Counter& abort;
  prometheus::Counter& error;
  prometheus::Histogram& first_token;
  prometheus::Histogram& inter_token;
  prometheus::Histogram& per_token;
  prometheus::Histogram& whole;
  prometheus::Histogram& queue;
  prometheus::Histogram& prefill;
  prometheus::Histogram& decode;
  prometheus::Histogram& inference;
  prometheus::Counter& drafts;
  prometheus::Counter& draft_tokens;
  prometheus::Counter& accepted_tokens;
  prometheus::Histogram& request_prompt;
  prometheus::Histogram& request_generation;
};

GenerationMetrics::GenerationMetrics(Metrics& metrics, const std::string& deployment, int64_t version)
    : series_(std::make_unique<const Series>(
          metrics, Metrics::Labels{{"model_name", deployment}, {"engine", std::to_string(version)}})) {}

GenerationMetrics::~GenerationMetrics() { Observe({}); }

void GenerationMetrics::Observe(const WorkerHealth& health) const {
  series_->running.Set(health.running);
  series_->waiting.Set(health.queued);
  series_->kv_used.Set(health.kv_used);
}

void GenerationWatch::OnDeltas(const std::vector<engine::GenerationDelta>& deltas) {
  if (metrics_ == nullptr) {
    return;
  }
  const auto& series = *metrics_->series_;
  int64_t tokens = 0;
  for (const auto& delta : deltas) {
    if (delta.kind == Kind::kPrompt) {
      series.prompt_tokens.Increment(delta.tokens);
      continue;
    }
    tokens += delta.tokens;
    if (delta.kind == Kind::kFinish) {
      (delta.finish == engine::FinishReason::kLength ? series.length : series.stop).Increment();
    }
  }
  if (tokens <= 0) {
    return;
  }
  series.generation_tokens.Increment(static_cast<double>(tokens));
  const int64_t now_ns = clock_.MonotonicNs();
  const int64_t before_ns = std::exchange(last_ns_, now_ns);
  if (before_ns == 0) {
    series.first_token.Observe(Seconds(now_ns - begun_ns_));
  } else {
    series.inter_token.Observe(Seconds(now_ns - before_ns));
  }
}

void GenerationWatch::OnDone(const Status& status, const engine::GenerationUsage& usage) const {
  if (metrics_ == nullptr) {
    return;
  }
  const auto& series = *metrics_->series_;
  series.cache_queries.Increment(usage.prompt_tokens);
  series.cache_hits.Increment(usage.cached_tokens);
  series.drafts.Increment(usage.drafts);
  series.draft_tokens.Increment(usage.draft_tokens);
  series.accepted_tokens.Increment(usage.accepted_draft_tokens);
  if (!status.ok()) {
    (status.error().code == Code::kCancelled ? series.abort : series.error).Increment();
    return;
  }
  series.whole.Observe(Seconds(clock_.MonotonicNs() - begun_ns_));
  series.queue.Observe(Seconds(usage.queue_ns));
  series.prefill.Observe(Seconds(usage.prefill_ns));
  series.decode.Observe(Seconds(usage.decode_ns));
  series.inference.Observe(Seconds(usage.prefill_ns + usage.decode_ns));
  series.request_prompt.Observe(usage.prompt_tokens);
  series.request_generation.Observe(usage.completion_tokens);
  if (usage.completion_tokens > 1) {
    series.per_token.Observe(Seconds(usage.decode_ns) / (usage.completion_tokens - 1));
  }
}

}  // namespace atelier::serving
