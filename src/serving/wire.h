// Between the typed structs of serving and the messages of worker.proto. Nothing else knows the messages' fields.
#pragma once

#include <grpcpp/support/status.h>

#include "atelier/worker.pb.h"
#include "base/result.h"
#include "serving/predictor.h"

namespace atelier::serving {

namespace pb = atelier::worker;

inline constexpr int kMaxMessageBytes = 128 << 20;
inline constexpr int kMaxInstances = 4096;  // of one request

// Moves the payload where it can.
void ToWire(Instance&& instance, pb::Instance& out);
// Errors: kInvalidArgument (no kind; a tensor whose bytes do not fit its shape).
Result<Instance> FromWire(const pb::Instance& instance);

void ToWire(Answer&& answer, pb::Prediction& out);
Answer FromWire(const pb::Prediction& prediction);

pb::DescribeResponse ToWire(const Signature& signature);
Signature FromWire(const pb::DescribeResponse& response);

// An error keeps its reason, param and retry_after_s on the way: they travel in the status's details.
grpc::Status ToGrpc(const Error& error);
// A status that no worker of ours wrote (no details) is the transport's: the worker is gone, the message too large...
Error FromGrpc(const grpc::Status& status);

}  // namespace atelier::serving
