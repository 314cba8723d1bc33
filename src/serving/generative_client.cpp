// The generative calls of WorkerClient.
#include <chrono>
#include <mutex>
#include <utility>

#include "serving/client_call.h"
#include "serving/generative_wire.h"
#include "serving/worker_client.h"

namespace atelier::serving {
namespace {

// A unary call of which the answer is read by FromWire. `start` is one of the stub's methods.
template <class Response, class Request, class Start, class Answer>
void Ask(Request request, int64_t timeout_ms, Start start, std::function<void(Result<Answer>)> done) {
  // Shared with gRPC's callback, which std::function requires to be copyable.
  auto call = std::make_shared<Call<Request, Response>>(std::move(request), timeout_ms);
  start(*call, [call, done = std::move(done)](const grpc::Status& status) {
    if (status.ok()) {
      done(FromWire(call->response));
    } else {
      done(FromGrpc(status));
    }
  });
}

// One Generate. Owns itself until gRPC is done with it; what cancels it holds it weakly.
class GenerationStream final : public grpc::ClientBidiReactor<pb::GenerateRequest, pb::GenerateEvent> {
 public:
  GenerationStream(pb::GenerateRequest request, int64_t timeout_ms, std::shared_ptr<engine::GenerationSink> sink)
      : request_(std::move(request)), sink_(std::move(sink)) {
    context_.set_deadline(std::chrono::system_clock::now() + std::chrono::milliseconds(timeout_ms));
  }

  void Start(pb::Worker::Stub& stub, std::shared_ptr<GenerationStream> self) {
    self_ = std::move(self);
    stub.async()->Generate(&context_, this);
    AddHold();  // the caller's side stays open until the worker's ends, or Cancel
    StartWrite(&request_);
    StartRead(&event_);
    StartCall();
  }

  void Cancel() {
    {
      std::lock_guard lock(mutex_);
      if (std::exchange(cancelled_, true) || ended_ || !sent_) {
        return;
      }
      AddHold();
    }
    StartWritesDone();
    RemoveHold();
  }

 private:
  void OnWriteDone(bool ok) override {
    {
      std::lock_guard lock(mutex_);
      sent_ = ok;
      if (!ok || !cancelled_) {
        return;
      }
    }
    StartWritesDone();  // Cancel came first
  }

  void OnReadDone(bool ok) override {
    if (!ok) {
      {
        std::lock_guard lock(mutex_);
        ended_ = true;
      }
      RemoveHold();
      return;
    }
    std::vector<engine::GenerationDelta> deltas;
    deltas.reserve(static_cast<size_t>(event_.deltas_size()));
    for (pb::Delta& delta : *event_.mutable_deltas()) {
      deltas.push_back(FromWire(std::move(delta)));
      Count(deltas.back());
    }
    if (event_.has_usage()) {
      usage_ = FromWire(event_.usage());
    }
    if (!deltas.empty()) {
      sink_->OnDeltas(std::move(deltas));
    }
    StartRead(&event_);
  }

  // What was used as far as it was told, for the case that the worker does not live to say it itself.
  void Count(const engine::GenerationDelta& delta) {
    int32_t& tokens =
        delta.kind == engine::GenerationDelta::Kind::kPrompt ? usage_.prompt_tokens : usage_.completion_tokens;
    tokens += delta.tokens;
    usage_.reasoning_tokens += delta.kind == engine::GenerationDelta::Kind::kReasoning ? delta.tokens : 0;
  }

  void OnDone(const grpc::Status& status) override {
    const std::shared_ptr<GenerationStream> self = std::move(self_);
    sink_->OnDone(status.ok() ? Status() : Status(FromGrpc(status)), usage_);
    sink_.reset();
  }

  grpc::ClientContext context_;
  pb::GenerateRequest request_;
  pb::GenerateEvent event_;
  engine::GenerationUsage usage_;
  std::shared_ptr<engine::GenerationSink> sink_;
  std::shared_ptr<GenerationStream> self_;
  std::mutex mutex_;  // not Guarded<T>: what it guards decides about calls outside it
  bool sent_ = false;
  bool cancelled_ = false;
  bool ended_ = false;  // the worker's side
};

}  // namespace

std::function<void()> WorkerClient::Generate(pb::GenerateRequest request, int64_t timeout_ms,
                                             std::shared_ptr<engine::GenerationSink> sink) {
  auto stream = std::make_shared<GenerationStream>(std::move(request), timeout_ms, std::move(sink));
  std::function<void()> cancel = [weak = std::weak_ptr(stream)] {
    if (const auto alive = weak.lock()) {
      alive->Cancel();
    }
  };
  stream->Start(*stub_, stream);
  return cancel;
}

void WorkerClient::Embed(pb::EmbedRequest request, int64_t timeout_ms,
                         std::function<void(Result<engine::EmbeddingAnswer>)> done) {
  Ask<pb::EmbedResponse>(
      std::move(request), timeout_ms,
      [this](auto& call, auto then) {
        stub_->async()->Embed(&call.context, &call.request, &call.response, std::move(then));
      },
      std::move(done));
}

void WorkerClient::Rerank(pb::RerankRequest request, int64_t timeout_ms,
                          std::function<void(Result<engine::RerankAnswer>)> done) {
  Ask<pb::RerankResponse>(
      std::move(request), timeout_ms,
      [this](auto& call, auto then) {
        stub_->async()->Rerank(&call.context, &call.request, &call.response, std::move(then));
      },
      std::move(done));
}

void WorkerClient::Tokenize(pb::TokenizeRequest request, int64_t timeout_ms,
                            std::function<void(Result<engine::TokenizeAnswer>)> done) {
  Ask<pb::TokenizeResponse>(
      std::move(request), timeout_ms,
      [this](auto& call, auto then) {
        stub_->async()->Tokenize(&call.context, &call.request, &call.response, std::move(then));
      },
      std::move(done));
}

void WorkerClient::Detokenize(pb::DetokenizeRequest request, int64_t timeout_ms,
                              std::function<void(Result<std::string>)> done) {
  auto call = std::make_shared<Call<pb::DetokenizeRequest, pb::DetokenizeResponse>>(std::move(request), timeout_ms);
  stub_->async()->Detokenize(&call->context, &call->request, &call->response,
                             [call, done = std::move(done)](const grpc::Status& status) {
                               if (status.ok()) {
                                 done(std::move(*call->response.mutable_text()));
                               } else {
                                 done(FromGrpc(status));
                               }
                             });
}

void WorkerClient::LoadAdapter(const std::string& name, const std::string& path, int64_t timeout_ms,
                               std::function<void(Result<engine::AdapterInfo>)> done) {
  pb::LoadAdapterRequest request;
  request.set_name(name);
  request.set_path(path);
  auto call = std::make_shared<Call<pb::LoadAdapterRequest, pb::LoadAdapterResponse>>(std::move(request), timeout_ms);
  stub_->async()->LoadAdapter(
      &call->context, &call->request, &call->response, [call, done = std::move(done)](const grpc::Status& status) {
        if (status.ok()) {
          done(engine::AdapterInfo{call->request.name(), call->response.rank(), call->response.bytes()});
        } else {
          done(FromGrpc(status));
        }
      });
}

void WorkerClient::UnloadAdapter(const std::string& name, int64_t timeout_ms, std::function<void(Status)> done) {
  pb::UnloadAdapterRequest request;
  request.set_name(name);
  auto call =
      std::make_shared<Call<pb::UnloadAdapterRequest, pb::UnloadAdapterResponse>>(std::move(request), timeout_ms);
  stub_->async()->UnloadAdapter(&call->context, &call->request, &call->response,
                                [call, done = std::move(done)](const grpc::Status& status) {
                                  done(status.ok() ? Status() : Status(FromGrpc(status)));
                                });
}

}  // namespace atelier::serving
