#include "atelier/cli/collect.h"

#include <algorithm>
#include <filesystem>
#include <set>

#include "atelier/cli/values.h"

namespace atelier::cli {
namespace {

namespace fs = std::filesystem;

// What lies beside data but is not data.
bool IsBeside(const fs::path& path) {
  const std::string name = path.filename().string();
  std::string stem = path.stem().string();
  std::transform(stem.begin(), stem.end(), stem.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  return name.starts_with('.') || stem == "LICENSE" || stem == "LICENCE" || stem == "README" || stem == "SHA256SUMS" ||
         path.extension() == ".md";
}

// Every regular file below a folder, sorted by path, so that the same folder always gives the same archive. Symbolic
// links to folders are not followed.
Result<std::vector<TarEntry>> Walk(const fs::path& folder, std::vector<std::string>& skipped) {
  std::vector<TarEntry> entries;
  std::error_code ec;
  fs::recursive_directory_iterator walk(folder, ec);
  for (const fs::recursive_directory_iterator end; !ec && walk != end; walk.increment(ec)) {
    const fs::path& path = walk->path();
    if (walk->is_directory(ec)) {
      if (path.filename().string().starts_with('.')) {
        walk.disable_recursion_pending();
      }
      continue;
    }
    const std::string name = path.lexically_relative(folder).generic_string();
    if (!walk->is_regular_file(ec) || IsBeside(path)) {
      skipped.push_back(name);
      continue;
    }
    entries.push_back({name, path, walk->file_size(ec)});
  }
  if (ec) {
    return Usage("cannot read the folder '" + folder.string() + "': " + ec.message());
  }
  std::sort(entries.begin(), entries.end(), [](const auto& a, const auto& b) { return a.name < b.name; });
  return entries;
}

std::string FolderName(const fs::path& folder) {
  std::error_code ec;
  const fs::path whole = fs::canonical(folder, ec);
  const std::string name = whole.filename().string();
  return ec || name.empty() ? "folder" : name;
}

Status AddFolder(const fs::path& folder, bool with_name, Collection& out) {
  ATELIER_ASSIGN(entries, Walk(folder, out.skipped));
  if (entries.empty()) {
    return Usage("the folder '" + folder.string() + "' holds no files");
  }
  const std::string name = FolderName(folder);
  if (entries.size() > kTarFrom) {
    out.files.push_back({name + ".tar", MakeTar(std::move(entries))});
    return {};
  }
  for (const auto& entry : entries) {
    ATELIER_ASSIGN(source, OpenFile(entry.path));
    out.files.push_back({with_name ? name + "/" + entry.name : entry.name, std::move(source)});
  }
  return {};
}

}  // namespace

Result<Collection> Collect(const std::vector<std::string>& paths) {
  Collection out;
  for (const auto& text : paths) {
    const fs::path path(text);
    std::error_code ec;
    if (fs::is_directory(path, ec)) {
      ATELIER_TRY(AddFolder(path, paths.size() > 1, out));
    } else if (fs::exists(path, ec)) {
      ATELIER_ASSIGN(source, OpenFile(path));
      out.files.push_back({path.filename().string(), std::move(source)});
    } else {
      return Usage("there is no file or folder '" + text + "'");
    }
  }
  std::set<std::string> seen;
  for (const auto& file : out.files) {
    if (!seen.insert(file.path).second) {
      return Usage("two files would be called '" + file.path + "'");
    }
  }
  return out;
}

}  // namespace atelier::cli
