// Jobs as objects of the API, and their specifications from what a user asks.
#pragma once

#include <string>

#include "api/request.h"
#include "api/services.h"
#include "data/store.h"
#include "hub/reference.h"
#include "jobs/service.h"
#include "registry/registry.h"

namespace atelier::api::platform {

json::object JobObject(const jobs::Job& job);
json::object EventObject(const jobs::Event& event);

// Creates the job and answers with it.
Result<Response> StartJob(const Services& services, const std::string& kind, json::object spec);

// Each checks `request` field by field and against the catalogue, so that a job that cannot succeed is refused at once.
Result<json::object> ImportSpec(const Services& services, const json::object& request);
Result<json::object> ProcessSpec(const Services& services, const json::object& request);
Result<json::object> TrainSpec(const Services& services, const json::object& request);
Result<json::object> SearchSpec(const Services& services, const json::object& request);
Result<json::object> FoldsSpec(const Services& services, const json::object& request);
Result<json::object> ImportModelSpec(const Services& services, const json::object& request);
Result<json::object> QuantizeModelSpec(const Services& services, const json::object& request);
Result<json::object> TrainTaggerSpec(const Services& services, const json::object& request);
Result<json::object> PullModelSpec(const Services& services, const json::object& request);
Result<json::object> EvaluateSpec(const Services& services, const json::object& request, bool with_kind);

struct PullWish {
  std::string model;    // to register under
  bool deploy = false;  // under the same name
};
// Errors: kPermissionDenied "pull_forbidden"; kInvalidArgument on `source` (not a place that may be read) and `model`.
Result<json::object> PullSpec(const Services& services, const hub::Reference& reference, const PullWish& wish,
                              const json::object& request);

// What every job's specification has.
json::object NewSpec(const Services& services, const json::object& request);
// {"name","version","files"} of a model version.
json::object ModelPart(const registry::ModelVersion& model);
// {"model","version"} of what an adapter was made for; empty where that is not known.
const json::object& BaseOf(const registry::ModelVersion& adapter);
// The manifest, checked. Errors: as ReadManifest.
Result<data::Manifest> LoadManifest(const Services& services, const data::DatasetVersion& version);
// The manifest's JSON, read from the blob store. Errors: kDataLoss.
Result<json::value> ReadManifest(const Services& services, const data::DatasetVersion& version);

}  // namespace atelier::api::platform
