// One call of Generate, on the worker's side.
#pragma once

#include <grpcpp/grpcpp.h>

#include "atelier/worker.grpc.pb.h"
#include "engine/generation.h"
#include "serving/wire.h"

namespace atelier::serving {

// What a generation may be ahead of its reader; beyond, it is cancelled and ends with kResourceExhausted
// "reader_too_slow".
inline constexpr size_t kMaxPendingBytes = size_t{16} << 20U;

// The reactor belongs to gRPC and frees itself. The generator is borrowed and must outlive the call; nullptr: the model
// is loading, which is what the call is told.
grpc::ServerBidiReactor<pb::GenerateRequest, pb::GenerateEvent>* StartGenerationCall(engine::Generator* generator);

}  // namespace atelier::serving
