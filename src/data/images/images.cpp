// Pictures in folders that name their labels: [train|validation|test]/LABEL/file or LABEL/file, as files or inside an
// archive. They stay encoded; each is decoded once here, so that a damaged one is found now and not in training.
#include "data/images/images.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/formats/archive.h"
#include "data/formats/paths.h"
#include "media/image.h"

namespace atelier::data {
namespace {

struct Place {
  std::string label;
  std::optional<Split> split;
};

// What the folders of a picture say. `archive` is the name of the archive around it, or empty.
Result<Place> Locate(const std::string& path, const std::string& archive) {
  const auto components = Components(path);
  const std::string where = archive.empty() ? path : archive + ": " + path;
  // A split is no label: "train/1.png" is a picture without one, "x/train/1.png" too.
  if (components.size() < 2 || SplitFromWord(components[components.size() - 2])) {
    return InvalidArgument(where +
                               ": the picture is in no folder that names its label, as in LABEL/file or "
                               "train/LABEL/file",
                           "files", "invalid_file");
  }
  Place out;
  out.label = std::string(components[components.size() - 2]);
  for (size_t i = 0; i + 2 < components.size(); ++i) {
    if (const auto split = SplitFromWord(components[i])) {
      out.split = split;
    }
  }
  if (!out.split && !archive.empty()) {
    out.split = SplitFromPath(archive);
  }
  return out;
}

class PictureImport {
 public:
  explicit PictureImport(FormatContext& context) : context_(context) {}

  Status Run() {
    ATELIER_TRY(CheckOptions());
    ATELIER_TRY(ForEachPicture(1, [&](const std::string& path, const std::string& archive, const Reading& /*read*/) {
      return Collect(path, archive);
    }));
    if (codes_.empty()) {
      return InvalidArgument("there are no pictures (PNG, JPEG, BMP, GIF or WebP)", "files", "invalid_file");
    }
    ATELIER_TRY(BeginTable());
    return ForEachPicture(2, [&](const std::string& path, const std::string& archive, const Reading& read) {
      return Add(path, archive, read);
    });
  }

 private:
  using Reading = std::function<Result<std::string>(uint64_t)>;
  using Visit = std::function<Status(const std::string& path, const std::string& archive, const Reading& read)>;

  Status CheckOptions() const {
    const ImportOptions& options = context_.options;
    if (!options.target.empty() && options.target != "label") {
      return InvalidArgument("the target of pictures is 'label'", "target");
    }
    if (options.task == "regression") {
      return InvalidArgument("the labels of pictures are for classification", "task");
    }
    if (!options.types.empty()) {
      return InvalidArgument("the columns of pictures have fixed types", "types");
    }
    return {};
  }

  // Whether to take the file; warns, in the first pass, where not.
  bool Wanted(const std::string& path, const std::string& where, int pass) {
    if (IsPicture(path)) {
      if (!IsSystemFile(path)) {
        return true;
      }
      skipped_ += pass == 1 ? 1 : 0;
      return false;
    }
    if (pass == 1) {
      if (IsSystemFile(path)) {
        ++skipped_;
      } else {
        context_.table.Warn(
            where + (IsArchive(path) ? ": left out, as an archive in an archive" : ": left out, as it is no picture"));
      }
    }
    return false;
  }

  Status ForEachPicture(int pass, const Visit& visit) {
    skipped_ = 0;
    for (const auto& file : context_.files) {
      if (IsArchive(file.path)) {
        ATELIER_TRY(VisitArchive(file, pass, visit));
      } else if (Wanted(file.path, file.path, pass)) {
        if (pass == 2) {
          context_.meter.Add(file.blob.size * static_cast<uint64_t>(kImagesFormat.passes));
        }
        ATELIER_TRY(visit(file.path, "", [&](uint64_t max_bytes) {
          return storage::ReadAll(context_.blobs, file.blob.sha256, max_bytes);
        }));
      }
    }
    if (pass == 1 && skipped_ > 0) {
      context_.table.Warn(std::to_string(skipped_) + " hidden files were left out");
    }
    return {};
  }

  Status VisitArchive(const SourceFile& file, int pass, const Visit& visit) {
    ATELIER_ASSIGN(local, context_.blobs.LocalPath(file.blob.sha256));
    return WalkArchive(
        local, file.path, ArchiveLimits{}, [&](uint64_t bytes) { context_.meter.Add(bytes); },
        [&](const ArchiveEntry& entry) -> Status {
          return Wanted(entry.path, file.path + ": " + entry.path, pass) ? visit(entry.path, file.path, entry.read)
                                                                         : Status();
        });
  }

  Status Collect(const std::string& path, const std::string& archive) {
    if (archive.empty() && !seen_.insert(LowerAscii(path)).second) {
      return InvalidArgument(path + ": the name occurs twice, or differs from another in case only", "files",
                             "invalid_file");
    }
    ATELIER_ASSIGN(place, Locate(path, archive));
    codes_.emplace(place.label, 0);
    return {};
  }

  Status BeginTable() {
    seen_.clear();
    Manifest schema;
    schema.format = "images";
    Column image{.name = "image", .type = ColumnType::kImage};
    Column label{.name = "label", .type = ColumnType::kCategory};
    for (auto& [name, code] : codes_) {
      code = static_cast<int32_t>(label.categories.size());
      label.categories.push_back(name);
    }
    schema.columns = {std::move(image), std::move(label)};
    if (context_.options.task != "none") {
      schema.target = "label";
      schema.task = Task::kClassification;
    }
    return context_.table.Begin(std::move(schema));
  }

  Status Add(const std::string& path, const std::string& archive, const Reading& read) {
    const std::string where = archive.empty() ? path : archive + ": " + path;
    ATELIER_ASSIGN(place, Locate(path, archive));
    ATELIER_ASSIGN(bytes, read(media::ImageLimits{}.max_bytes));
    if (auto image = media::Decode(bytes, 3); !image.ok()) {
      Error error = std::move(image).error();
      error.message = where + ": " + error.message;
      error.param = "files";
      return error;
    }
    const auto code = codes_.find(place.label);
    if (code == codes_.end()) {
      return Internal("a label appeared between two passes");
    }
    context_.table.SetBytes(0, bytes);
    context_.table.SetCategory(1, code->second);
    return context_.table.EndRow(place.split);
  }

  FormatContext& context_;
  std::map<std::string, int32_t> codes_;
  std::set<std::string> seen_;
  int64_t skipped_ = 0;
};

bool Claims(std::string_view path) { return IsPicture(path) || IsArchive(path); }

Status Read(FormatContext& context) { return PictureImport(context).Run(); }

}  // namespace

const Format kImagesFormat{.name = "images", .passes = 2, .claims = Claims, .read = Read};

}  // namespace atelier::data
