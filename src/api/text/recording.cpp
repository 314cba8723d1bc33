#include "api/text/recording.h"

#include "base/clock.h"
#include "data/traffic/recorder.h"

namespace atelier::api::text {
namespace {

json::object ChoiceObject(const Choice& choice) {
  json::object out{{"content", choice.content}};
  if (!choice.reasoning.empty()) {
    out["reasoning_content"] = choice.reasoning;
  }
  json::array calls;
  for (const ToolCall& call : choice.calls) {
    calls.push_back(json::object{
        {"id", call.id}, {"type", "function"}, {"function", {{"name", call.name}, {"arguments", call.arguments}}}});
  }
  if (!calls.empty()) {
    out["tool_calls"] = std::move(calls);
  }
  return out;
}

class RecordingWriter final : public StreamWriter {
 public:
  RecordingWriter(std::unique_ptr<StreamWriter> writer, Recording recording, const Work& work)
      : writer_(std::move(writer)), recording_(std::move(recording)) {
    for (const auto& request : work.requests) {
      answers_.emplace_back().choices.resize(static_cast<size_t>(request.choices));
    }
  }

  void Write(size_t prompt, engine::GenerationDelta delta, std::string& out) override {
    Add(delta, answers_[prompt]);
    writer_->Write(prompt, std::move(delta), out);
  }
  void End(const Status& status, const std::vector<engine::GenerationUsage>& usages, std::string& out) override {
    writer_->End(status, usages, out);
    if (status.ok()) {
      recording_.End(answers_);
    }
  }
  std::string_view content_type() const override { return writer_->content_type(); }
  std::string_view ping() const override { return writer_->ping(); }

 private:
  const std::unique_ptr<StreamWriter> writer_;
  const Recording recording_;
  std::vector<Answer> answers_;
};

}  // namespace

std::optional<Recording> Recording::Begin(const Services& services, const Request& request,
                                          const serving::ServedBy& served_by, What what) {
  if (request.unrecorded || services.recorder == nullptr || !services.recorder->Wants(served_by.deployment) ||
      !services.recorder->Fits(request.body.size())) {
    return std::nullopt;
  }
  return Recording(*services.recorder, {.id = std::move(what.id),
                                        .deployment = served_by.deployment,
                                        .model = served_by.model_name + "@" + std::to_string(served_by.model_version),
                                        .kind = std::move(what.kind),
                                        .key_id = request.key_id,
                                        .created_ms = services.clock.UnixMs(),
                                        .request = request.body,
                                        .answer = {}});
}

void Recording::End(const std::vector<Answer>& answers) const {
  json::array list;
  for (const Answer& answer : answers) {
    for (const Choice& choice : answer.choices) {
      list.push_back(ChoiceObject(choice));
    }
  }
  data::Exchange exchange = exchange_;
  exchange.answer = json::serialize(json::object{{"answers", std::move(list)}});
  recorder_->Record(std::move(exchange));
}

std::unique_ptr<StreamWriter> Recorded(std::unique_ptr<StreamWriter> writer, const std::optional<Recording>& recording,
                                       const Work& work) {
  return recording ? std::make_unique<RecordingWriter>(std::move(writer), *recording, work) : std::move(writer);
}

}  // namespace atelier::api::text
