#include "data/formats/paths.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "base/ids.h"

namespace atelier::data {
namespace {

constexpr size_t kMaxPathBytes = 1024;
constexpr std::array<std::string_view, 10> kArchives{".zip", ".tar", ".tar.gz",  ".tgz", ".tar.xz",
                                                     ".txz", ".7z",  ".tar.bz2", ".rar", ".tar.zst"};
constexpr std::array<std::string_view, 17> kPictures{".png",  ".jpg", ".jpeg", ".jpe",  ".bmp",  ".gif",
                                                     ".webp", ".tif", ".tiff", ".svg",  ".heic", ".heif",
                                                     ".ico",  ".jp2", ".psd",  ".avif", ".ppm"};

constexpr std::array<std::string_view, 8> kRecordings{".wav", ".flac", ".ogg",  ".oga",
                                                      ".mp3", ".opus", ".aiff", ".aif"};

template <size_t N>
bool EndsWithAny(std::string_view path, const std::array<std::string_view, N>& endings) {
  const std::string lower = LowerAscii(FileName(path));
  return std::ranges::any_of(endings, [&](std::string_view ending) { return lower.ends_with(ending); });
}

}  // namespace

std::string LowerAscii(std::string_view text) {
  std::string out(text);
  for (char& c : out) {
    if (c >= 'A' && c <= 'Z') {
      c = static_cast<char>(c - 'A' + 'a');
    }
  }
  return out;
}

std::vector<std::string_view> Components(std::string_view path) {
  std::vector<std::string_view> out;
  while (!path.empty()) {
    const size_t slash = std::min(path.find('/'), path.size());
    const std::string_view component = path.substr(0, slash);
    if (!component.empty() && component != ".") {
      out.push_back(component);
    }
    path.remove_prefix(std::min(slash + 1, path.size()));
  }
  return out;
}

std::string_view FileName(std::string_view path) {
  const size_t slash = path.rfind('/');
  return slash == std::string_view::npos ? path : path.substr(slash + 1);
}

std::string DataExtension(std::string_view path) {
  std::string name = LowerAscii(FileName(path));
  if (name.ends_with(".gz")) {
    name.resize(name.size() - 3);
  }
  const size_t dot = name.rfind('.');
  return dot == std::string::npos ? "" : name.substr(dot + 1);
}

std::optional<Split> SplitFromWord(std::string_view word) {
  const std::string lower = LowerAscii(word);
  if (lower == "train" || lower == "training") {
    return Split::kTrain;
  }
  if (lower == "test" || lower == "testing" || lower == "t10k" || lower == "testb") {
    return Split::kTest;
  }
  if (lower == "validation" || lower == "valid" || lower == "val" || lower == "dev" || lower == "testa") {
    return Split::kValidation;
  }
  return std::nullopt;
}

std::optional<Split> SplitFromPath(std::string_view path) {
  const auto components = Components(path);
  if (components.empty()) {
    return std::nullopt;
  }
  for (std::string_view name = components.back(); !name.empty();) {
    const size_t dot = std::min(name.find('.'), name.size());
    if (auto split = SplitFromWord(name.substr(0, dot))) {
      return split;
    }
    name.remove_prefix(std::min(dot + 1, name.size()));
  }
  for (size_t i = 0; i + 1 < components.size(); ++i) {
    if (auto split = SplitFromWord(components[i])) {
      return split;
    }
  }
  return std::nullopt;
}

bool IsSystemFile(std::string_view path) {
  for (const std::string_view component : Components(path)) {
    const std::string lower = LowerAscii(component);
    if (lower.starts_with(".") || lower == "__macosx" || lower == "thumbs.db" || lower == "desktop.ini") {
      return lower != "..";
    }
  }
  return false;
}

bool IsBesideData(std::string_view path) {
  const std::string name = LowerAscii(FileName(path));
  const std::string stem = name.substr(0, name.find('.'));
  return stem == "license" || stem == "licence" || stem == "readme" || stem == "sha256sums";
}

bool IsArchive(std::string_view path) { return EndsWithAny(path, kArchives); }

bool IsRecording(std::string_view path) { return EndsWithAny(path, kRecordings); }

bool IsPicture(std::string_view path) { return EndsWithAny(path, kPictures); }

Status CheckPath(std::string_view path) {
  const auto unsafe = [&](const char* why) {
    std::string shown(path.substr(0, 200));
    if (!IsUtf8(shown)) {
      shown = "(not UTF-8)";
    }
    std::ranges::replace_if(
        shown, [](unsigned char c) { return c < 0x20 || c == 0x7F; }, '?');
    return InvalidArgument("the path '" + shown + "' " + why, "path", "unsafe_path");
  };
  if (path.empty() || path.size() > kMaxPathBytes || !IsUtf8(path)) {
    return unsafe("is empty, too long or no UTF-8");
  }
  if (std::ranges::any_of(path, [](unsigned char c) { return c < 0x20 || c == 0x7F || c == '\\'; })) {
    return unsafe("has a control character or a backslash");
  }
  if (path.front() == '/' || (path.size() > 1 && path[1] == ':' && std::isalpha(static_cast<unsigned char>(path[0])))) {
    return unsafe("is absolute");
  }
  const auto components = Components(path);
  if (components.empty() || std::ranges::find(components, "..") != components.end()) {
    return unsafe("leads out of its folder");
  }
  return {};
}

}  // namespace atelier::data
