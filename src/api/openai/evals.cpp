// /v1/evals
#include <algorithm>
#include <utility>

#include "api/handlers.h"
#include "api/openai/eval_fields.h"
#include "api/openai/metadata.h"
#include "api/text/models.h"
#include "base/ids.h"
#include "registry/registry.h"
#include "storage/blob_json.h"
#include "storage/blob_store.h"

namespace atelier::api::openai {
namespace {

constexpr const char* kEval = "eval";
constexpr const char* kRun = "eval.run";
constexpr int kCreated = 201;
constexpr int kAtOnce = 100;  // documents of runs
constexpr uint64_t kMaxItemsBytes = 512ULL << 20U;

json::object EvalObject(const registry::Document& document) {
  json::object object = document.body;
  object["id"] = document.id;
  object["object"] = kEval;
  object["created_at"] = Seconds(document.created_ms);
  return object;
}

Result<registry::Document> FindEval(const Services& services, const Request& request) {
  return services.registry.documents().Get(kEval, "", request.Param("id"));
}

// The run as it is now. One that was begun by a server that is gone has failed.
// A run stores its end before it leaves the list of those that go on, so that
// is looked at first.
Result<registry::Document> LoadRun(const Services& services, const std::string& eval, const std::string& id) {
  const auto run = services.eval_runs->Find(id);
  ATELIER_ASSIGN(document, services.registry.documents().Get(kRun, eval, id));
  if (GetString(document.body, "status") == "in_progress") {
    if (run != nullptr) {
      document.body = run->Body();
    } else {
      document.body["status"] = "failed";
      document.body["error"] =
          json::object{{"code", "interrupted"}, {"message", "the server was stopped during the run"}};
    }
  }
  return document;
}

Result<registry::Document> FindRun(const Services& services, const Request& request) {
  return LoadRun(services, request.Param("id"), request.Param("run"));
}

json::object RunObject(const Request& request, registry::Document document) {
  json::object object = std::move(document.body);
  object.erase("items");
  object["id"] = document.id;
  object["object"] = kRun;
  object["eval_id"] = document.parent;
  object["created_at"] = Seconds(document.created_ms);
  object["report_url"] = "http://" + std::string(request.Header("host").value_or("localhost")) + "/v1/evals/" +
                         document.parent + "/runs/" + document.id + "/output_items";
  return object;
}

// OpenAI's lists of evals begin with the oldest.
Result<PageQuery> OldestFirst(const Request& request) {
  ATELIER_ASSIGN(page, ParsePage(request));
  page.descending = page.descending && request.Query("order").has_value();
  return page;
}

// The output items of a run that has ended.
Result<json::array> ItemsOf(const Services& services, const registry::Document& run) {
  const json::value* items = run.body.if_contains("items");
  if (items == nullptr || !items->is_object()) {
    return json::array();
  }
  ATELIER_ASSIGN(blob, storage::BlobRefFromJson(items->get_object(), "items"));
  ATELIER_ASSIGN(text, storage::ReadAll(services.blobs, blob.sha256, kMaxItemsBytes));
  ATELIER_ASSIGN(value, ParseJson(text, {.max_bytes = kMaxItemsBytes, .max_depth = 128}));
  return value.is_array() ? Result<json::array>(std::move(value.get_array()))
                          : DataLoss("the items of a run are no list");
}

}  // namespace

Result<Response> CreateEval(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(eval, ReadEval(body));
  ATELIER_ASSIGN(document, services.registry.documents().Add(
                               {.id = NewId("eval_", services.rng), .kind = kEval, .body = std::move(eval)}));
  return JsonResponse(EvalObject(document), kCreated);
}

Result<Response> ListEvals(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, OldestFirst(request));
  bool more = false;
  ATELIER_ASSIGN(found, services.registry.documents().List(kEval, "", {page.after, page.limit, page.descending}, more));
  json::array items;
  for (const auto& document : found) {
    items.push_back(EvalObject(document));
  }
  return JsonResponse(ListObject(std::move(items), more));
}

Result<Response> GetEval(const Services& services, Request& request) {
  ATELIER_ASSIGN(document, FindEval(services, request));
  return JsonResponse(EvalObject(document));
}

Result<Response> UpdateEval(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(document, FindEval(services, request));
  Fields fields(body);
  ATELIER_ASSIGN(name, fields.StringOr("name", GetString(document.body, "name"), 256));
  const bool given = fields.Has("metadata");
  ATELIER_ASSIGN(metadata, ReadMetadata(fields));
  ATELIER_TRY(fields.RejectUnknown());
  document.body["name"] = name;
  if (given) {
    document.body["metadata"] = std::move(metadata);
  }
  ATELIER_TRY(services.registry.documents().Put(document.id, document.body));
  return JsonResponse(EvalObject(document));
}

Result<Response> DeleteEval(const Services& services, Request& request) {
  ATELIER_ASSIGN(document, FindEval(services, request));
  ATELIER_TRY(services.registry.documents().Delete(document.id));
  for (const auto& run : services.eval_runs->Of(document.id)) {
    run->Cancel();
  }
  return JsonResponse({{"object", "eval.deleted"}, {"deleted", true}, {"eval_id", document.id}});
}

Result<Response> CreateEvalRun(const Services& services, Request& request) {
  ATELIER_ASSIGN(body, request.Json());
  ATELIER_ASSIGN(eval, FindEval(services, request));
  ATELIER_ASSIGN(graders, GradersOf(eval.body));
  ATELIER_ASSIGN(asked, ReadRun(services, body));
  if (!asked.source.model.empty()) {
    const auto pinned = text::Pin(services, asked.source.model, text::Use::kGenerate);
    if (!pinned.ok()) {
      Error error = pinned.error();
      error.param = "data_source.model";
      return error;
    }
  }
  asked.body["status"] = "in_progress";
  asked.body["error"] = nullptr;
  const registry::Document document{
      .id = NewId("evalrun_", services.rng), .kind = kRun, .parent = eval.id, .body = std::move(asked.body)};
  const auto run = std::make_shared<EvalRun>(
      services, EvalRun::Plan{document, std::move(asked.source), std::move(graders), request.key_id});
  ATELIER_TRY(services.eval_runs->Add(document.id, run));
  if (const auto added = services.registry.documents().Add(document); !added.ok()) {
    services.eval_runs->Remove(document.id);
    return added.error();
  }
  run->Start();
  ATELIER_ASSIGN(begun, LoadRun(services, eval.id, document.id));
  return JsonResponse(RunObject(request, std::move(begun)), kCreated);
}

Result<Response> ListEvalRuns(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, OldestFirst(request));
  ATELIER_ASSIGN(eval, FindEval(services, request));
  const std::string status(request.Query("status").value_or(""));
  json::array items;
  for (bool more = true; more;) {
    ATELIER_ASSIGN(found,
                   services.registry.documents().List(kRun, eval.id, {page.after, kAtOnce, page.descending}, more));
    for (const auto& document : found) {
      page.after = document.id;
      ATELIER_ASSIGN(loaded, LoadRun(services, eval.id, document.id));
      if (!status.empty() && GetString(loaded.body, "status") != status) {
        continue;
      }
      if (std::ssize(items) == page.limit) {
        return JsonResponse(ListObject(std::move(items), true));
      }
      items.push_back(RunObject(request, std::move(loaded)));
    }
  }
  return JsonResponse(ListObject(std::move(items), false));
}

Result<Response> GetEvalRun(const Services& services, Request& request) {
  ATELIER_ASSIGN(document, FindRun(services, request));
  return JsonResponse(RunObject(request, std::move(document)));
}

Result<Response> CancelEvalRun(const Services& services, Request& request) {
  ATELIER_ASSIGN(document, FindRun(services, request));
  const auto run = services.eval_runs->Find(document.id);
  if (run == nullptr || !run->Cancel()) {
    return FailedPrecondition("the run has ended", "run_finished");
  }
  return GetEvalRun(services, request);
}

Result<Response> DeleteEvalRun(const Services& services, Request& request) {
  ATELIER_ASSIGN(document, FindRun(services, request));
  ATELIER_TRY(services.registry.documents().Delete(document.id));
  if (const auto run = services.eval_runs->Find(document.id); run != nullptr) {
    run->Cancel();
  }
  return JsonResponse({{"object", "eval.run.deleted"}, {"deleted", true}, {"run_id", document.id}});
}

Result<Response> ListOutputItems(const Services& services, Request& request) {
  ATELIER_ASSIGN(page, OldestFirst(request));
  ATELIER_ASSIGN(document, FindRun(services, request));
  ATELIER_ASSIGN(items, ItemsOf(services, document));
  const std::string status(request.Query("status").value_or(""));
  if (page.descending) {
    std::ranges::reverse(items);
  }
  json::array out;
  bool begun = page.after.empty();
  for (auto& item : items) {
    const json::object& object = item.as_object();
    if (!begun) {
      begun = GetString(object, "id") == page.after;
    } else if (status.empty() || GetString(object, "status") == status) {
      if (std::ssize(out) == page.limit) {
        return JsonResponse(ListObject(std::move(out), true));
      }
      out.push_back(std::move(item));
    }
  }
  return begun ? Result<Response>(JsonResponse(ListObject(std::move(out), false)))
               : InvalidArgument("no output item has that id", "after");
}

Result<Response> GetOutputItem(const Services& services, Request& request) {
  ATELIER_ASSIGN(document, FindRun(services, request));
  ATELIER_ASSIGN(items, ItemsOf(services, document));
  for (const auto& item : items) {
    if (GetString(item.as_object(), "id") == request.Param("item")) {
      return JsonResponse(item);
    }
  }
  return NotFound("the run has no such output item");
}

}  // namespace atelier::api::openai
