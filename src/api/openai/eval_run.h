// Runs of evals: items are asked of a deployed model, or come with answers, and
// are graded.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/request.h"
#include "api/services.h"
#include "base/guarded.h"
#include "learning/evaluation/grader.h"
#include "registry/documents.h"

namespace atelier::api::openai {

// What is asked of a model for each item. Empty model: nothing, the items come
// with their samples.
struct EvalSource {
  std::string model{};
  json::value messages{};            // a list with places to fill in; or a text: the path
                                     // of a list in the item
  json::object parameters{};         // members of a chat completion
  std::vector<json::object> rows{};  // {"item", "sample"?}
};

class EvalRun : public std::enable_shared_from_this<EvalRun> {
 public:
  struct Plan {
    registry::Document document{};  // of the run; its body is completed
    EvalSource source{};
    std::vector<learning::Grader> graders{};
    std::string key_id{};
  };
  EvalRun(const Services& services, Plan plan);

  // Begins; goes on by itself, a few items at a time, and ends with its
  // document stored. Called once.
  void Start();
  // No further items are begun; the run ends as canceled.
  void Cancel();
  // The document's body as it is now.
  json::object Body();

 private:
  void Pump();
  void Take(size_t index);
  void Answered(size_t index, Result<Response> answer);
  void Judge(size_t index, json::object sample);
  void Fail(size_t index, const Error& error);
  void Keep(size_t index, json::object item, std::string_view outcome);
  void Finish();
  json::object Counts() const;  // under the lock

  const Services& services_;
  Plan plan_;
  std::mutex mutex_;
  bool pumping_ = false;
  bool cancelled_ = false;
  bool ended_ = false;
  size_t next_ = 0;
  size_t under_way_ = 0;
  std::vector<json::object> items_;                       // output items
  std::map<std::string, int64_t, std::less<>> outcomes_;  // pass, fail, error
  std::vector<std::pair<int64_t, int64_t>> criteria_;     // passed and failed, of each
  json::object usage_;
};

// The runs that go on, by their documents' ids. Thread-safe.
class EvalRuns {
 public:
  void Add(const std::string& id, std::shared_ptr<EvalRun> run) {
    runs_.With([&](auto& runs) { runs[id] = std::move(run); });
  }
  void Remove(const std::string& id) {
    runs_.With([&](auto& runs) { runs.erase(id); });
  }
  std::shared_ptr<EvalRun> Find(const std::string& id) {
    return runs_.With([&](auto& runs) {
      const auto found = runs.find(id);
      return found == runs.end() ? std::shared_ptr<EvalRun>() : found->second;
    });
  }

 private:
  Guarded<std::map<std::string, std::shared_ptr<EvalRun>>> runs_;
};

}  // namespace atelier::api::openai
