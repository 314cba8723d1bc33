// API keys as rows of the catalogue.
#pragma once

#include <soci/soci.h>

#include <optional>
#include <string>
#include <vector>

#include "access/keys.h"

namespace atelier::access {

struct KeyRow {
  Key key;
  std::string hash;  // 64 hexadecimal digits
};

// All of them let SQL exceptions out, for the catalogue to turn into errors.
std::vector<KeyRow> SelectKeys(soci::session& session);  // oldest first
int64_t CountKeys(soci::session& session);
// Owners' keys that open the door at `now_ms`.
int64_t CountLiveOwners(soci::session& session, int64_t now_ms);
std::optional<KeyRow> SelectKey(soci::session& session, const std::string& id);
void InsertKey(soci::session& session, const KeyRow& row);
void MarkRevoked(soci::session& session, const std::string& id, int64_t at_ms);

}  // namespace atelier::access
