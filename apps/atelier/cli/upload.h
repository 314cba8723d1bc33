// Sending a file to the server, so that a broken transfer goes on where it stopped.
#pragma once

#include <string>

#include "atelier/cli/api.h"
#include "atelier/cli/progress.h"
#include "atelier/cli/source.h"
#include "base/result.h"

namespace atelier::cli {

inline constexpr uint64_t kWholeUpTo = 8ULL << 20U;  // larger files are sent in parts
inline constexpr uint64_t kPartBytes = 16ULL << 20U;

// Returns the file's id. Up to kWholeUpTo in one request; larger ones through /v1/uploads: hashed first, parts that the
// server has already are checked by their SHA-256 and not sent again, a part whose connection breaks is sent again
// (three times), and the whole is verified by the server. After any error, calling it again goes on.
Result<std::string> SendFile(Api& api, const std::string& name, Source& source, Progress& progress);

}  // namespace atelier::cli
