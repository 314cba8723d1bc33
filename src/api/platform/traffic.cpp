// /v1/traffic: what deployments were asked, their answers, and feedback; data sets from them.
#include "api/platform/traffic.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <limits>
#include <span>

#include "api/handlers.h"
#include "api/platform/jobs.h"
#include "base/hash.h"
#include "base/ids.h"
#include "base/log.h"
#include "data/importer.h"
#include "data/traffic/recorder.h"
#include "data/traffic/rows.h"
#include "registry/registry.h"
#include "storage/blob_json.h"
#include "text/language/redact.h"

namespace atelier::api::platform {
namespace {

constexpr int64_t kMaxTime = int64_t{1} << 40U;  // seconds
constexpr int64_t kMaxRows = 1'000'000;
constexpr uint64_t kMaxBytes = uint64_t{1} << 30U;  // of a data set's rows

Status RequireOwner(const Request& request) {
  if (request.role != access::Role::kOwner) {
    return MakeError(Code::kPermissionDenied, "only an owner's key may see or record what others asked",
                     "owner_required");
  }
  return {};
}

Status RequireTraffic(const Services& services) {
  return services.traffic != nullptr && services.recorder != nullptr
             ? Status()
             : MakeError(Code::kUnavailable, "this server records nothing");
}

json::value Parsed(const std::string& text) {
  auto value = ParseJson(text);
  return value.ok() ? std::move(*value) : json::value(text);
}

json::object RecordObject(const data::TrafficRecord& record) {
  json::value feedback = nullptr;
  if (record.feedback) {
    feedback = json::object{{"score", record.feedback->score},
                            {"correction", record.feedback->correction},
                            {"comment", record.feedback->comment},
                            {"created_at", Seconds(record.feedback_ms)}};
  }
  return {{"id", record.id},
          {"object", "traffic.record"},
          {"kind", record.kind},
          {"deployment", record.deployment},
          {"model", record.model},
          {"key_id", record.key_id},
          {"created_at", Seconds(record.created_ms)},
          {"request", Parsed(record.request)},
          {"answer", Parsed(record.answer)},
          {"feedback", std::move(feedback)}};
}

Status CheckKind(const std::string& kind) {
  if (!kind.empty() && kind != "predict" && kind != "chat" && kind != "completion") {
    return InvalidArgument("'kind' must be predict, chat or completion", "kind");
  }
  return {};
}

// {"deployment", "kind", "from", "to", "min_score", "max_score"}
Result<data::TrafficQuery> ParseQuery(Fields& fields) {
  data::TrafficQuery query;
  ATELIER_ASSIGN(deployment, fields.StringOr("deployment", "", 128));
  ATELIER_ASSIGN(kind, fields.StringOr("kind", "", 16));
  ATELIER_TRY(CheckKind(kind));
  ATELIER_ASSIGN(from, fields.IntOr("from", 0, 0, kMaxTime));
  ATELIER_ASSIGN(to, fields.IntOr("to", 0, 0, kMaxTime));
  if (fields.Has("min_score")) {
    ATELIER_ASSIGN(score, fields.Number("min_score", -1, 1));
    query.min_score = score;
  }
  if (fields.Has("max_score")) {
    ATELIER_ASSIGN(score, fields.Number("max_score", -1, 1));
    query.max_score = score;
  }
  query.deployment = std::move(deployment);
  query.kind = std::move(kind);
  query.from_ms = from * 1000;
  query.to_ms = to * 1000;
  return query;
}

struct Wish {
  std::string name;
  data::TrafficQuery query;
  double sample = 1;
  int64_t seed = 1;
  int64_t limit = kMaxRows;
  std::vector<std::string> columns;
  json::object options{{"format", "jsonl"}};  // of the import
};

Result<Wish> ParseWish(const json::object& body) {
  Fields fields(body);
  Wish wish;
  ATELIER_ASSIGN(name, fields.String("name", 128));
  ATELIER_TRY(ValidateName(name, "name"));
  ATELIER_ASSIGN(query, ParseQuery(fields));
  ATELIER_ASSIGN(sample, fields.NumberOr("sample", 1, 0, 1));
  ATELIER_ASSIGN(seed, fields.IntOr("seed", 1, 0, std::numeric_limits<int64_t>::max()));
  ATELIER_ASSIGN(limit, fields.IntOr("limit", kMaxRows, 1, kMaxRows));
  ATELIER_ASSIGN(columns, fields.StringsOr("columns", {}, std::size(data::kExtraColumns)));
  for (const std::string& column : columns) {
    if (std::ranges::find(data::kExtraColumns, column) == std::end(data::kExtraColumns)) {
      return InvalidArgument("'columns' may name id, created_at, deployment, model, score and comment", "columns");
    }
  }
  for (const char* key : {"target", "task", "types", "split", "stratify"}) {
    if (fields.Has(key)) {
      wish.options[key] = body.at(key);
    }
  }
  if (fields.Has("seed")) {
    wish.options["seed"] = seed;
  }
  ATELIER_TRY(fields.RejectUnknown());
  ATELIER_TRY(data::ImportOptionsFromJson(wish.options));
  wish.name = std::move(name);
  wish.query = std::move(query);
  wish.sample = sample;
  wish.seed = seed;
  wish.limit = limit;
  wish.columns = std::move(columns);
  return wish;
}

// The same records for the same seed, whatever else is recorded.
bool InSample(const data::TrafficRecord& record, const Wish& wish) {
  if (wish.sample >= 1) {
    return true;
  }
  const std::string digest = Sha256Hex(record.id + "/" + std::to_string(wish.seed)).substr(0, 13);
  uint64_t value = 0;
  std::from_chars(digest.data(), digest.data() + digest.size(), value, 16);
  return std::ldexp(static_cast<double>(value), -52) < wish.sample;
}

struct Written {
  storage::BlobRef blob;
  int64_t rows = 0;
};

// The rows as JSON lines, at most the wished number. All records must be of one kind, as rows of several have different
// columns.
Result<Written> WriteRows(const Services& services, const Wish& wish) {
  ATELIER_ASSIGN(writer, services.blobs.Create());
  Written out;
  std::string kind;
  uint64_t bytes = 0;
  ATELIER_TRY(services.traffic->ForEach(wish.query, [&](const data::TrafficRecord& record) -> Result<bool> {
    if (!InSample(record, wish)) {
      return true;
    }
    if (!kind.empty() && kind != record.kind) {
      return InvalidArgument(
          "there are records of the kinds " + kind + " and " + record.kind + ": name one with 'kind'", "kind");
    }
    kind = record.kind;
    std::string lines;
    for (const json::object& row : data::RowsOf(record, wish.columns)) {
      if (out.rows >= wish.limit) {
        break;
      }
      lines += json::serialize(row) + "\n";
      ++out.rows;
    }
    bytes += lines.size();
    if (bytes > kMaxBytes) {
      return InvalidArgument("the rows have more than 1 GiB: name a smaller 'limit', 'sample' or time", "limit");
    }
    ATELIER_TRY(writer->Append(std::as_bytes(std::span(lines))));
    return out.rows < wish.limit;
  }));
  if (out.rows == 0) {
    return InvalidArgument("no record matches the query", "deployment", "no_records");
  }
  ATELIER_ASSIGN(blob, writer->Commit());
  out.blob = std::move(blob);
  return out;
}

}  // namespace

void FollowRecording(const Services& services) {
  if (services.recorder == nullptr) {
    return;
  }
  const Status followed = services.recorder->Follow([&]() -> Result<data::Recorder::Policies> {
    ATELIER_ASSIGN(deployments, services.registry.ListDeployments());
    data::Recorder::Policies policies;
    for (const auto& deployment : deployments) {
      const json::object& settings = deployment.settings;
      const data::RecordPolicy usual;
      policies[deployment.name] = {.percent = GetInt(settings, "record"),
                                   .days = GetInt(settings, "record_days", usual.days),
                                   .megabytes = GetInt(settings, "record_mb", usual.megabytes)};
    }
    return policies;
  });
  if (!followed.ok()) {
    LogError("which deployments are recorded is not known", {{"error", followed.error().message}});
  }
}

Status CheckRecording(const Request& request, const json::object& settings) {
  if (GetInt(settings, "record") == 0) {
    return {};
  }
  ATELIER_TRY(RequireOwner(request));
  LogInfo("a deployment is to be recorded", {{"request_id", request.id}, {"key", request.key_id}});
  return {};
}

Status KeepRecording(const Services& services, const Request& request, const std::string& deployment,
                     json::object& settings) {
  if (request.role == access::Role::kOwner) {
    return {};
  }
  const auto present = services.registry.GetDeployment(deployment);
  if (!present.ok() && present.error().code != Code::kNotFound) {
    return present.error();
  }
  for (const char* key : {"record", "record_days", "record_mb"}) {
    settings.erase(key);
    if (present.ok() && present->settings.contains(key)) {
      settings[key] = present->settings.at(key);
    }
  }
  return {};
}

PredictionRecording::PredictionRecording(const Services& services, const Request& request,
                                         const std::string& deployment) {
  if (services.recorder != nullptr && !request.is_form && services.recorder->Wants(deployment) &&
      services.recorder->Fits(request.body.size())) {
    recorder_ = services.recorder;
    exchange_ = std::make_shared<const data::Exchange>(data::Exchange{.id = request.id,
                                                                      .deployment = {},
                                                                      .model = {},
                                                                      .kind = "predict",
                                                                      .key_id = request.key_id,
                                                                      .created_ms = services.clock.UnixMs(),
                                                                      .request = request.body,
                                                                      .answer = {}});
  }
}

void PredictionRecording::End(const serving::PredictAnswer& answer, const std::string& body) const {
  if (recorder_ == nullptr) {
    return;
  }
  data::Exchange exchange = *exchange_;
  exchange.deployment = answer.deployment;
  exchange.model = answer.model_name + "@" + std::to_string(answer.model_version);
  exchange.answer = body;
  recorder_->Record(std::move(exchange));
}

Result<Response> ListTraffic(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_TRY(RequireTraffic(services));
  ATELIER_ASSIGN(page, ParsePage(request));
  json::object given;
  for (const char* key : {"deployment", "kind"}) {
    if (const auto value = request.Query(key)) {
      given[key] = std::string(*value);
    }
  }
  for (const char* key : {"from", "to", "min_score", "max_score"}) {
    if (const auto value = request.Query(key)) {
      const auto number = ParseJson(*value);
      given[key] = number.ok() ? *number : json::value(std::string(*value));
    }
  }
  Fields fields(given);
  ATELIER_ASSIGN(query, ParseQuery(fields));
  services.recorder->Flush();
  bool has_more = false;
  ATELIER_ASSIGN(records, services.traffic->List(query, {page.after, page.limit, page.descending}, has_more));
  json::array items;
  for (const auto& record : records) {
    items.push_back(RecordObject(record));
  }
  return JsonResponse(ListObject(std::move(items), has_more));
}

Result<Response> GetTraffic(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_TRY(RequireTraffic(services));
  services.recorder->Flush();
  ATELIER_ASSIGN(record, services.traffic->Get(request.Param("id")));
  return JsonResponse(RecordObject(record));
}

Result<Response> DeleteTraffic(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_TRY(RequireTraffic(services));
  services.recorder->Flush();
  ATELIER_TRY(services.traffic->Delete(request.Param("id")));
  return JsonResponse({{"id", request.Param("id")}, {"object", "traffic.record"}, {"deleted", true}});
}

Result<Response> GiveFeedback(const Services& services, Request& request) {
  ATELIER_TRY(RequireTraffic(services));
  ATELIER_ASSIGN(body, request.Json());
  Fields fields(body);
  ATELIER_ASSIGN(score, fields.Number("score", -1, 1));
  ATELIER_ASSIGN(correction, fields.StringOr("correction", "", data::kMaxCorrectionBytes));
  ATELIER_ASSIGN(comment, fields.StringOr("comment", "", 4096));
  ATELIER_TRY(fields.RejectUnknown());
  const data::Feedback feedback{score, ::atelier::text::language::Redact(correction).text,
                                ::atelier::text::language::Redact(comment).text};
  services.recorder->Flush();  // the answer may have been given a moment ago
  // Others than owners judge what they asked themselves: ids may be chosen by clients, and guessed.
  ATELIER_TRY(services.traffic->SetFeedback(request.Param("id"), feedback,
                                            request.role == access::Role::kOwner ? "" : request.key_id));
  return JsonResponse({{"id", request.Param("id")},
                       {"object", "traffic.feedback"},
                       {"score", feedback.score},
                       {"correction", feedback.correction},
                       {"comment", feedback.comment}});
}

Result<Response> DatasetFromTraffic(const Services& services, Request& request) {
  ATELIER_TRY(RequireOwner(request));
  ATELIER_TRY(RequireTraffic(services));
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(wish, ParseWish(body));
  services.recorder->Flush();
  ATELIER_ASSIGN(written, WriteRows(services, wish));
  json::object file = storage::ToJson(written.blob);
  file["path"] = "traffic.jsonl";
  json::object query = body;
  query.erase("name");
  json::object spec = NewSpec(services, body);
  spec["name"] = wish.name;
  spec["files"] = json::array{std::move(file)};
  spec["options"] = std::move(wish.options);
  spec["lineage"] = {{"traffic", std::move(query)},
                     {"rows", written.rows},
                     {"asked_at", Seconds(services.clock.UnixMs())},
                     {"key_id", request.key_id}};
  LogInfo("a data set is made of recorded traffic",
          {{"request_id", request.id}, {"key", request.key_id}, {"dataset", wish.name}, {"rows", written.rows}});
  return StartJob(services, "import", std::move(spec));
}

}  // namespace atelier::api::platform
