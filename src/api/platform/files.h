// What the file and upload routes share.
#pragma once

#include <memory>
#include <string>

#include "api/request.h"
#include "api/services.h"
#include "data/files.h"

namespace atelier::api::platform {

Status CheckPurpose(const std::string& purpose);
// Seconds that a file lives, of expires_after: {"anchor": "created_at", "seconds": 3600..2592000}. Its form fields are
// expires_after[anchor] and expires_after[seconds]. 0: for ever. Errors: kInvalidArgument.
Result<int64_t> LifeSeconds(const json::object* expires_after);
json::object FileObject(const data::File& file);

// Answers with a blob's bytes, or the one range of them that the request asks for (RFC 9110, section 14).
Result<Response> BlobResponse(const Services& services, const Request& request, const storage::BlobRef& blob,
                              const std::string& filename);

}  // namespace atelier::api::platform
