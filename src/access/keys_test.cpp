#include "access/keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sodium.h>
#include <sys/stat.h>

#include <atomic>
#include <fstream>
#include <regex>
#include <thread>

#include "access/hasher.h"
#include "storage/test_folder.h"

namespace atelier::access {
namespace {

namespace fs = std::filesystem;
using testing::HasSubstr;
using testing::Not;

std::string Slurp(const fs::path& file) {
  std::ifstream input(file, std::ios::binary);
  return std::string(std::istreambuf_iterator<char>(input), {});
}

uint32_t ModeOf(const fs::path& file) {
  struct stat info {};
  return stat(file.c_str(), &info) == 0 ? info.st_mode & 0777U : 0U;
}

class KeysTest : public testing::Test {
 protected:
  void SetUp() override { Open(); }
  void Open() {
    keys_.reset();
    catalogue_.reset();
    catalogue_ = storage::OpenSqliteCatalogue(Database(), Migrations()).value();
    auto opened = Keys::Open(*catalogue_, clock_, rng_, folder_.path());
    ASSERT_TRUE(opened.ok()) << opened.error().message;
    keys_ = std::move(opened).value();
  }
  fs::path Database() const { return folder_ / "catalogue.db"; }
  std::string OwnerSecret() const {
    const std::string text = Slurp(folder_ / "owner.key");
    return text.substr(0, text.find('\n'));
  }
  void ExpectRefused(std::string_view secret) {
    const auto key = keys_->Authenticate(secret);
    ASSERT_FALSE(key.ok()) << secret;
    EXPECT_EQ(key.error().code, Code::kUnauthenticated);
    EXPECT_EQ(key.error().reason, "invalid_api_key");
    EXPECT_EQ(key.error().message, "the API key is not valid");
  }

  storage::TestFolder folder_;
  ManualClock clock_;
  SystemRng rng_;
  std::unique_ptr<storage::Catalogue> catalogue_;
  std::unique_ptr<Keys> keys_;
};

TEST_F(KeysTest, TheOwnersKeyIsMadeOnceAndWrittenForTheOwnerAlone) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  const std::string secret = OwnerSecret();
  EXPECT_TRUE(std::regex_match(secret, std::regex("sk-atelier-[A-Za-z0-9_-]{43}"))) << secret.size();
  EXPECT_EQ(ModeOf(folder_ / "owner.key"), 0600U);
  EXPECT_EQ(ModeOf(folder_ / "secret.key"), 0600U);
  EXPECT_EQ(fs::file_size(folder_ / "secret.key"), 32U);
  const auto key = keys_->Authenticate(secret);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->role, Role::kOwner);
  EXPECT_EQ(key->hint, secret.substr(0, 15));
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  EXPECT_EQ(OwnerSecret(), secret);
  Open();
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  EXPECT_EQ(OwnerSecret(), secret);
  EXPECT_TRUE(keys_->Authenticate(secret).ok());
}

TEST_F(KeysTest, AFileWithoutItsRowIsWrittenAnew) {
  std::ofstream(folder_ / "owner.key") << "sk-atelier-from-a-start-that-was-cut-off\n";
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  EXPECT_TRUE(keys_->Authenticate(OwnerSecret()).ok());
  ExpectRefused("sk-atelier-from-a-start-that-was-cut-off");
}

TEST_F(KeysTest, CreateListAndRevoke) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  const auto created = keys_->Create("鍵 one", Role::kMember, std::nullopt);
  ASSERT_TRUE(created.ok());
  EXPECT_TRUE(created->key.id.starts_with("key_"));
  const auto key = keys_->Authenticate(created->secret);
  ASSERT_TRUE(key.ok());
  EXPECT_EQ(key->name, "鍵 one");
  EXPECT_EQ(key->role, Role::kMember);
  EXPECT_EQ(keys_->List()->size(), 2U);
  clock_.AdvanceMs(10);
  const auto revoked = keys_->Revoke(created->key.id);
  ASSERT_TRUE(revoked.ok());
  EXPECT_EQ(revoked->revoked_ms, clock_.UnixMs());
  ExpectRefused(created->secret);
  clock_.AdvanceMs(10);
  EXPECT_EQ(keys_->Revoke(created->key.id)->revoked_ms, clock_.UnixMs() - 10);
  EXPECT_EQ(keys_->Revoke("key_none").error().reason, "key_not_found");
  Open();
  ExpectRefused(created->secret);
  EXPECT_TRUE(keys_->Authenticate(OwnerSecret()).ok());
}

TEST_F(KeysTest, WrongKeysAreAllRefusedAlike) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  const std::string secret = OwnerSecret();
  std::string changed = secret;
  changed.back() = changed.back() == 'A' ? 'B' : 'A';
  ExpectRefused(changed);
  ExpectRefused("");
  ExpectRefused(secret.substr(1));
  ExpectRefused(secret + "x");
  ExpectRefused(secret + std::string(1, '\0'));
  ExpectRefused(std::string(100'000, 'x'));
  ExpectRefused("sk-atelier-");
}

TEST_F(KeysTest, AKeyExpires) {
  const auto created = keys_->Create("short", Role::kMember, clock_.UnixMs() + 1000);
  ASSERT_TRUE(created.ok());
  clock_.AdvanceMs(999);
  EXPECT_TRUE(keys_->Authenticate(created->secret).ok());
  clock_.AdvanceMs(1);
  ExpectRefused(created->secret);
  EXPECT_EQ(keys_->Create("past", Role::kMember, clock_.UnixMs()).error().param, "expires_at");
}

TEST_F(KeysTest, NamesAreCheckedButFree) {
  EXPECT_EQ(keys_->Create(std::string(201, 'x'), Role::kMember, std::nullopt).error().param, "name");
  EXPECT_EQ(keys_->Create("\xff", Role::kMember, std::nullopt).error().param, "name");
  EXPECT_EQ(keys_->Create(std::string("a\0b", 3), Role::kMember, std::nullopt).error().param, "name");
  EXPECT_TRUE(keys_->Create("'; DROP TABLE api_keys; --", Role::kMember, std::nullopt).ok());
  EXPECT_EQ(keys_->List()->at(0).name, "'; DROP TABLE api_keys; --");
}

TEST_F(KeysTest, TheLastOwnersKeyStays) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  const std::string first = keys_->Authenticate(OwnerSecret())->id;
  ASSERT_TRUE(keys_->Create("member", Role::kMember, std::nullopt).ok());
  const auto refused = keys_->Revoke(first);
  EXPECT_EQ(refused.error().code, Code::kFailedPrecondition);
  EXPECT_EQ(refused.error().reason, "last_owner_key");
  EXPECT_TRUE(keys_->Authenticate(OwnerSecret()).ok());
  ASSERT_TRUE(keys_->Create("second", Role::kOwner, std::nullopt).ok());
  EXPECT_TRUE(keys_->Revoke(first).ok());
  ExpectRefused(OwnerSecret());
}

TEST_F(KeysTest, TheCatalogueKnowsOnlyHashes) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  const auto created = keys_->Create("member", Role::kMember, std::nullopt);
  const auto expect_absent = [&] {
    for (const auto& entry : fs::directory_iterator(folder_.path())) {
      if (entry.path().filename().string().starts_with("catalogue.db")) {
        const std::string bytes = Slurp(entry.path());
        for (const std::string& secret : {created->secret, OwnerSecret()}) {
          EXPECT_THAT(bytes.find(secret.substr(kSecretPrefix.size())), std::string::npos) << entry.path();
          EXPECT_THAT(bytes.find(secret.substr(20)), std::string::npos) << entry.path();
        }
      }
    }
  };
  ASSERT_TRUE(fs::exists(Database().string() + "-wal"));
  EXPECT_NE(Slurp(Database().string() + "-wal").find(created->key.hint), std::string::npos);  // looks where rows are
  expect_absent();
  keys_.reset();
  catalogue_.reset();
  EXPECT_NE(Slurp(Database()).find(created->key.hint), std::string::npos);
  expect_absent();
}

TEST_F(KeysTest, WithoutTheHashingSecretItSaysSo) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  fs::rename(folder_ / "secret.key", folder_ / "kept");
  EXPECT_EQ(Keys::Open(*catalogue_, clock_, rng_, folder_.path()).error().reason, "secret_key_missing");
  std::ofstream(folder_ / "secret.key") << "too short";
  EXPECT_EQ(Keys::Open(*catalogue_, clock_, rng_, folder_.path()).error().reason, "secret_key_invalid");
  std::ofstream(folder_ / "secret.key") << std::string(33, 'x');
  EXPECT_EQ(Keys::Open(*catalogue_, clock_, rng_, folder_.path()).error().reason, "secret_key_invalid");
  fs::rename(folder_ / "kept", folder_ / "secret.key");
  fs::permissions(folder_ / "secret.key", static_cast<fs::perms>(0644));
  Open();
  EXPECT_EQ(ModeOf(folder_ / "secret.key"), 0600U);  // tightened
  EXPECT_TRUE(keys_->Authenticate(OwnerSecret()).ok());
}

TEST_F(KeysTest, AuthenticatesWhileKeysChange) {
  ASSERT_TRUE(keys_->EnsureOwner().ok());
  const std::string owner = OwnerSecret();
  std::atomic<bool> stop = false;
  std::vector<std::thread> readers;
  for (int t = 0; t < 4; ++t) {
    readers.emplace_back([&] {
      while (!stop) {
        EXPECT_TRUE(keys_->Authenticate(owner).ok());
      }
    });
  }
  for (int i = 0; i < 20; ++i) {
    const auto created = keys_->Create(std::to_string(i), Role::kMember, std::nullopt);
    ASSERT_TRUE(created.ok());
    EXPECT_TRUE(keys_->Authenticate(created->secret).ok());
    ASSERT_TRUE(keys_->Revoke(created->key.id).ok());
    EXPECT_FALSE(keys_->Authenticate(created->secret).ok());
  }
  stop = true;
  for (auto& reader : readers) {
    reader.join();
  }
}

// BLAKE2b-256 with a 32-byte key over the length and the padded text, computed by Python's hashlib.
TEST(HasherTest, IsKeyedBlake2b) {
  storage::TestFolder folder;
  std::string key;
  for (char c = 0; c < 32; ++c) {
    key += c;
  }
  std::ofstream(folder / "secret.key", std::ios::binary) << key;
  SystemRng rng;
  const auto hasher = Hasher::Open(folder.path(), rng, false);
  ASSERT_TRUE(hasher.ok()) << hasher.error().message;
  EXPECT_EQ(hasher->Hash("sk-atelier-test"), "ad6c7b58ca66aab24edadcca39aa058f2b3245d6966b65220b807f0a40fbb4c8");
}

TEST(HasherTest, AnotherSecretGivesOtherHashes) {
  storage::TestFolder a;
  storage::TestFolder b;
  SystemRng rng;
  EXPECT_NE(Hasher::Open(a.path(), rng, true)->Hash("x"), Hasher::Open(b.path(), rng, true)->Hash("x"));
  EXPECT_EQ(Hasher::Open(a.path(), rng, false)->Hash("x"), Hasher::Open(a.path(), rng, false)->Hash("x"));
}

}  // namespace
}  // namespace atelier::access
