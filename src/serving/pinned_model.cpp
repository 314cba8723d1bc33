#include "serving/pinned_model.h"

#include <algorithm>
#include <utility>

#include "serving/generative_wire.h"

namespace atelier::serving {
namespace {

// One request under way. Its lease keeps the worker from being drained; it gives back what it took at its end.
class Passage {
 public:
  Passage(std::shared_ptr<const Lease> lease, Clock& clock)
      : lease_(std::move(lease)), clock_(clock), sent_ns_(clock.MonotonicNs()) {
    lease_->metrics->Begin();
  }

  WorkerClient& client() const { return lease_->endpoint->client(); }
  GenerationWatch Watch() const { return {lease_->generation_metrics, clock_}; }

  void End(const Status& status, int64_t queue_ns = 0, int64_t compute_ns = 0) {
    lease_->endpoint->Release(1);
    if (status.ok()) {
      lease_->metrics->Success(1, {clock_.MonotonicNs() - sent_ns_, queue_ns, compute_ns});
      return;
    }
    if (status.error().reason == "worker_crashed") {
      lease_->endpoint->Suspect();
    }
    lease_->metrics->Failure(status.error());
  }

 private:
  std::shared_ptr<const Lease> lease_;
  Clock& clock_;
  int64_t sent_ns_;
};

class PassingSink final : public engine::GenerationSink {
 public:
  PassingSink(std::shared_ptr<Passage> passage, std::shared_ptr<engine::GenerationSink> to)
      : passage_(std::move(passage)), to_(std::move(to)), watch_(passage_->Watch()) {}

  void OnDeltas(std::vector<engine::GenerationDelta> deltas) override {
    watch_.OnDeltas(deltas);
    to_->OnDeltas(std::move(deltas));
  }
  void OnDone(Status status, const engine::GenerationUsage& usage) override {
    watch_.OnDone(status, usage);
    passage_->End(status, usage.queue_ns, usage.prefill_ns + usage.decode_ns);
    to_->OnDone(std::move(status), usage);
  }

 private:
  std::shared_ptr<Passage> passage_;
  std::shared_ptr<engine::GenerationSink> to_;
  GenerationWatch watch_;
};

class PinnedModel final : public LanguageModel {
 public:
  PinnedModel(RoutedLease routed, Clock& clock, PinnedLimits limits)
      : lease_(std::move(routed.lease)),
        clock_(clock),
        limits_(limits),
        served_by_{lease_->deployment, lease_->model_name, lease_->version, std::move(routed.adapter),
                   lease_->signature} {}

  const ServedBy& served_by() const override { return served_by_; }

  std::function<void()> Generate(engine::GenerationRequest request, std::shared_ptr<engine::GenerationSink> sink,
                                 std::optional<int64_t> timeout_ms) override {
    if (timeout_ms.value_or(1) <= 0) {
      sink->OnDone(
          MakeError(Code::kDeadlineExceeded, "The request's time ran out before it reached the model", "timeout"), {});
      return [] {};
    }
    auto passage = Begin();
    if (!passage.ok()) {
      sink->OnDone(std::move(passage).error(), {});
      return [] {};
    }
    request.adapter = served_by_.adapter;
    request.timeout_ms = std::min(timeout_ms.value_or(limits_.generate_timeout_ms), engine::kLongestTimeoutMs);
    WorkerClient& client = (*passage)->client();
    const int64_t call_ms = request.timeout_ms;
    return client.Generate(ToWire(std::move(request)), call_ms,
                           std::make_shared<PassingSink>(std::move(passage).value(), std::move(sink)));
  }
  void Embed(engine::EmbeddingRequest request, std::function<void(Result<engine::EmbeddingAnswer>)> done) override {
    request.adapter = served_by_.adapter;
    Ask(&WorkerClient::Embed, ToWire(std::move(request)), std::move(done));
  }
  void Rerank(engine::RerankRequest request, std::function<void(Result<engine::RerankAnswer>)> done) override {
    request.adapter = served_by_.adapter;
    Ask(&WorkerClient::Rerank, ToWire(std::move(request)), std::move(done));
  }
  void Tokenize(engine::TokenizeRequest request, std::function<void(Result<engine::TokenizeAnswer>)> done) override {
    Ask(&WorkerClient::Tokenize, ToWire(std::move(request)), std::move(done));
  }
  void Detokenize(std::vector<int32_t> tokens, std::function<void(Result<std::string>)> done) override {
    pb::DetokenizeRequest message;
    message.mutable_tokens()->Assign(tokens.begin(), tokens.end());
    Ask(&WorkerClient::Detokenize, std::move(message), std::move(done));
  }

 private:
  Result<std::shared_ptr<Passage>> Begin() {
    if (!lease_->endpoint->Reserve(1, lease_->max_under_way)) {
      return Unavailable("The model '" + lease_->deployment + "' has too many requests under way", "overloaded");
    }
    return std::make_shared<Passage>(lease_, clock_);
  }

  template <class Request, class Answer>
  void Ask(void (WorkerClient::*method)(Request, int64_t, std::function<void(Result<Answer>)>), Request message,
           std::function<void(Result<Answer>)> done) {
    auto passage = Begin();
    if (!passage.ok()) {
      done(std::move(passage).error());
      return;
    }
    WorkerClient& client = (*passage)->client();
    (client.*method)(std::move(message), limits_.answer_timeout_ms,
                     [passage = std::move(passage).value(), done = std::move(done)](Result<Answer> answer) {
                       passage->End(answer.ok() ? Status() : Status(answer.error()));
                       done(std::move(answer));
                     });
  }

  std::shared_ptr<const Lease> lease_;
  Clock& clock_;
  PinnedLimits limits_;
  ServedBy served_by_;
};

}  // namespace

std::shared_ptr<LanguageModel> PinModel(RoutedLease routed, Clock& clock, PinnedLimits limits) {
  return std::make_shared<PinnedModel>(std::move(routed), clock, limits);
}

}  // namespace atelier::serving
