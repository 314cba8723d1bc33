// What is recorded of requests, for the handlers that answer them and that change deployments.
#pragma once

#include <memory>
#include <string>

#include "api/request.h"
#include "api/services.h"
#include "data/traffic/store.h"
#include "serving/deployments.h"

namespace atelier::api::platform {

// Tells the recorder which deployments are to be recorded. Called at the start and after each change of one.
void FollowRecording(const Services& services);

// Only an owner's key may have a deployment recorded. Errors: kPermissionDenied "owner_required".
Status CheckRecording(const Request& request, const json::object& settings);
// Nor may others change how it is recorded: their `settings` get what the deployment has of that, or nothing.
Status KeepRecording(const Services& services, const Request& request, const std::string& deployment,
                     json::object& settings);

// One prediction that is to be recorded, if its deployment wants it and it is not too large: nothing else is copied.
// Forms are not recorded.
class PredictionRecording {
 public:
  PredictionRecording(const Services& services, const Request& request, const std::string& deployment);
  void End(const serving::PredictAnswer& answer, const std::string& body) const;

 private:
  data::Recorder* recorder_ = nullptr;              // borrowed; null: it is not recorded
  std::shared_ptr<const data::Exchange> exchange_;  // shared: callbacks are copied
};

}  // namespace atelier::api::platform
