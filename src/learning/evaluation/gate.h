// The score that a deployment demands of the versions it serves.
#pragma once

#include <boost/json.hpp>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "base/result.h"

namespace atelier::learning {

struct Gate {
  std::string metric;                // a plain number of the evaluation's metrics, such as "accuracy"
  std::optional<double> at_least{};  // one of both
  std::optional<double> at_most{};
  std::string dataset{};       // only evaluations on this data set count (NAME or NAME@VERSION); empty: on any
  std::string split = "test";  // and only on these rows
};

// What is known of a version.
struct GateEvidence {
  std::string dataset;
  int64_t dataset_version = 0;
  std::string split;
  const boost::json::object* metrics = nullptr;  // borrowed
};

// {"metric","at_least"|"at_most","dataset","split"}. Errors: kInvalidArgument below `path` (no metric, no bound or
// both, a bound that is not finite, an unknown member).
Result<Gate> GateFromJson(const boost::json::object& object, const std::string& path);
boost::json::object ToJson(const Gate& gate);

// Whether `version` ("model@3") passes by the newest of these evaluations, the newest first, that counts and has the
// metric. Errors: kFailedPrecondition "gate_failed", saying what was reached and by how much it is missed, and
// "gate_unmet" where there is no such evaluation.
Status CheckGate(const Gate& gate, const std::string& version, std::span<const GateEvidence> evidence);

}  // namespace atelier::learning
