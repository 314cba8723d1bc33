// API keys. Only a keyed hash of a key is stored (BLAKE2b of libsodium under a secret kept beside the catalogue).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/rng.h"
#include "storage/catalogue.h"

namespace atelier::access {

std::span<const storage::Migration> Migrations();

enum class Role { kOwner, kMember };  // a member may not manage keys
std::string_view Name(Role role);     // "owner" | "member"

struct Key {
  std::string id;    // key_...
  std::string name;  // for people; any text of at most 200 bytes
  Role role = Role::kMember;
  std::string hint;  // the first characters of the secret, to recognise it
  int64_t created_ms = 0;
  std::optional<int64_t> expires_ms{};
  std::optional<int64_t> revoked_ms{};
};

struct CreatedKey {
  Key key;
  std::string secret;  // "sk-atelier-..."; shown once, stored nowhere
};

// Thread-safe. Authenticate touches no disk: the hashes are in memory and follow every change at once.
class Keys {
 public:
  // Opens the store; makes the hashing secret DATA_DIR/secret.key (mode 0600) when absent. Errors: kFailedPrecondition
  // "secret_key_missing" when it is absent but keys exist, "secret_key_invalid".
  static Result<std::unique_ptr<Keys>> Open(storage::Catalogue& catalogue, Clock& clock, Rng& rng,
                                            const std::filesystem::path& data_dir);
  virtual ~Keys() = default;

  // On a store without any key: creates the owner's and writes it to DATA_DIR/owner.key (mode 0600, fsync) before it
  // becomes valid.
  virtual Status EnsureOwner() = 0;
  // Constant work for every wrong key. Errors: kUnauthenticated "invalid_api_key", the same for unknown, revoked and
  // expired.
  virtual Result<Key> Authenticate(std::string_view secret) const = 0;
  // Errors: kInvalidArgument on `name` or `expires_at`; kResourceExhausted "too_many_keys".
  virtual Result<CreatedKey> Create(const std::string& name, Role role, std::optional<int64_t> expires_ms) = 0;
  virtual Result<std::vector<Key>> List() = 0;
  // In force when it returns; revoking twice keeps the first time. Errors: kNotFound "key_not_found";
  // kFailedPrecondition "last_owner_key" where nobody could manage keys any more.
  virtual Result<Key> Revoke(const std::string& id) = 0;
};

}  // namespace atelier::access
