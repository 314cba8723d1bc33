// The manager over real worker processes: the test program again, told to be a worker.
#pragma once

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <future>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "base/guarded.h"
#include "serving/manager.h"
#include "serving/testing/fake_blobs.h"
#include "serving/testing/fake_predictor.h"

namespace atelier::serving::testing {

// Of the command line that the stand-in of a worker's program got.
inline std::map<std::string, std::string> FlagsOf(const std::string& command_line) {
  std::istringstream words(command_line);
  std::map<std::string, std::string> flags;
  for (std::string word; words >> word;) {
    if (word.starts_with("--")) {
      words >> flags[word];
    }
  }
  return flags;
}

class ManagerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    options_.data_dir = dir_.path() / "data";
    options_.program_dir = dir_.path() / "bin";
    std::filesystem::create_directories(options_.program_dir);
    StandIn("atelier-torch", "FakeWorkerProcess.DISABLED_Run");
    StandIn("atelier", "FakeLanguageProcess.DISABLED_Run");
    options_.probe_every_ms = 50;
    options_.first_back_off_ms = 20;
    options_.longest_back_off_ms = 200;
    options_.drain_ms = 5000;
    options_.metrics = &metrics_;
  }
  void TearDown() override {
    if (manager_) {
      manager_->Stop();
    }
  }

  // A program that is this one again, running one test.
  void StandIn(const std::string& name, const std::string& test) {
    const auto program = options_.program_dir / name;
    std::ofstream(program) << "#!/bin/sh\nATELIER_FAKE_WORKER=\"$*\"\nexport ATELIER_FAKE_WORKER\nexec "
                           << std::filesystem::read_symlink("/proc/self/exe").string()
                           << " --gtest_also_run_disabled_tests --gtest_filter=" << test << "\n";
    chmod(program.c_str(), 0755);
  }

  struct Version {
    int64_t version;
    int weight;
    std::string behaviour;
    std::string family{};
  };
  void Wish(const std::string& name, const std::vector<Version>& versions) {
    wishes_.With([&](auto& wishes) {
      serving::Wish& wish = wishes[name];
      wish = {};
      wish.deployment.id = "dep_" + name;
      wish.deployment.name = name;
      wish.deployment.model_name = "model-of-" + name;
      wish.deployment.settings = settings_;
      for (const Version& version : versions) {
        wish.deployment.versions.push_back({version.version, version.weight});
        registry::ModelVersion model;
        model.model_id = "model_" + name;
        model.model_name = wish.deployment.model_name;
        model.version = version.version;
        model.metadata["family"] = version.family;
        model.files["config.json"] = blobs_.Put(version.behaviour);
        wish.versions.push_back(std::move(model));
        wish.latest_version = version.version;
      }
    });
    if (manager_) {
      ASSERT_TRUE(manager_->Reconcile().ok());
    }
  }
  void Start() {
    auto manager = StartManager(
        [this]() -> Result<std::vector<serving::Wish>> {
          std::vector<serving::Wish> out;
          wishes_.With([&](const auto& wishes) {
            for (const auto& [name, wish] : wishes) {
              out.push_back(wish);
            }
          });
          return out;
        },
        blobs_, clock_, rng_, options_);
    ASSERT_TRUE(manager.ok()) << manager.error().message;
    manager_ = std::move(manager).value();
  }
  std::future<Result<PredictAnswer>> Send(const std::string& model, float first = 1, int64_t timeout_ms = 20000) {
    auto promise = std::make_shared<std::promise<Result<PredictAnswer>>>();
    auto future = promise->get_future();
    PredictRequest request;
    request.model = model;
    request.instances = {Pair(first, 2)};
    request.timeout_ms = timeout_ms;
    manager_->Predict(std::move(request),
                      [promise](Result<PredictAnswer> answer) { promise->set_value(std::move(answer)); });
    return future;
  }
  bool Ready(const std::string& name) {
    auto status = manager_->GetStatus(name);
    return status.ok() && status->ready;
  }
  WorkerStatus Worker(const std::string& name, size_t index = 0) {
    return manager_->GetStatus(name)->workers.at(index);
  }

  TempDir dir_;
  FakeBlobs blobs_{dir_.path() / "blobs"};
  SystemClock clock_;
  SeededRng rng_{7};
  Metrics metrics_;
  ManagerOptions options_;
  boost::json::object settings_;  // of deployments from now on
  Guarded<std::map<std::string, serving::Wish>> wishes_;
  std::unique_ptr<Manager> manager_;
};

}  // namespace atelier::serving::testing
