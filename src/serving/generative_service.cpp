#include "serving/generative_service.h"

#include <algorithm>
#include <utility>

#include "engine/task_name.h"
#include "serving/generation_call.h"
#include "serving/generative_wire.h"

namespace atelier::serving {
namespace {

// What answers a unary call with the wire's form of a result.
template <class Answer, class Response>
std::function<void(Result<Answer>)> Answerer(grpc::ServerUnaryReactor* reactor, Response* response) {
  return [reactor, response](Result<Answer> answer) {
    if (answer.ok()) {
      *response = ToWire(std::move(answer).value());
      reactor->Finish(grpc::Status::OK);
    } else {
      reactor->Finish(ToGrpc(answer.error()));
    }
  };
}

}  // namespace

void GenerativeService::SetGenerator(std::unique_ptr<engine::Generator> generator) {
  generator_ = std::move(generator);
  ready_.store(generator_.get(), std::memory_order_release);
}

void GenerativeService::Drain(std::function<void()> drained) {
  draining_.store(true, std::memory_order_relaxed);
  if (engine::Generator* generator = ready_.load(std::memory_order_acquire)) {
    generator->Drain(std::move(drained));
  } else {
    drained();
  }
}

grpc::ServerUnaryReactor* GenerativeService::Describe(grpc::CallbackServerContext* context, const pb::DescribeRequest*,
                                                      pb::DescribeResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (const engine::Generator* generator = ready_.load(std::memory_order_acquire)) {
    const engine::GenerativeDescription& description = generator->description();
    response->set_family("llm");
    response->set_task(std::string(engine::TaskName(description)));
    *response->mutable_generative() = ToWire(description);
    reactor->Finish(grpc::Status::OK);
  } else {
    reactor->Finish(ToGrpc(ModelLoading()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* GenerativeService::Health(grpc::CallbackServerContext* context, const pb::HealthRequest*,
                                                    pb::HealthResponse* response) {
  if (const engine::Generator* generator = ready_.load(std::memory_order_acquire)) {
    const engine::Generator::Stats stats = generator->stats();
    response->set_steps(stats.steps);
    response->set_queued(static_cast<uint32_t>(std::max(stats.waiting, 0)));
    response->set_running(static_cast<uint32_t>(std::max(stats.running, 0)));
    response->set_kv_used(stats.kv_used);
    response->set_prompt_tokens(stats.prompt_tokens);
    response->set_cached_tokens(stats.cached_tokens);
    response->set_generated_tokens(stats.generated_tokens);
  }
  response->set_draining(draining_.load(std::memory_order_relaxed));
  response->set_resident_bytes(ResidentBytes());
  auto* reactor = context->DefaultReactor();
  reactor->Finish(grpc::Status::OK);
  return reactor;
}

grpc::ServerBidiReactor<pb::GenerateRequest, pb::GenerateEvent>* GenerativeService::Generate(
    grpc::CallbackServerContext*) {
  return StartGenerationCall(ready_.load(std::memory_order_acquire));
}

grpc::ServerUnaryReactor* GenerativeService::Embed(grpc::CallbackServerContext* context,
                                                   const pb::EmbedRequest* request, pb::EmbedResponse* response) {
  auto* reactor = context->DefaultReactor();
  engine::Generator* generator = ready_.load(std::memory_order_acquire);
  auto inputs = generator == nullptr ? Result<engine::EmbeddingRequest>(ModelLoading()) : FromWire(*request);
  if (inputs.ok()) {
    generator->Embed(std::move(inputs).value(), Answerer<engine::EmbeddingAnswer>(reactor, response));
  } else {
    reactor->Finish(ToGrpc(inputs.error()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* GenerativeService::Rerank(grpc::CallbackServerContext* context,
                                                    const pb::RerankRequest* request, pb::RerankResponse* response) {
  auto* reactor = context->DefaultReactor();
  if (engine::Generator* generator = ready_.load(std::memory_order_acquire)) {
    generator->Rerank(FromWire(*request), Answerer<engine::RerankAnswer>(reactor, response));
  } else {
    reactor->Finish(ToGrpc(ModelLoading()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* GenerativeService::Tokenize(grpc::CallbackServerContext* context,
                                                      const pb::TokenizeRequest* request,
                                                      pb::TokenizeResponse* response) {
  auto* reactor = context->DefaultReactor();
  const auto tokenize = [&]() -> Result<engine::TokenizeAnswer> {
    engine::Generator* generator = ready_.load(std::memory_order_acquire);
    if (generator == nullptr) {
      return ModelLoading();
    }
    ATELIER_ASSIGN(prompt, FromWire(*request));
    return generator->Tokenize(prompt);
  };
  Answerer<engine::TokenizeAnswer>(reactor, response)(tokenize());
  return reactor;
}

grpc::ServerUnaryReactor* GenerativeService::Detokenize(grpc::CallbackServerContext* context,
                                                        const pb::DetokenizeRequest* request,
                                                        pb::DetokenizeResponse* response) {
  auto* reactor = context->DefaultReactor();
  engine::Generator* generator = ready_.load(std::memory_order_acquire);
  auto text = generator == nullptr ? Result<std::string>(ModelLoading())
                                   : generator->Detokenize({request->tokens().begin(), request->tokens().end()});
  if (text.ok()) {
    response->set_text(std::move(text).value());
    reactor->Finish(grpc::Status::OK);
  } else {
    reactor->Finish(ToGrpc(text.error()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* GenerativeService::LoadAdapter(grpc::CallbackServerContext* context,
                                                         const pb::LoadAdapterRequest* request,
                                                         pb::LoadAdapterResponse* response) {
  auto* reactor = context->DefaultReactor();
  engine::Generator* generator = ready_.load(std::memory_order_acquire);
  const auto info = generator == nullptr ? Result<engine::AdapterInfo>(ModelLoading())
                                         : generator->LoadAdapter(request->name(), request->path());
  if (info.ok()) {
    response->set_rank(info->rank);
    response->set_bytes(info->bytes);
    reactor->Finish(grpc::Status::OK);
  } else {
    reactor->Finish(ToGrpc(info.error()));
  }
  return reactor;
}

grpc::ServerUnaryReactor* GenerativeService::UnloadAdapter(grpc::CallbackServerContext* context,
                                                           const pb::UnloadAdapterRequest* request,
                                                           pb::UnloadAdapterResponse*) {
  auto* reactor = context->DefaultReactor();
  engine::Generator* generator = ready_.load(std::memory_order_acquire);
  const Status status = generator == nullptr ? Status(ModelLoading()) : generator->UnloadAdapter(request->name());
  reactor->Finish(status.ok() ? grpc::Status::OK : ToGrpc(status.error()));
  return reactor;
}

}  // namespace atelier::serving
