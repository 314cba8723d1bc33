// Generations on their way to a client: all at once, or piece by piece. When the client goes away, they are cancelled.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "api/request.h"
#include "api/routes.h"
#include "api/services.h"
#include "api/text/answer.h"
#include "serving/language_model.h"

namespace atelier::api::text {

// What one request of a client asks of a model.
struct Work {
  std::shared_ptr<serving::LanguageModel> model;
  std::vector<engine::GenerationRequest> requests;  // one a prompt
};

// Writes a stream in one of the formats. Not thread-safe. Every call appends to `out`.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;
  // One event of the prompt with that number.
  virtual void Write(size_t prompt, engine::GenerationDelta delta, std::string& out) = 0;
  // The last call. An error here comes after the stream has begun.
  virtual void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) = 0;
  virtual std::string_view content_type() const { return "text/event-stream"; }
  // What keeps an idle connection open.
  virtual std::string_view ping() const;
};

// Hands what `make` makes of a model's answer, or its error, to `done`.
template <class Answer, class Make>
std::function<void(Result<Answer>)> Answering(Done done, Make make) {
  return [done = std::move(done), make = std::move(make)](Result<Answer> answer) {
    done(answer.ok() ? Result<Response>(make(*answer)) : Result<Response>(std::move(answer).error()));
  };
}

// Answers once, with what `make` makes of the answers (one a prompt), or with the first error.
void RunWhole(Request& request, Work work, std::function<Result<Response>(std::vector<Answer>)> make, Done done);

// Answers with a stream when there is something to write; an error before that is an ordinary answer.
void RunStream(const Services& services, Request& request, Work work, std::unique_ptr<StreamWriter> writer, Done done);

}  // namespace atelier::api::text
