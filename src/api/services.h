// What the handlers work with. Everything is borrowed and thread-safe.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>

#include "api/text/response_store.h"
#include "api/wakes.h"
#include "hub/options.h"

namespace atelier {
class Clock;
class Metrics;
class Rng;
}  // namespace atelier
namespace atelier::access {
class Keys;
}
namespace atelier::storage {
class BlobStore;
}
namespace atelier::data {
class Files;
class Recorder;
class Store;
class TrafficStore;
}  // namespace atelier::data
namespace atelier::jobs {
class Service;
}
namespace atelier::registry {
class Registry;
}
namespace atelier::serving {
class Manager;
}

namespace atelier::api {

namespace openai {
class EvalRuns;
std::shared_ptr<EvalRuns> MakeEvalRuns();
}  // namespace openai

class LanguageTools;
std::shared_ptr<LanguageTools> MakeLanguageTools();

struct Services {
  access::Keys& keys;
  data::Store& datasets;
  data::Files& files;
  storage::BlobStore& blobs;
  jobs::Service& jobs;
  registry::Registry& registry;
  serving::Manager& serving;
  Metrics& metrics;
  Clock& clock;
  Rng& rng;
  std::string code_version;
  std::filesystem::path blob_dir;                     // of the blob store: job processes open it themselves
  std::string openapi;                                // the text of spec/openapi.yaml
  std::optional<hub::Options> pull = hub::Options();  // nothing: nobody may pull models
  // Shared: a generation that was cancelled may end after the server.
  std::shared_ptr<Wakes> wakes = std::make_shared<Wakes>();
  std::shared_ptr<text::ResponseStore> responses = std::make_shared<text::ResponseStore>();
  std::shared_ptr<LanguageTools> language = MakeLanguageTools();
  std::shared_ptr<openai::EvalRuns> eval_runs = openai::MakeEvalRuns();
  // Both or none; without them nothing is recorded.
  data::TrafficStore* traffic = nullptr;
  data::Recorder* recorder = nullptr;
};

}  // namespace atelier::api
