#include "jobs/log_file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include "base/ids.h"
#include "storage/files.h"

namespace atelier::jobs {
namespace {

constexpr size_t kLastLineBytes = 300;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0U) == 0x80; }

// Length of the well-formed UTF-8 character at the front, or 0.
size_t CharacterLength(std::string_view text) {
  const auto first = static_cast<unsigned char>(text[0]);
  const size_t length = first < 0x80 ? 1 : (first >= 0xF0 ? 4 : (first >= 0xE0 ? 3 : 2));
  return text.size() >= length && IsUtf8(text.substr(0, length)) ? length : 0;
}

bool IsControl(std::string_view character) {
  const auto first = static_cast<unsigned char>(character[0]);
  if (character.size() == 1) {
    return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7F;
  }
  return first == 0xC2 && static_cast<unsigned char>(character[1]) < 0xA0;  // C1, which terminals obey too
}

void AppendEscaped(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits = "0123456789abcdef";
  for (const char c : bytes) {
    const auto value = static_cast<unsigned char>(c);
    out += "\\x";
    out += kDigits[value >> 4U];
    out += kDigits[value & 15U];
  }
}

// Bytes [from, from + size) of the file, fewer where it ends.
Result<std::string> ReadRange(int fd, int64_t from, size_t size) {
  std::string bytes(size, '\0');
  size_t have = 0;
  while (have < size) {
    const ssize_t n = ::pread(fd, bytes.data() + have, size - have, from + static_cast<int64_t>(have));
    if (n < 0 && errno == EINTR) {
      continue;
    }
    if (n < 0) {
      return Internal(std::string("reading the log failed: ") + std::strerror(errno));
    }
    if (n == 0) {
      break;
    }
    have += static_cast<size_t>(n);
  }
  bytes.resize(have);
  return bytes;
}

// The end of the file, not before byte `from`. `cut` says whether something precedes it.
Result<std::string> ReadEnd(const std::filesystem::path& file, int64_t from, size_t max_bytes, bool& cut) {
  cut = false;
  const storage::FileDescriptor fd(::open(file.c_str(), O_RDONLY | O_CLOEXEC | O_NOFOLLOW));
  struct stat info {};
  if (!fd.valid() && errno == ENOENT) {
    return std::string();
  }
  if (!fd.valid() || ::fstat(fd.get(), &info) != 0) {
    return Internal(std::string("the log cannot be opened: ") + std::strerror(errno));
  }
  const int64_t wanted = static_cast<int64_t>(std::min<size_t>(max_bytes, static_cast<size_t>(info.st_size)));
  const int64_t start = std::max(from, info.st_size - wanted);
  if (start >= info.st_size) {
    return std::string();
  }
  cut = start > from;
  return ReadRange(fd.get(), start, static_cast<size_t>(info.st_size - start));
}

}  // namespace

std::string EscapeControls(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  while (!text.empty()) {
    const size_t length = CharacterLength(text);
    const std::string_view character = text.substr(0, std::max<size_t>(length, 1));
    if (length == 0 || IsControl(character)) {
      AppendEscaped(out, character);
    } else {
      out += character;
    }
    text.remove_prefix(character.size());
  }
  return out;
}

Result<std::string> ReadLogTail(const std::filesystem::path& file, size_t max_bytes) {
  bool cut = false;
  ATELIER_ASSIGN(bytes, ReadEnd(file, 0, max_bytes, cut));
  std::string_view text = bytes;
  for (int i = 0; cut && i < 3 && !text.empty() && IsContinuation(text[0]); ++i) {
    text.remove_prefix(1);
  }
  return EscapeControls(text);
}

std::string LastLogLine(const std::filesystem::path& file, int64_t from) {
  constexpr size_t kWindow = 8192;
  bool cut = false;
  const auto bytes = ReadEnd(file, from, kWindow, cut);
  if (!bytes.ok()) {
    return "";
  }
  std::string_view text = *bytes;
  const size_t end = text.find_last_not_of(" \t\r\n");
  if (end == std::string_view::npos) {
    return "";
  }
  text = text.substr(0, end + 1);
  const size_t newline = text.rfind('\n');
  text = newline == std::string_view::npos ? text : text.substr(newline + 1);
  size_t length = std::min(text.size(), kLastLineBytes);
  while (length > 0 && length < text.size() && IsContinuation(text[length])) {
    --length;
  }
  return EscapeControls(text.substr(0, length));
}

bool TrimLog(int fd, int64_t max_bytes, int64_t keep_bytes) {
  struct stat info {};
  if (::fstat(fd, &info) != 0 || info.st_size <= max_bytes) {
    return false;
  }
  const auto kept = ReadRange(fd, info.st_size - keep_bytes, static_cast<size_t>(keep_bytes));
  if (!kept.ok() || ::ftruncate(fd, 0) != 0) {
    return false;
  }
  const std::string text = "[earlier output dropped: the log grew beyond its limit]\n" + *kept;
  size_t written = 0;
  while (written < text.size()) {
    const ssize_t n = ::write(fd, text.data() + written, text.size() - written);
    if (n <= 0) {
      break;  // a log that cannot be written must not stop the job
    }
    written += static_cast<size_t>(n);
  }
  return true;
}

}  // namespace atelier::jobs
