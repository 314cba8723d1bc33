// How a blob is named in JSON that this program writes: {"sha256", "size"}.
#pragma once

#include <string>

#include "base/json.h"
#include "storage/blob_store.h"

namespace atelier::storage {

json::object ToJson(const BlobRef& blob);

// Errors: kInvalidArgument naming the field under `path`.
Result<BlobRef> BlobRefFromJson(const json::object& object, const std::string& path);

}  // namespace atelier::storage
