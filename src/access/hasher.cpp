#include "access/hasher.h"

#include <sodium.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstring>
#include <span>

#include "base/ids.h"
#include "storage/files.h"

namespace atelier::access {
namespace {

constexpr uint32_t kOwnerOnly = 0600;

Result<std::string> ReadOrCreate(const std::filesystem::path& file, Rng& rng, bool may_create) {
  auto bytes = storage::ReadSmallFile(file, Hasher::kSecretBytes);
  if (bytes.ok() || bytes.error().code != Code::kNotFound) {
    return bytes;
  }
  if (!may_create) {
    return FailedPrecondition("'" + file.string() +
                                  "' is missing, and without it none of the API keys in the catalogue can be "
                                  "recognised; put it back from a backup",
                              "secret_key_missing");
  }
  std::array<std::byte, Hasher::kSecretBytes> random{};
  rng.Fill(random);
  const std::string_view text(reinterpret_cast<const char*>(random.data()), random.size());
  const Status created = storage::CreateFileDurably(file, text, kOwnerOnly);
  sodium_memzero(random.data(), random.size());
  if (!created.ok() && created.error().code != Code::kAlreadyExists) {
    return created.error();
  }
  return storage::ReadSmallFile(file, Hasher::kSecretBytes);  // another process may have been first
}

}  // namespace

Result<Hasher> Hasher::Open(const std::filesystem::path& data_dir, Rng& rng, bool may_create) {
  if (sodium_init() < 0) {
    return Internal("libsodium cannot be initialised");
  }
  const auto file = data_dir / "secret.key";
  auto bytes = ReadOrCreate(file, rng, may_create);
  if (!bytes.ok() && bytes.error().code != Code::kOutOfRange) {
    return bytes.error();
  }
  if (!bytes.ok() || bytes->size() != kSecretBytes) {
    return FailedPrecondition("'" + file.string() + "' does not hold 32 bytes; put it back from a backup",
                              "secret_key_invalid");
  }
  if (chmod(file.c_str(), kOwnerOnly) != 0) {
    return storage::FileError(errno, "protect", file.string());
  }
  Hasher hasher;
  std::memcpy(hasher.secret_.data(), bytes->data(), kSecretBytes);
  sodium_memzero(bytes->data(), bytes->size());
  return hasher;
}

Hasher::~Hasher() { sodium_memzero(secret_.data(), secret_.size()); }

std::string Hasher::Hash(std::string_view text) const {
  // The length, then the text: otherwise a key followed by zero bytes would be the same key.
  const uint64_t length = text.size();
  std::array<unsigned char, sizeof length + kMaxTextBytes> padded{};
  std::memcpy(padded.data(), &length, sizeof length);
  std::memcpy(padded.data() + sizeof length, text.data(), std::min(text.size(), kMaxTextBytes));
  std::array<std::byte, 32> digest{};
  crypto_generichash(reinterpret_cast<unsigned char*>(digest.data()), digest.size(), padded.data(), padded.size(),
                     secret_.data(), secret_.size());
  sodium_memzero(padded.data(), padded.size());
  return Hex(digest);
}

std::string NewSecret(Rng& rng) {
  std::array<std::byte, 32> random{};
  rng.Fill(random);
  constexpr int kVariant = sodium_base64_VARIANT_URLSAFE_NO_PADDING;
  std::array<char, sodium_base64_ENCODED_LEN(32, kVariant)> text{};
  sodium_bin2base64(text.data(), text.size(), reinterpret_cast<const unsigned char*>(random.data()), random.size(),
                    kVariant);
  sodium_memzero(random.data(), random.size());
  return std::string(kSecretPrefix) + text.data();
}

}  // namespace atelier::access
