// The gateway's side of the worker protocol.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "atelier/worker.grpc.pb.h"
#include "base/result.h"
#include "engine/generation.h"
#include "serving/wire.h"

namespace atelier::serving {

struct WorkerHealth {
  uint64_t steps = 0;
  int queued = 0;
  int running = 0;
  bool draining = false;
  uint64_t resident_bytes = 0;
  double kv_used = 0;  // of generative models; the share of the cache's pages, 0 to 1
};

// Thread-safe. No call blocks; each `done` is called once, from a thread of gRPC, also when the client is gone by then.
// Errors are those of the worker, or kUnavailable "worker_crashed", kDeadlineExceeded.
class WorkerClient {
 public:
  explicit WorkerClient(const std::string& socket_path);

  void Describe(int64_t timeout_ms, std::function<void(Result<Signature>)> done);
  void Health(int64_t timeout_ms, std::function<void(Result<WorkerHealth>)> done);
  void Predict(pb::PredictRequest request, int64_t timeout_ms, std::function<void(Result<pb::PredictResponse>)> done);
  void Drain(int64_t timeout_ms, std::function<void(Status)> done);

  // Of generative models. `sink` gets what the worker's generator says; where the worker ends first, OnDone with
  // kUnavailable "worker_crashed". Returns what stops the generation: callable at any time, any number of times, from
  // any thread; OnDone still tells what was used.
  std::function<void()> Generate(pb::GenerateRequest request, int64_t timeout_ms,
                                 std::shared_ptr<engine::GenerationSink> sink);
  void Embed(pb::EmbedRequest request, int64_t timeout_ms, std::function<void(Result<engine::EmbeddingAnswer>)> done);
  void Rerank(pb::RerankRequest request, int64_t timeout_ms, std::function<void(Result<engine::RerankAnswer>)> done);
  void Tokenize(pb::TokenizeRequest request, int64_t timeout_ms,
                std::function<void(Result<engine::TokenizeAnswer>)> done);
  void Detokenize(pb::DetokenizeRequest request, int64_t timeout_ms, std::function<void(Result<std::string>)> done);

  // `path` is on the worker's machine.
  void LoadAdapter(const std::string& name, const std::string& path, int64_t timeout_ms,
                   std::function<void(Result<engine::AdapterInfo>)> done);
  void UnloadAdapter(const std::string& name, int64_t timeout_ms, std::function<void(Status)> done);

 private:
  std::unique_ptr<pb::Worker::Stub> stub_;
};

}  // namespace atelier::serving
