// The worker protocol's server over one Generator, without the process around it.
#pragma once

#include <atomic>
#include <functional>
#include <memory>

#include "engine/generation.h"
#include "serving/worker_base.h"

namespace atelier::serving {

// Thread-safe, but for SetGenerator, which is called once. Must outlive the server's calls.
class GenerativeService final : public WorkerBase {
 public:
  // From now on requests are answered.
  void SetGenerator(std::unique_ptr<engine::Generator> generator);
  using WorkerBase::Drain;
  void Drain(std::function<void()> drained) override;

  grpc::ServerUnaryReactor* Describe(grpc::CallbackServerContext* context, const pb::DescribeRequest* request,
                                     pb::DescribeResponse* response) override;
  grpc::ServerUnaryReactor* Health(grpc::CallbackServerContext* context, const pb::HealthRequest* request,
                                   pb::HealthResponse* response) override;
  grpc::ServerBidiReactor<pb::GenerateRequest, pb::GenerateEvent>* Generate(
      grpc::CallbackServerContext* context) override;
  grpc::ServerUnaryReactor* Embed(grpc::CallbackServerContext* context, const pb::EmbedRequest* request,
                                  pb::EmbedResponse* response) override;
  grpc::ServerUnaryReactor* Rerank(grpc::CallbackServerContext* context, const pb::RerankRequest* request,
                                   pb::RerankResponse* response) override;
  grpc::ServerUnaryReactor* Tokenize(grpc::CallbackServerContext* context, const pb::TokenizeRequest* request,
                                     pb::TokenizeResponse* response) override;
  grpc::ServerUnaryReactor* Detokenize(grpc::CallbackServerContext* context, const pb::DetokenizeRequest* request,
                                       pb::DetokenizeResponse* response) override;
  grpc::ServerUnaryReactor* LoadAdapter(grpc::CallbackServerContext* context, const pb::LoadAdapterRequest* request,
                                        pb::LoadAdapterResponse* response) override;
  grpc::ServerUnaryReactor* UnloadAdapter(grpc::CallbackServerContext* context, const pb::UnloadAdapterRequest* request,
                                          pb::UnloadAdapterResponse* response) override;

 private:
  std::unique_ptr<engine::Generator> generator_;
  std::atomic<engine::Generator*> ready_{nullptr};
  std::atomic<bool> draining_{false};
};

}  // namespace atelier::serving
