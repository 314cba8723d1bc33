// The keyed hash of API keys, and the secret it needs.
#pragma once

#include <array>
#include <cstddef>
#include <filesystem>
#include <string>
#include <string_view>

#include "base/result.h"
#include "base/rng.h"

namespace atelier::access {

// BLAKE2b-256 (RFC 7693) under a secret of 32 bytes. The secret is wiped when the hasher ends. Thread-safe.
class Hasher {
 public:
  static constexpr size_t kSecretBytes = 32;

  // Reads DATA_DIR/secret.key; makes it (mode 0600, durable) when absent and `may_create`.
  // Errors: kFailedPrecondition "secret_key_missing" | "secret_key_invalid"; file errors.
  static Result<Hasher> Open(const std::filesystem::path& data_dir, Rng& rng, bool may_create);

  Hasher(Hasher&&) noexcept = default;
  Hasher& operator=(Hasher&&) = delete;
  ~Hasher();

  // 64 hexadecimal digits. Does the same work for every text of at most kMaxTextBytes; of a longer one only so much
  // is hashed, which no valid key has.
  std::string Hash(std::string_view text) const;
  static constexpr size_t kMaxTextBytes = 128;

 private:
  Hasher() = default;

  std::array<unsigned char, kSecretBytes> secret_{};
};

// A new API key: "sk-atelier-" and 32 random bytes in base64url.
std::string NewSecret(Rng& rng);
inline constexpr std::string_view kSecretPrefix = "sk-atelier-";

}  // namespace atelier::access
