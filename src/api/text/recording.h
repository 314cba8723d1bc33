// Generations of deployments that are recorded (data/traffic/recorder.h).
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "api/request.h"
#include "api/services.h"
#include "api/text/run.h"
#include "data/traffic/store.h"
#include "serving/language_model.h"

namespace atelier::api::text {

// One request whose answer is to be recorded when it is whole. Borrows the recorder.
class Recording {
 public:
  struct What {
    std::string id;  // of the answer
    std::string kind;
  };
  // Nothing where the deployment wants none of this request.
  static std::optional<Recording> Begin(const Services& services, const Request& request,
                                        const serving::ServedBy& served_by, What what);

  // One answer a prompt.
  void End(const std::vector<Answer>& answers) const;

 private:
  Recording(data::Recorder& recorder, data::Exchange exchange) : recorder_(&recorder), exchange_(std::move(exchange)) {}

  data::Recorder* recorder_;
  data::Exchange exchange_;
};

// A writer that records what it writes; without a recording, the same writer.
std::unique_ptr<StreamWriter> Recorded(std::unique_ptr<StreamWriter> writer, const std::optional<Recording>& recording,
                                       const Work& work);

}  // namespace atelier::api::text
