#include "learning/evaluation/gate.h"

#include <cstdio>

#include "base/json.h"

namespace atelier::learning {
namespace {

constexpr double kMostBound = 1e300;

std::string Show(double value) {
  char buffer[32];
  std::snprintf(buffer, sizeof buffer, "%.6g", value);
  return buffer;
}

Result<std::optional<double>> Bound(Fields& fields, std::string_view key) {
  if (!fields.Has(key)) {
    return std::optional<double>();
  }
  ATELIER_ASSIGN(value, fields.Number(key, -kMostBound, kMostBound));
  return std::optional(value);
}

bool Counts(const Gate& gate, const GateEvidence& evidence) {
  const std::string version = evidence.dataset + "@" + std::to_string(evidence.dataset_version);
  return evidence.split == gate.split &&
         (gate.dataset.empty() || gate.dataset == evidence.dataset || gate.dataset == version);
}

Status Judge(const Gate& gate, const std::string& version, double reached) {
  const bool least = gate.at_least.has_value();
  const double bound = least ? *gate.at_least : *gate.at_most;
  const double missing = least ? bound - reached : reached - bound;
  if (missing <= 0) {
    return {};
  }
  return FailedPrecondition("the deployment demands " + gate.metric + (least ? " of at least " : " of at most ") +
                                Show(bound) + ", but " + version + " has " + Show(reached) + ": " + Show(missing) +
                                (least ? " too little" : " too much"),
                            "gate_failed");
}

}  // namespace

Result<Gate> GateFromJson(const json::object& object, const std::string& path) {
  Fields fields(object, path);
  Gate gate;
  ATELIER_ASSIGN(metric, fields.String("metric", 128));
  ATELIER_ASSIGN(at_least, Bound(fields, "at_least"));
  ATELIER_ASSIGN(at_most, Bound(fields, "at_most"));
  ATELIER_ASSIGN(dataset, fields.StringOr("dataset", "", 256));
  ATELIER_ASSIGN(split, fields.StringOr("split", "test", 16));
  ATELIER_TRY(fields.RejectUnknown());
  if (metric.empty()) {
    return InvalidArgument("'" + path + ".metric' is empty", path + ".metric");
  }
  if (at_least.has_value() == at_most.has_value()) {
    return InvalidArgument("'" + path + "' needs one of 'at_least' and 'at_most'", path);
  }
  if (split != "train" && split != "validation" && split != "test") {
    return InvalidArgument("'" + path + ".split' must be train, validation or test", path + ".split");
  }
  return Gate{metric, at_least, at_most, dataset, split};
}

json::object ToJson(const Gate& gate) {
  json::object object{{"metric", gate.metric}};
  if (gate.at_least.has_value()) {
    object["at_least"] = *gate.at_least;
  }
  if (gate.at_most.has_value()) {
    object["at_most"] = *gate.at_most;
  }
  if (!gate.dataset.empty()) {
    object["dataset"] = gate.dataset;
  }
  object["split"] = gate.split;
  return object;
}

Status CheckGate(const Gate& gate, const std::string& version, std::span<const GateEvidence> evidence) {
  for (const GateEvidence& one : evidence) {
    const auto* value = one.metrics->if_contains(gate.metric);
    if (Counts(gate, one) && value != nullptr && value->is_number()) {
      return Judge(gate, version, value->to_number<double>());
    }
  }
  return FailedPrecondition("the deployment demands a score, but " + version + " has no evaluation with '" +
                                gate.metric + "' on the " + gate.split + " rows of " +
                                (gate.dataset.empty() ? "any data set" : "'" + gate.dataset + "'") +
                                "; evaluate it first",
                            "gate_unmet");
}

}  // namespace atelier::learning
