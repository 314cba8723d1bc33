// What a fine-tuning's jobs told, in OpenAI's words.
#include <algorithm>
#include <array>
#include <cstdio>
#include <functional>
#include <optional>
#include <tuple>
#include <utility>

#include "api/openai/fine_tuning.h"

namespace atelier::api::openai {
namespace {

constexpr int kAtOnce = 1000;

enum class Part { kWhole, kImport, kTraining };

struct Told {
  std::string message;
  std::string level = "info";
  json::object metrics{};  // of a step; empty: a message
};

std::string Rounded(double value) {
  std::array<char, 32> text{};
  std::snprintf(text.data(), text.size(), "%.4g", value);
  return text.data();
}

Told Failure(const json::object& data) {
  const json::value* error = data.if_contains("error");
  return {error != nullptr && error->is_object() ? GetString(error->get_object(), "message") : "The job failed",
          "error"};
}

std::optional<Told> OfState(Part part, const jobs::Job& job, const json::object& data) {
  const std::string state = GetString(data, "state");
  const bool again = GetInt(data, "attempt") > 1 || (state == "queued" && GetInt(data, "attempt") > 0);
  if (part == Part::kWhole) {
    if (state == "queued") {
      return Told{again ? "Fine-tuning job resumed" : "Created fine-tuning job: " + job.id};
    }
    if (state == "running" && !again) {
      return Told{"Validating training file"};
    }
    if (state == "succeeded") {
      const std::string reason = GetString(job.result, "not_served");
      return Told{"New fine-tuned model created: " + GetString(job.result, "model") +
                      (reason.empty() ? "" : "; it is not served: " + reason),
                  reason.empty() ? "info" : "warn"};
    }
    if (state == "cancelled") {
      return Told{"Fine-tuning job stopped"};
    }
    return state == "failed" ? std::optional(Failure(data)) : std::nullopt;
  }
  if (part == Part::kImport) {
    return state == "succeeded" ? std::optional(Told{"Files validated, moving job to queued state"}) : std::nullopt;
  }
  return state == "running" ? std::optional(Told{again ? "Fine-tuning job started again" : "Fine-tuning job started"})
                            : std::nullopt;
}

// Of a step, or of an epoch, whose loss is its mean.
std::optional<Told> OfProgress(const json::object& data) {
  const std::string stage = GetString(data, "stage");
  const int64_t steps = GetInt(data, "steps");
  const int64_t epochs = GetInt(data, "epochs");
  if ((stage != "train" && stage != "epoch") || steps < 1) {
    return std::nullopt;
  }
  const int64_t epoch = GetInt(data, "epoch");
  const int64_t step = stage == "epoch" ? epoch * steps : (epoch - 1) * steps + GetInt(data, "step");
  const double loss = GetNumber(data, "loss");
  Told out{.message = "Step " + std::to_string(step) + "/" + std::to_string(epochs * steps) +
                      ": training loss=" + Rounded(loss)};
  out.metrics = {{"step", step}, {"total_steps", epochs * steps}, {"train_loss", loss}, {"epoch", epoch}};
  if (data.contains("validation_loss")) {
    const double validation = GetNumber(data, "validation_loss");
    out.metrics["valid_loss"] = validation;
    out.metrics["full_valid_loss"] = validation;
    out.message += ", validation loss=" + Rounded(validation);
  }
  return out;
}

std::optional<Told> Translate(Part part, const jobs::Job& job, const jobs::Event& event) {
  if (event.type == "state") {
    return OfState(part, job, event.data);
  }
  if (event.type == "progress" && part == Part::kTraining) {
    return OfProgress(event.data);
  }
  if (event.type == "message" && part != Part::kWhole) {
    const bool warns = GetString(event.data, "level") == "warning";
    return Told{GetString(event.data, "message"), warns ? "warn" : "info"};
  }
  return std::nullopt;
}

struct Placed {
  int64_t at_ms = 0;
  size_t part = 0;
  int64_t sequence = 0;
  json::object event{};
};

Status Collect(const Services& services, const jobs::Job& job, size_t part, std::vector<Placed>& to) {
  for (int64_t after = 0;;) {
    ATELIER_ASSIGN(events, services.jobs.Events(job.id, after, kAtOnce));
    for (const jobs::Event& event : events) {
      after = event.sequence;
      auto told = Translate(static_cast<Part>(std::min<size_t>(part, 2)), job, event);
      if (!told) {
        continue;
      }
      const bool metrics = !told->metrics.empty();
      to.push_back({event.at_ms, part, event.sequence,
                    json::object{{"id", "ftevent-" + job.id + "-" + std::to_string(event.sequence)},
                                 {"object", "fine_tuning.job.event"},
                                 {"created_at", Seconds(event.at_ms)},
                                 {"level", told->level},
                                 {"message", told->message},
                                 {"type", metrics ? "metrics" : "message"},
                                 {"data", std::move(told->metrics)}}});
    }
    if (events.size() < kAtOnce) {
      return {};
    }
  }
}

}  // namespace

Result<std::vector<json::object>> TuningEvents(const Services& services, const TuningJob& tuning) {
  std::vector<Placed> placed;
  ATELIER_TRY(Collect(services, tuning.job, 0, placed));
  for (size_t i = 0; i < tuning.parts.size(); ++i) {
    ATELIER_TRY(Collect(services, tuning.parts[i], i + 1, placed));
  }
  std::ranges::stable_sort(placed, std::greater(),
                           [](const Placed& one) { return std::tuple(one.at_ms, one.part, one.sequence); });
  std::vector<json::object> out;
  for (Placed& one : placed) {
    out.push_back(std::move(one.event));
  }
  return out;
}

}  // namespace atelier::api::openai
