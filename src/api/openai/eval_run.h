// Runs of evals: items are asked of a deployed model, or come with answers, and
// are graded.
#pragma once

#include <condition_variable>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "api/http/pool.h"
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

// Thread-safe. Items are begun and graded on the one thread of EvalRuns. Nothing
// of the services is touched once Abandon has returned.
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
  // No further items are begun and the questions under way are stopped; the run
  // ends as canceled. False: it has ended already.
  bool Cancel();
  // Nothing more is done, nor stored. Returns when none of its work is running.
  void Abandon();
  // The document's body while the run goes on.
  json::object Body();
  const std::string& eval() const { return plan_.document.parent; }

 private:
  // Work that Abandon waits for.
  class Busy {
   public:
    explicit Busy(EvalRun& run) : run_(run), entered_(run.Enter()) {}
    ~Busy() {
      if (entered_) {
        run_.Leave();
      }
    }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;
    bool entered() const { return entered_; }

   private:
    EvalRun& run_;
    const bool entered_;
  };
  struct Question {
    json::array messages{};
    std::function<void()> stop{};
  };

  bool Enter();  // false: abandoned
  void Leave();
  void PostPump();
  void Pump();
  std::optional<size_t> Next();
  void Take(size_t index);
  Status Ask(size_t index);
  void Answered(size_t index, Result<std::string> answer);
  void Graded(size_t index, const Result<std::string>& answer);
  void Judge(size_t index, json::object sample);
  void Fail(size_t index, const Error& error);
  void CountUse(const json::object& sample);
  json::object WholeSample(size_t index, const json::object& given);
  void Keep(size_t index, json::object item, std::string_view outcome);
  void Finish();
  std::vector<std::function<void()>> TakeStops();      // under the lock
  json::object BodyAs(std::string_view status) const;  // under the lock
  json::object Counts() const;                         // under the lock

  const Services& services_;
  const Plan plan_;
  std::mutex mutex_;
  std::condition_variable idle_;
  int busy_ = 0;
  bool abandoned_ = false;
  bool cancelled_ = false;
  bool ended_ = false;
  size_t next_ = 0;
  size_t under_way_ = 0;
  size_t input_bytes_ = 0;                                // kept in items
  std::map<size_t, Question> questions_;                  // under way
  std::vector<json::object> items_;                       // output items
  std::map<std::string, int64_t, std::less<>> outcomes_;  // pass, fail, error
  std::vector<std::pair<int64_t, int64_t>> criteria_;     // passed and failed, of each
  json::object usage_;
};

// The runs that go on, by their documents' ids, and the thread that grades.
// Thread-safe.
class EvalRuns {
 public:
  // Errors: kResourceExhausted "too_many_runs"; kUnavailable after Stop.
  Status Add(const std::string& id, std::shared_ptr<EvalRun> run);
  void Remove(const std::string& id);
  std::shared_ptr<EvalRun> Find(const std::string& id);  // or null
  std::vector<std::shared_ptr<EvalRun>> Of(const std::string& eval);
  // On the thread that grades, in turn.
  void Post(std::function<void()> work);
  // Abandons all; the services may go away afterwards.
  void Stop();

 private:
  struct Live {
    bool closed = false;
    std::map<std::string, std::shared_ptr<EvalRun>> runs{};
  };
  Guarded<Live> live_;
  http::Pool grading_{1, 0};  // last: its work uses what is above
};

}  // namespace atelier::api::openai
