#include "serving/worker_client.h"

#include <grpcpp/grpcpp.h>

#include <utility>

#include "serving/client_call.h"

namespace atelier::serving {
namespace {

grpc::ChannelArguments Arguments() {
  grpc::ChannelArguments arguments;
  arguments.SetMaxReceiveMessageSize(kMaxMessageBytes);
  arguments.SetMaxSendMessageSize(kMaxMessageBytes);
  arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  arguments.SetInt(GRPC_ARG_ENABLE_RETRIES, 0);
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  arguments.SetInt(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  arguments.SetInt(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4 << 20);
  // A worker's socket appears within moments of its start.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 20);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 200);
  return arguments;
}

// gRPC's callback threads end with the last channel. A call's context holds its channel, so the last one may go on
// such a thread, which then joins itself and aborts the process (seen with gRPC 1.51). One channel that stays for the
// life of the process keeps the threads; a first call, to nobody, ties it to them.
void KeepCallbackThreads() {
  // Atomic, so that no compiler leaves out the pointer that nobody reads: a leak checker looks for it.
  static const std::atomic<const pb::Worker::Stub*> anchor = [] {
    auto stub = pb::Worker::NewStub(grpc::CreateChannel("unix:/dev/null/none", grpc::InsecureChannelCredentials()));
    auto call = std::make_shared<Call<pb::HealthRequest, pb::HealthResponse>>(pb::HealthRequest(), 1000);
    stub->async()->Health(&call->context, &call->request, &call->response, [call](const grpc::Status&) {});
    return stub.release();
  }();
  anchor.load(std::memory_order_relaxed);
}

}  // namespace

WorkerClient::WorkerClient(const std::string& socket_path)
    : stub_(pb::Worker::NewStub(
          grpc::CreateCustomChannel("unix:" + socket_path, grpc::InsecureChannelCredentials(), Arguments()))) {
  KeepCallbackThreads();
}

void WorkerClient::Describe(int64_t timeout_ms, std::function<void(Result<Signature>)> done) {
  // Shared with gRPC's callback, which std::function requires to be copyable; the same below.
  auto call = std::make_shared<Call<pb::DescribeRequest, pb::DescribeResponse>>(pb::DescribeRequest(), timeout_ms);
  stub_->async()->Describe(&call->context, &call->request, &call->response,
                           [call, done = std::move(done)](const grpc::Status& status) {
                             if (status.ok()) {
                               done(FromWire(call->response));
                             } else {
                               done(FromGrpc(status));
                             }
                           });
}

void WorkerClient::Health(int64_t timeout_ms, std::function<void(Result<WorkerHealth>)> done) {
  auto call = std::make_shared<Call<pb::HealthRequest, pb::HealthResponse>>(pb::HealthRequest(), timeout_ms);
  stub_->async()->Health(
      &call->context, &call->request, &call->response, [call, done = std::move(done)](const grpc::Status& status) {
        if (!status.ok()) {
          done(FromGrpc(status));
          return;
        }
        const pb::HealthResponse& response = call->response;
        done(WorkerHealth{response.steps(), static_cast<int>(response.queued()), static_cast<int>(response.running()),
                          response.draining(), response.resident_bytes(), response.kv_used()});
      });
}

void WorkerClient::Predict(pb::PredictRequest request, int64_t timeout_ms,
                           std::function<void(Result<pb::PredictResponse>)> done) {
  auto call = std::make_shared<Call<pb::PredictRequest, pb::PredictResponse>>(std::move(request), timeout_ms);
  stub_->async()->Predict(&call->context, &call->request, &call->response,
                          [call, done = std::move(done)](const grpc::Status& status) {
                            if (status.ok()) {
                              done(std::move(call->response));
                            } else {
                              done(FromGrpc(status));
                            }
                          });
}

void WorkerClient::Drain(int64_t timeout_ms, std::function<void(Status)> done) {
  auto call = std::make_shared<Call<pb::DrainRequest, pb::DrainResponse>>(pb::DrainRequest(), timeout_ms);
  stub_->async()->Drain(&call->context, &call->request, &call->response,
                        [call, done = std::move(done)](const grpc::Status& status) {
                          if (status.ok()) {
                            done({});
                          } else {
                            done(FromGrpc(status));
                          }
                        });
}

}  // namespace atelier::serving
