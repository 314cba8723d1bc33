#include "access/keys.h"

#include <memory>
#include <unordered_map>

#include "access/hasher.h"
#include "access/key_rows.h"
#include "base/guarded.h"
#include "base/ids.h"
#include "storage/files.h"

namespace atelier::access {
namespace {

constexpr size_t kMaxNameBytes = 200;
constexpr int64_t kMaxKeys = 10000;
constexpr size_t kHintBytes = kSecretPrefix.size() + 4;

using Book = std::unordered_map<std::string, Key>;  // by hash

Error Refused() { return MakeError(Code::kUnauthenticated, "the API key is not valid", "invalid_api_key"); }

Status ValidateKey(const std::string& name, std::optional<int64_t> expires_ms, int64_t now_ms) {
  if (name.size() > kMaxNameBytes || !IsUtf8(name) || name.find('\0') != std::string::npos) {
    return InvalidArgument("a key's name is UTF-8 text of at most 200 bytes", "name");
  }
  if (expires_ms && *expires_ms <= now_ms) {
    return InvalidArgument("a key expires in the future", "expires_at");
  }
  return {};
}

class CatalogueKeys final : public Keys {
 public:
  CatalogueKeys(storage::Catalogue& catalogue, Clock& clock, Rng& rng, std::filesystem::path data_dir, Hasher hasher)
      : catalogue_(catalogue),
        clock_(clock),
        rng_(rng),
        data_dir_(std::move(data_dir)),
        hasher_(std::move(hasher)),
        book_(std::make_shared<const Book>()) {}

  Status Load() {
    Book book;
    ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
      for (auto& row : SelectKeys(session)) {
        book.emplace(std::move(row.hash), std::move(row.key));
      }
      return {};
    }));
    book_.With([&](auto& current) { current = std::make_shared<const Book>(std::move(book)); });
    return {};
  }

  Status EnsureOwner() override {
    if (!Snapshot()->empty()) {
      return {};
    }
    auto [row, secret] = Make("owner", Role::kOwner, std::nullopt);
    // The file first: a key that is valid but written nowhere would lock everybody out.
    ATELIER_TRY(storage::ReplaceFileDurably(data_dir_ / "owner.key", secret + "\n", 0600));
    ATELIER_TRY(Insert(row));
    return {};
  }

  Result<Key> Authenticate(std::string_view secret) const override {
    const std::string hash = hasher_.Hash(secret);
    const auto book = Snapshot();
    const auto found = book->find(hash);
    if (found == book->end() || secret.size() > Hasher::kMaxTextBytes) {
      return Refused();
    }
    const Key& key = found->second;
    if (key.revoked_ms || (key.expires_ms && *key.expires_ms <= clock_.UnixMs())) {
      return Refused();
    }
    return key;
  }

  Result<CreatedKey> Create(const std::string& name, Role role, std::optional<int64_t> expires_ms) override {
    ATELIER_TRY(ValidateKey(name, expires_ms, clock_.UnixMs()));
    auto [row, secret] = Make(name, role, expires_ms);
    ATELIER_TRY(Insert(row));
    return CreatedKey{std::move(row.key), std::move(secret)};
  }

  Result<std::vector<Key>> List() override {
    std::vector<Key> keys;
    ATELIER_TRY(catalogue_.Read([&](soci::session& session) -> Status {
      for (auto& row : SelectKeys(session)) {
        keys.push_back(std::move(row.key));
      }
      return {};
    }));
    return keys;
  }

  Result<Key> Revoke(const std::string& id) override {
    KeyRow revoked;
    const int64_t now_ms = clock_.UnixMs();
    ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
      if (!SelectKey(session, id)) {
        return NotFound("there is no key '" + id + "'", "key_not_found");
      }
      const bool had_owner = CountLiveOwners(session, now_ms) > 0;
      MarkRevoked(session, id, now_ms);
      if (had_owner && CountLiveOwners(session, now_ms) == 0) {
        return FailedPrecondition("this is the last owner's key; create another before revoking it", "last_owner_key");
      }
      revoked = *SelectKey(session, id);
      return {};
    }));
    Remember(revoked);
    return revoked.key;
  }

 private:
  std::pair<KeyRow, std::string> Make(const std::string& name, Role role, std::optional<int64_t> expires_ms) {
    std::string secret = NewSecret(rng_);
    KeyRow row{Key{NewId("key_", rng_), name, role, secret.substr(0, kHintBytes), clock_.UnixMs(), expires_ms},
               hasher_.Hash(secret)};
    return {std::move(row), std::move(secret)};
  }

  Status Insert(const KeyRow& row) {
    ATELIER_TRY(catalogue_.Write([&](soci::session& session) -> Status {
      if (CountKeys(session) >= kMaxKeys) {
        return MakeError(Code::kResourceExhausted, "there are too many keys", "too_many_keys");
      }
      InsertKey(session, row);
      return {};
    }));
    Remember(row);
    return {};
  }

  // Readers go on with the book they have; the next look sees the change.
  void Remember(const KeyRow& row) {
    book_.With([&](auto& current) {
      auto changed = std::make_shared<Book>(*current);
      (*changed)[row.hash] = row.key;
      current = std::move(changed);
    });
  }

  std::shared_ptr<const Book> Snapshot() const {
    return book_.With([](const auto& current) { return current; });
  }

  storage::Catalogue& catalogue_;
  Clock& clock_;
  Rng& rng_;
  std::filesystem::path data_dir_;
  Hasher hasher_;
  // Shared, so that a look-up holds no lock while a change swaps the book.
  Guarded<std::shared_ptr<const Book>> book_;
};

}  // namespace

std::string_view Name(Role role) { return role == Role::kOwner ? "owner" : "member"; }

Result<std::unique_ptr<Keys>> Keys::Open(storage::Catalogue& catalogue, Clock& clock, Rng& rng,
                                         const std::filesystem::path& data_dir) {
  int64_t count = 0;
  ATELIER_TRY(catalogue.Read([&](soci::session& session) -> Status {
    count = CountKeys(session);
    return {};
  }));
  ATELIER_ASSIGN(hasher, Hasher::Open(data_dir, rng, count == 0));
  auto keys = std::make_unique<CatalogueKeys>(catalogue, clock, rng, data_dir, std::move(hasher));
  ATELIER_TRY(keys->Load());
  return std::unique_ptr<Keys>(std::move(keys));
}

}  // namespace atelier::access
