// The log of a job's processes: reading its end for people, and keeping its size bounded.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"

namespace atelier::jobs {

// `text` with control characters other than '\n' and '\t', and bytes that are not UTF-8, written as \xNN, so that it
// cannot steer a terminal. The result is UTF-8.
std::string EscapeControls(std::string_view text);

// The last `max_bytes` of the file, escaped, beginning at a character; empty where there is no file. Errors: kInternal.
Result<std::string> ReadLogTail(const std::filesystem::path& file, size_t max_bytes);

// The last line that is not blank, from byte `from` on; escaped, at most 300 bytes of it. Empty when there is none.
std::string LastLogLine(const std::filesystem::path& file, int64_t from);

// Once the file is larger than `max_bytes`, keeps only its last `keep_bytes`, behind a line that says so. The process
// goes on appending to the same file; what it writes in the very moment may be lost. Returns whether it cut.
bool TrimLog(int fd, int64_t max_bytes, int64_t keep_bytes);

}  // namespace atelier::jobs
