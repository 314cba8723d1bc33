#include "data/importer.h"

#include <algorithm>

#include "data/formats/format.h"
#include "data/formats/members.h"
#include "data/formats/paths.h"
#include "data/table_builder.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxFiles = 1'000'000;

const Format* FindByName(std::span<const Format* const> formats, std::string_view name) {
  const auto found = std::ranges::find_if(formats, [&](const Format* format) { return format->name == name; });
  return found == formats.end() ? nullptr : *found;
}

// The first format that claims all the files and accepts what is in them.
Result<const Format*> ChooseFormat(std::span<const Format* const> formats, FormatContext& context) {
  const std::string& wanted = context.options.format;
  if (wanted != "auto") {
    const Format* format = FindByName(formats, wanted);
    if (format == nullptr) {
      return InvalidArgument("there is no format '" + wanted + "' here", "format", "unsupported_media_type");
    }
    return format;
  }
  const auto files = context.files;
  const SourceFile* odd = &files.front();
  for (const Format* format : formats) {
    const auto stranger = std::ranges::find_if(files, [&](const auto& file) { return !format->claims(file.path); });
    if (stranger != files.end()) {
      odd = stranger == files.begin() ? odd : &*stranger;
      continue;
    }
    if (format->accepts == nullptr) {
      return format;
    }
    ATELIER_ASSIGN(accepted, format->accepts(context));
    if (accepted) {
      return format;
    }
  }
  const bool mixed = odd != &files.front();
  return InvalidArgument(odd->path + (mixed ? ": this is not of the same format as " + files.front().path
                                            : ": the name does not tell the format; say it with 'format'"),
                         "files", "unsupported_media_type");
}

}  // namespace

Result<ImportReport> Import(storage::BlobStore& blobs, const std::vector<SourceFile>& files,
                            const ImportOptions& options, std::span<const Format* const> formats,
                            const RunHooks& hooks) {
  TableBuilder table(blobs, options);
  std::vector<SourceFile> sources;
  uint64_t bytes = 0;
  for (const auto& file : files) {
    ATELIER_TRY(CheckPath(file.path));
    if (IsSystemFile(file.path)) {
      table.Warn(file.path + ": left out, as a hidden file");
      continue;
    }
    sources.push_back(file);
    bytes += file.blob.size;
  }
  if (options.format != "images" && options.format != "audio") {  // which look into archives themselves
    ATELIER_TRY(ExpandArchives(blobs, options.format == "auto", table, sources));
  }
  if (sources.empty() || sources.size() > kMaxFiles) {
    return InvalidArgument("a data set takes 1 to " + std::to_string(kMaxFiles) + " files", "files");
  }
  Meter meter(hooks.progress, 0);
  Checkpoint checkpoint;
  if (!hooks.checkpoint.empty()) {
    ATELIER_ASSIGN(opened, Checkpoint::Open(hooks.checkpoint));
    checkpoint = std::move(opened);
  }
  FormatContext context{.blobs = blobs,
                        .files = sources,
                        .options = options,
                        .meter = meter,
                        .table = table,
                        .hooks = hooks,
                        .checkpoint = checkpoint};
  ATELIER_ASSIGN(format, ChooseFormat(formats, context));
  meter = Meter(hooks.progress, bytes * static_cast<uint64_t>(format->passes));
  ATELIER_TRY(format->read(context));
  ATELIER_ASSIGN(report, table.Finish());
  meter.Finish();
  checkpoint.Clear();
  return report;
}

bool NeedsImages(const std::vector<SourceFile>& files, const std::string& format) {
  if (format != "auto" && !format.empty()) {
    return format == "images" || format == "audio";
  }
  return std::ranges::any_of(
      files, [](const auto& file) { return IsPicture(file.path) || IsRecording(file.path) || IsArchive(file.path); });
}

}  // namespace atelier::data
