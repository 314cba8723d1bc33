// Between engine/generation.h and the messages of worker.proto, field by field.
#pragma once

#include <vector>

#include "atelier/worker.pb.h"
#include "base/result.h"
#include "engine/generation.h"

namespace atelier::serving {

namespace pb = atelier::worker;

pb::GenerateRequest ToWire(engine::GenerationRequest request);
pb::EmbedRequest ToWire(engine::EmbeddingRequest request);
pb::RerankRequest ToWire(engine::RerankRequest request);
pb::TokenizeRequest ToWire(engine::TokenizeRequest request);
// Errors of these: kInvalidArgument for a prompt or constraint of no kind. Ranges are checked by the Generator.
Result<engine::GenerationRequest> FromWire(const pb::GenerateRequest& request);
Result<engine::EmbeddingRequest> FromWire(const pb::EmbedRequest& request);
engine::RerankRequest FromWire(const pb::RerankRequest& request);
Result<engine::TokenizeRequest> FromWire(const pb::TokenizeRequest& request);

void ToWire(engine::GenerationDelta delta, pb::Delta& out);
// A kind or reason that this program does not know becomes kContent or kError.
engine::GenerationDelta FromWire(pb::Delta delta);

pb::Usage ToWire(const engine::GenerationUsage& usage);
engine::GenerationUsage FromWire(const pb::Usage& usage);

pb::EmbedResponse ToWire(const engine::EmbeddingAnswer& answer);
engine::EmbeddingAnswer FromWire(const pb::EmbedResponse& answer);
pb::RerankResponse ToWire(const engine::RerankAnswer& answer);
engine::RerankAnswer FromWire(const pb::RerankResponse& answer);
pb::TokenizeResponse ToWire(engine::TokenizeAnswer answer);
engine::TokenizeAnswer FromWire(const pb::TokenizeResponse& answer);

pb::Generative ToWire(const engine::GenerativeDescription& description);
engine::GenerativeDescription FromWire(const pb::Generative& description);

}  // namespace atelier::serving
