#include "data/formats/members.h"

#include <algorithm>

#include "data/formats/archive.h"
#include "data/formats/paths.h"

namespace atelier::data {
namespace {

// "pets" of "a/pets.tar.gz": what such an archive mostly unpacks to, and may name a split.
std::string FolderOf(const std::string& path) {
  const std::string_view name = FileName(path);
  std::string_view stem = name.substr(0, name.rfind('.'));
  if (LowerAscii(stem).ends_with(".tar")) {
    stem.remove_suffix(4);
  }
  return path.substr(0, path.size() - name.size()) + std::string(stem);
}

bool IsMedium(const std::string& path) { return IsPicture(path) || IsRecording(path); }

// Whether to take a member; warns where that is no matter of course.
bool Wanted(const SourceFile& archive, const std::string& member, std::vector<std::string>& warnings) {
  if (IsSystemFile(member)) {
    return false;
  }
  if (IsArchive(member) || IsBesideData(member)) {
    warnings.push_back(archive.path + ": " + member + ": left out, as " +
                       (IsArchive(member) ? "an archive in an archive" : "it is no data"));
    return false;
  }
  return true;
}

}  // namespace

Status ExpandArchives(storage::BlobStore& blobs, bool keep_media, TableBuilder& table, std::vector<SourceFile>& files) {
  if (keep_media && std::ranges::any_of(files, [](const auto& file) { return IsMedium(file.path); })) {
    return {};
  }
  std::vector<SourceFile> out;
  std::vector<std::string> warnings;
  for (const auto& file : files) {
    if (!IsArchive(file.path)) {
      out.push_back(file);
      continue;
    }
    ATELIER_ASSIGN(local, blobs.LocalPath(file.blob.sha256));
    ATELIER_ASSIGN(reader, ArchiveReader::Open(local, file.path));
    while (true) {
      ATELIER_ASSIGN(member, reader->Next());
      if (!member) {
        break;
      }
      if (keep_media && IsMedium(member->path) && !IsSystemFile(member->path)) {
        return {};
      }
      if (Wanted(file, member->path, warnings)) {
        out.push_back({FolderOf(file.path) + "/" + member->path, file.blob, member->path});
      }
    }
  }
  if (out.empty() && !files.empty()) {
    return InvalidArgument(files.front().path + ": there is no file in it that could be imported", "files",
                           "invalid_archive");
  }
  for (auto& warning : warnings) {
    table.Warn(std::move(warning));
  }
  files = std::move(out);
  return {};
}

}  // namespace atelier::data
