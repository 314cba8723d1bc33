#include "pull_model.h"

#include <system_error>

#include "base/config.h"
#include "base/json.h"
#include "hub/pull.h"
#include "import_model.h"
#include "storage/files.h"

namespace atelier::apps {
namespace {

namespace fs = std::filesystem;

constexpr size_t kMaxPlanBytes = 16U << 20U;

Result<hub::Plan> ReadPlan(const fs::path& file) {
  ATELIER_ASSIGN(text, storage::ReadSmallFile(file, kMaxPlanBytes));
  ATELIER_ASSIGN(value, ParseJson(text, {.max_bytes = kMaxPlanBytes}));
  if (!value.is_object()) {
    return InvalidArgument("the plan of a pull is no object");
  }
  return hub::PlanFromJson(value.get_object());
}

// That of an earlier attempt, so that its bytes and the new ones belong to one commit.
Result<hub::Plan> FindPlan(hub::Puller& puller, const hub::Reference& reference, const fs::path& folder) {
  if (auto plan = ReadPlan(folder / "plan.json"); plan.ok()) {
    return plan;
  }
  ATELIER_ASSIGN(plan, puller.MakePlan(reference));
  std::error_code ec;
  fs::create_directories(folder, ec);
  ATELIER_TRY(storage::ReplaceFileDurably(folder / "plan.json", json::serialize(hub::ToJson(plan)), 0600));
  return plan;
}

Result<hub::PullOptions> PullOptionsOf(jobs::Host& host) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(settings, fields.ObjectOr("hub"));
  hub::PullOptions options;
  if (settings != nullptr) {
    ATELIER_ASSIGN(read, hub::OptionsFromJson(*settings));
    options.hub = std::move(read);
  }
  options.tokens = hub::TokensFrom(SystemEnvironment);
  options.caches = hub::CachesFrom(SystemEnvironment);
  options.cancelled = [&host] { return host.cancelled(); };
  options.progress = [&host](const hub::PullProgress& progress) {
    host.Progress({{"stage", "download"},
                   {"file", progress.name},
                   {"sha256", progress.sha256},
                   {"file_done_bytes", progress.file_done},
                   {"file_total_bytes", progress.file_total},
                   {"done_bytes", progress.done},
                   {"total_bytes", progress.total}});
  };
  return options;
}

json::object LineageOf(const std::string& source, const hub::Plan& plan, const std::vector<hub::PulledFile>& files) {
  json::array list;
  for (const auto& file : files) {
    const auto url = hub::ParseUrl(file.url);
    list.push_back(json::object{{"path", file.name},
                                {"sha256", file.sha256},
                                {"size", file.size},
                                {"url", url.ok() ? url->ForPeople() : ""}});  // without what a query may prove
  }
  return {{"source", source}, {"revision", plan.revision}, {"source_files", std::move(list)}};
}

Result<json::object> PullInto(jobs::Host& host, const fs::path& folder) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(source, fields.String("source"));
  ATELIER_ASSIGN(reference, hub::ParseReference(source));
  ATELIER_ASSIGN(options, PullOptionsOf(host));
  ATELIER_ASSIGN(store, storage::OpenFolderBlobStore(blob_dir));
  host.Progress({{"stage", "plan"}});
  hub::Puller puller(std::move(options));
  ATELIER_ASSIGN(plan, FindPlan(puller, reference, folder));
  ATELIER_ASSIGN(files, puller.Fetch(plan, folder));
  std::vector<ImportSource> sources;
  for (const auto& file : files) {
    sources.push_back({{file.name, file.file}});
    if (file.cached) {
      host.Message("info", "taken from " + file.file.string());
    }
  }
  ATELIER_ASSIGN(result, ImportSources(host, *store, sources, LineageOf(source, plan, files)));
  auto& metadata = result["metadata"].as_object();
  if (!metadata.contains("license") && !plan.license.empty()) {
    metadata["license"] = plan.license;
  }
  return result;
}

}  // namespace

Result<json::object> PullModelJob(jobs::Host& host) {
  const fs::path folder = host.directory() / "pull";
  auto result = PullInto(host, folder);
  // What was stopped may go on later, and a broken connection is worth another attempt: their bytes stay.
  const bool again = !result.ok() && (host.cancelled() || result.error().code == Code::kUnavailable);
  if (!again) {
    std::error_code ignored;
    fs::remove_all(folder, ignored);
  }
  return result;
}

}  // namespace atelier::apps
