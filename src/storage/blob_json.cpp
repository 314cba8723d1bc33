#include "storage/blob_json.h"

#include <limits>

#include "base/ids.h"

namespace atelier::storage {

json::object ToJson(const BlobRef& blob) { return {{"sha256", blob.sha256}, {"size", blob.size}}; }

Result<BlobRef> BlobRefFromJson(const json::object& object, const std::string& path) {
  Fields fields(object, path);
  ATELIER_ASSIGN(sha256, fields.String("sha256"));
  if (!IsSha256(sha256)) {
    return InvalidArgument("'" + path + ".sha256' is no SHA-256", path);
  }
  ATELIER_ASSIGN(size, fields.Int("size", 0, std::numeric_limits<int64_t>::max()));
  return BlobRef{std::move(sha256), static_cast<uint64_t>(size)};
}

}  // namespace atelier::storage
