// Pictures or recordings in folders that name their labels: [train|validation|test]/LABEL/file or LABEL/file, as files
// or inside an archive. They stay encoded; each is decoded once here, so that a damaged one is found now and not in
// training.
#include "data/images/images.h"

#include <algorithm>
#include <map>
#include <set>

#include "data/formats/archive.h"
#include "data/formats/paths.h"
#include "media/image.h"
#include "media/sound.h"

namespace atelier::data {
namespace {

constexpr int kPasses = 2;

// What the files are.
struct Medium {
  std::string_view name;    // of one
  std::string_view column;  // its name
  ColumnType type;
  std::string_view kinds;  // that can be read
  bool (*claims)(std::string_view path);
  uint64_t max_bytes;
  Status (*check)(std::string_view bytes);  // decodes it
};

const Medium kPictures{"picture",
                       "image",
                       ColumnType::kImage,
                       "PNG, JPEG, BMP, GIF or WebP",
                       IsPicture,
                       media::ImageLimits{}.max_bytes,
                       [](std::string_view bytes) -> Status {
                         ATELIER_TRY(media::Decode(bytes, 3));
                         return {};
                       }};
const Medium kRecordings{"recording",
                         "audio",
                         ColumnType::kAudio,
                         "WAV, AIFF, FLAC, Ogg or MP3",
                         IsRecording,
                         media::SoundLimits{}.max_bytes,
                         [](std::string_view bytes) -> Status {
                           ATELIER_TRY(media::DecodeSound(bytes));
                           return {};
                         }};

struct Place {
  std::string label;
  std::optional<Split> split;
};

// What the folders of a file say. `archive` is the name of the archive around it, or empty.
Result<Place> Locate(const std::string& path, const std::string& archive) {
  const auto components = Components(path);
  const std::string where = archive.empty() ? path : archive + ": " + path;
  // A split is no label: "train/1.png" is a picture without one, "x/train/1.png" too.
  if (components.size() < 2 || SplitFromWord(components[components.size() - 2])) {
    return InvalidArgument(where +
                               ": the file is in no folder that names its label, as in LABEL/file or "
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

class FolderImport {
 public:
  FolderImport(FormatContext& context, const Medium& medium) : context_(context), medium_(medium) {}

  Status Run() {
    ATELIER_TRY(CheckOptions());
    ATELIER_TRY(ForEachFile(1, [&](const std::string& path, const std::string& archive, const Reading& /*read*/) {
      return Collect(path, archive);
    }));
    if (codes_.empty()) {
      return InvalidArgument("there are no " + std::string(medium_.name) + "s (" + std::string(medium_.kinds) + ")",
                             "files", "invalid_file");
    }
    ATELIER_TRY(BeginTable());
    return ForEachFile(2, [&](const std::string& path, const std::string& archive, const Reading& read) {
      return Add(path, archive, read);
    });
  }

 private:
  using Reading = std::function<Result<std::string>(uint64_t)>;
  using Visit = std::function<Status(const std::string& path, const std::string& archive, const Reading& read)>;

  Status CheckOptions() const {
    const ImportOptions& options = context_.options;
    if (!options.target.empty() && options.target != "label") {
      return InvalidArgument("the target of such files is 'label'", "target");
    }
    if (options.task == "regression") {
      return InvalidArgument("the labels of folders are for classification", "task");
    }
    if (!options.types.empty()) {
      return InvalidArgument("the columns of such files have fixed types", "types");
    }
    return {};
  }

  // Whether to take the file; warns, in the first pass, where not.
  bool Wanted(const std::string& path, const std::string& where, int pass) {
    if (medium_.claims(path)) {
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
        context_.table.Warn(where + (IsArchive(path) ? ": left out, as an archive in an archive"
                                                     : ": left out, as it is no " + std::string(medium_.name)));
      }
    }
    return false;
  }

  Status ForEachFile(int pass, const Visit& visit) {
    skipped_ = 0;
    for (const auto& file : context_.files) {
      if (IsArchive(file.path)) {
        ATELIER_TRY(VisitArchive(file, pass, visit));
      } else if (Wanted(file.path, file.path, pass)) {
        if (pass == 2) {
          context_.meter.Add(file.blob.size * static_cast<uint64_t>(kPasses));
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
    schema.format = medium_.type == ColumnType::kImage ? "images" : "audio";
    Column file{.name = std::string(medium_.column), .type = medium_.type};
    Column label{.name = "label", .type = ColumnType::kCategory};
    for (auto& [name, code] : codes_) {
      code = static_cast<int32_t>(label.categories.size());
      label.categories.push_back(name);
    }
    schema.columns = {std::move(file), std::move(label)};
    if (context_.options.task != "none") {
      schema.target = "label";
      schema.task = Task::kClassification;
    }
    return context_.table.Begin(std::move(schema));
  }

  Status Add(const std::string& path, const std::string& archive, const Reading& read) {
    const std::string where = archive.empty() ? path : archive + ": " + path;
    ATELIER_ASSIGN(place, Locate(path, archive));
    ATELIER_ASSIGN(bytes, read(medium_.max_bytes));
    if (auto status = medium_.check(bytes); !status.ok()) {
      Error error = std::move(status).error();
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
  const Medium& medium_;
  std::map<std::string, int32_t> codes_;
  std::set<std::string> seen_;
  int64_t skipped_ = 0;
};

template <const Medium& medium>
bool Claims(std::string_view path) {
  return medium.claims(path) || IsArchive(path);
}

// An archive without a picture may hold recordings.
Result<bool> HoldsPictures(FormatContext& context) {
  for (const auto& file : context.files) {
    if (!IsArchive(file.path)) {
      return true;
    }
    ATELIER_ASSIGN(local, context.blobs.LocalPath(file.blob.sha256));
    ATELIER_ASSIGN(reader, ArchiveReader::Open(local, file.path));
    while (true) {
      ATELIER_ASSIGN(member, reader->Next());
      if (!member) {
        break;
      }
      if (IsPicture(member->path) && !IsSystemFile(member->path)) {
        return true;
      }
    }
  }
  return false;
}

template <const Medium& medium>
Status Read(FormatContext& context) {
  return FolderImport(context, medium).Run();
}

}  // namespace

const Format kImagesFormat{.name = "images",
                           .passes = kPasses,
                           .claims = Claims<kPictures>,
                           .read = Read<kPictures>,
                           .accepts = HoldsPictures};
const Format kAudioFormat{.name = "audio", .passes = kPasses, .claims = Claims<kRecordings>, .read = Read<kRecordings>};

}  // namespace atelier::data
