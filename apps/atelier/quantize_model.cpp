#include "quantize_model.h"

#include <chrono>

#include "base/clock.h"
#include "base/file_sink.h"
#include "base/json.h"
#include "engine/importing/import.h"
#include "engine/quantising/quantise_model.h"
#include "engine/service/model_files.h"
#include "storage/blob_json.h"
#include "work_folder.h"

namespace atelier::apps {
namespace {

namespace fs = std::filesystem;

constexpr std::chrono::milliseconds kReportEvery{500};

engine::QuantiseOptions OptionsOf(jobs::Host& host) {
  engine::QuantiseOptions options;
  options.threads = static_cast<size_t>(host.threads());
  options.on_progress = [&host, next = std::chrono::steady_clock::time_point()](uint64_t done, uint64_t total) mutable {
    if (const auto now = std::chrono::steady_clock::now(); now >= next || done == total) {
      next = now + kReportEvery;
      host.Progress({{"stage", "quantise"}, {"done_bytes", done}, {"total_bytes", total}});
    }
    return !host.cancelled();
  };
  return options;
}

Status Quantise(jobs::Host& host, const fs::path& from, const engine::Recipe& recipe, const fs::path& to) {
  ATELIER_ASSIGN(source, engine::ReadModelFiles(from));
  ATELIER_ASSIGN(plan, engine::PlanQuantisation(*source.weights, recipe));
  for (const std::string& warning : plan.warnings) {
    host.Message("warning", warning);
  }
  FileSink out(to);
  ATELIER_TRY(engine::WriteQuantised(*source.weights, plan, OptionsOf(host),
                                     [&](std::span<const std::byte> bytes) { return out.Write(bytes); }));
  return out.Close();
}

}  // namespace

Result<json::object> QuantizeModelJob(jobs::Host& host) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(files, fields.ObjectOr("files"));
  ATELIER_ASSIGN(source, fields.ObjectOr("source"));
  ATELIER_ASSIGN(format, fields.String("format"));
  ATELIER_ASSIGN(model, fields.String("model"));
  const engine::Recipe* recipe = engine::FindRecipe(format);
  if (files == nullptr || source == nullptr || recipe == nullptr) {
    return InvalidArgument("the job's files, source or format are missing");
  }
  ATELIER_ASSIGN(store, storage::OpenFolderBlobStore(blob_dir));
  const WorkFolder work(host.directory() / "work");
  ATELIER_TRY(LayOut(*store, *files, work.path() / "source"));
  const std::string name = model + "-" + std::string(recipe->name) + ".gguf";
  const fs::path made = work.path() / name;
  ATELIER_TRY(Quantise(host, work.path() / "source", *recipe, made));
  host.Progress({{"stage", "load"}});
  const WorkFolder proof(work.path() / "proof");
  SystemClock clock;
  ATELIER_ASSIGN(proved, engine::ImportModel({{name, made}}, proof.path(), static_cast<size_t>(host.threads()), clock));
  if (host.cancelled()) {
    return MakeError(Code::kCancelled, "the quantisation was cancelled");
  }
  host.Progress({{"stage", "store"}});
  ATELIER_ASSIGN(blob, storage::PutFile(*store, made));
  proved.metadata["lineage"] = {
      {"job_id", GetString(host.spec(), "id")},
      {"code_version", GetString(host.spec(), "code_version")},
      {"base_model", GetString(*source, "name") + "@" + std::to_string(GetInt(*source, "version"))},
      {"format", recipe->name}};
  return json::object{{"files", {{name, storage::ToJson(blob)}}}, {"metadata", std::move(proved.metadata)}};
}

}  // namespace atelier::apps
