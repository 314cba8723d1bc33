#include "common/data_jobs.h"

#include "base/json.h"
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
  const auto progress = [&](uint64_t done, uint64_t total) {
    host.Progress({{"stage", "import"}, {"done_bytes", done}, {"total_bytes", total}});
  };
  ATELIER_ASSIGN(report, data::Import(*blobs, files, options, formats, progress));
  for (const auto& warning : report.warnings) {
    host.Message("warning", warning);
  }
  return ResultJson(report);
}

Result<json::object> RunProcess(jobs::Host& host) {
  Fields fields(host.spec());
  ATELIER_ASSIGN(blob_dir, fields.String("blobs"));
  ATELIER_ASSIGN(manifest_ref, fields.ObjectOr("manifest"));
  ATELIER_ASSIGN(split, fields.ObjectOr("split"));
  if (manifest_ref == nullptr || split == nullptr) {
    return InvalidArgument("the processing job lacks its manifest or its split", "split");
  }
  ATELIER_ASSIGN(ref, storage::BlobRefFromJson(*manifest_ref, "manifest"));
  ATELIER_ASSIGN(options, data::SplitOptionsFromJson(*split));
  ATELIER_ASSIGN(blobs, storage::OpenFolderBlobStore(blob_dir));
  ATELIER_ASSIGN(manifest, data::LoadManifest(*blobs, ref.sha256));
  ATELIER_ASSIGN(report, data::Resplit(*blobs, manifest, options));
  return ResultJson(report);
}

}  // namespace

Result<jobs::Body> DataJobBody(const std::string& kind, std::span<const data::Format* const> formats) {
  if (kind == "import") {
    return jobs::Body([formats](jobs::Host& host) { return RunImport(host, formats); });
  }
  if (kind == "process") {
    return jobs::Body(RunProcess);
  }
  return InvalidArgument("this program runs no job of the kind '" + kind + "'", "kind");
}

}  // namespace atelier::apps
