#include "common/data_jobs.h"

#include "base/json.h"
#include "data/steps/process.h"
#include "storage/blob_json.h"

namespace atelier::apps {
namespace {

json::object ResultJson(const data::ImportReport& report) {
  json::object split_rows;
  for (int i = 0; i < data::kSplits; ++i) {
    split_rows[data::Name(static_cast<data::Split>(i))] = report.content.split_rows[i];
  }
  json::array warnings(report.warnings.begin(), report.warnings.end());
  return {{"manifest", storage::ToJson(report.manifest)},
          {"rows", report.content.rows()},
          {"columns", report.content.columns.size()},
          {"split_rows", std::move(split_rows)},
          {"warnings", std::move(warnings)}};
}

Result<std::vector<data::SourceFile>> SourceFiles(const json::array& array) {
  std::vector<data::SourceFile> files;
  for (const auto& item : array) {
    if (!item.is_object()) {
      return InvalidArgument("a source file is no object", "files");
    }
    Fields fields(item.get_object(), "files");
    ATELIER_ASSIGN(path, fields.String("path"));
    ATELIER_ASSIGN(blob, storage::BlobRefFromJson(item.get_object(), "files"));
    files.push_back({std::move(path), std::move(blob)});
  }
  return files;
}

data::RunHooks HooksOf(jobs::Host& host, const char* stage) {
  return {.progress =
              [&host, stage](uint64_t done, uint64_t total) {
                host.Progress({{"stage", stage}, {"done_bytes", done}, {"total_bytes", total}});
              },
          .cancelled = [&host] { return host.cancelled(); },
          .checkpoint = host.directory() / "checkpoint"};
}

Result<json::object> RunImport(jobs::Host& host, std::span<const data::Format* const> formats) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(file_list, fields.ArrayOr("files", 1'000'000));
  ATELIER_ASSIGN(option_object, fields.ObjectOr("options"));
  if (file_list == nullptr) {
    return InvalidArgument("the import has no files", "files");
  }
  ATELIER_ASSIGN(files, SourceFiles(*file_list));
  ATELIER_ASSIGN(options, data::ImportOptionsFromJson(option_object == nullptr ? json::object{} : *option_object));
  ATELIER_ASSIGN(blobs, storage::OpenFolderBlobStore(blob_dir));
  ATELIER_ASSIGN(report, data::Import(*blobs, files, options, formats, HooksOf(host, "import")));
  ATELIER_ASSIGN(lineage, fields.ObjectOr("lineage"));
  if (lineage != nullptr) {  // where the files come from
    report.content.lineage = *lineage;
    ATELIER_ASSIGN(manifest, storage::PutBytes(*blobs, json::serialize(data::ToJson(report.content))));
    report.manifest = std::move(manifest);
  }
  for (const auto& warning : report.warnings) {
    host.Message("warning", warning);
  }
  return ResultJson(report);
}

// What a `process` and a `preview` job have alike: the version, the steps, and a folder to work in.
struct ProcessJob {
  std::unique_ptr<storage::BlobStore> blobs;
  data::Manifest manifest;
  data::steps::Request request;
  json::object parent;
};

Result<ProcessJob> ReadProcessJob(const json::object& spec) {
  Fields fields(spec);
  ProcessJob job;
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(manifest_ref, fields.ObjectOr("manifest"));
  ATELIER_ASSIGN(process, fields.ObjectOr("process"));
  ATELIER_ASSIGN(parent, fields.ObjectOr("parent"));
  if (manifest_ref == nullptr || process == nullptr || parent == nullptr) {
    return InvalidArgument("the processing job lacks its manifest or its steps", "steps");
  }
  ATELIER_ASSIGN(ref, storage::BlobRefFromJson(*manifest_ref, "manifest"));
  ATELIER_ASSIGN(blobs, storage::OpenFolderBlobStore(blob_dir));
  ATELIER_ASSIGN(manifest, data::LoadManifest(*blobs, ref.sha256));
  ATELIER_ASSIGN(request, data::steps::CheckRequest(*process, data::steps::SchemaOf(manifest)));
  job.blobs = std::move(blobs);
  job.manifest = std::move(manifest);
  job.request = std::move(request);
  job.parent = *parent;
  return job;
}

Result<json::object> RunProcess(jobs::Host& host, const data::steps::MediaTools* media) {
  ATELIER_ASSIGN(job, ReadProcessJob(host.spec()));
  ATELIER_ASSIGN(
      done, data::steps::Process(*job.blobs, {job.manifest, job.request, job.parent, media}, HooksOf(host, "process")));
  json::object result = ResultJson(done.version);
  result["report"] = std::move(done.report);
  return result;
}

Result<json::object> RunPreview(jobs::Host& host, const data::steps::MediaTools* media) {
  ATELIER_ASSIGN(job, ReadProcessJob(host.spec()));
  Fields fields(host.spec());
  ATELIER_ASSIGN(rows, fields.Int("rows", 1, data::steps::kMaxPreviewRows));
  return data::steps::Preview(*job.blobs, {job.manifest, job.request, job.parent, media}, rows,
                              HooksOf(host, "preview"));
}

}  // namespace

Result<jobs::Body> DataJobBody(const std::string& kind, std::span<const data::Format* const> formats,
                               const data::steps::MediaTools* media) {
  if (kind == "import") {
    return jobs::Body([formats](jobs::Host& host) { return RunImport(host, formats); });
  }
  if (kind == "process") {
    return jobs::Body([media](jobs::Host& host) { return RunProcess(host, media); });
  }
  if (kind == "preview") {
    return jobs::Body([media](jobs::Host& host) { return RunPreview(host, media); });
  }
  return InvalidArgument("this program runs no job of the kind '" + kind + "'", "kind");
}

}  // namespace atelier::apps
