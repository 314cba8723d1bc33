#include "serving/worker_base.h"

#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <fstream>

namespace atelier::serving {

grpc::ServerUnaryReactor* WorkerBase::Drain(grpc::CallbackServerContext* context, const pb::DrainRequest*,
                                            pb::DrainResponse*) {
  auto* reactor = context->DefaultReactor();
  Drain([this, reactor] {
    reactor->Finish(grpc::Status::OK);
    if (on_drained_) {
      on_drained_();
    }
  });
  return reactor;
}

Error ModelLoading() { return Unavailable("the model is loading", "model_loading"); }

uint64_t ResidentBytes() {
  std::ifstream statm("/proc/self/statm");
  uint64_t total = 0;
  uint64_t resident = 0;
  statm >> total >> resident;
  return resident * static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
}

Result<std::unique_ptr<grpc::Server>> Listen(const std::string& socket_path, WorkerBase& service) {
  if (socket_path.empty() || socket_path.size() >= sizeof(sockaddr_un::sun_path)) {
    return InvalidArgument("the socket's path is empty or too long: " + socket_path, "socket");
  }
  unlink(socket_path.c_str());
  grpc::ServerBuilder builder;
  builder.AddListeningPort("unix:" + socket_path, grpc::InsecureServerCredentials());
  builder.SetMaxReceiveMessageSize(kMaxMessageBytes);
  builder.SetMaxSendMessageSize(kMaxMessageBytes);
  // A socket on one machine has no bandwidth to probe, and a large picture should not wait for window updates.
  builder.AddChannelArgument(GRPC_ARG_HTTP2_BDP_PROBE, 0);
  builder.AddChannelArgument(GRPC_ARG_HTTP2_STREAM_LOOKAHEAD_BYTES, 4 << 20);
  grpc::ResourceQuota quota("worker");
  quota.SetMaxThreads(4);
  builder.SetResourceQuota(quota);
  builder.RegisterService(&service);
  auto server = builder.BuildAndStart();
  if (!server) {
    return Internal("cannot listen on " + socket_path);
  }
  chmod(socket_path.c_str(), S_IRUSR | S_IWUSR);
  return server;
}

}  // namespace atelier::serving
