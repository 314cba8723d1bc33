#include "base/hash.h"

#include <gtest/gtest.h>

namespace atelier {
namespace {

// FIPS 180-4's examples (NIST, "SHA256.pdf" of the cryptographic standards' example values).
TEST(Hash, GivesThePublishedDigests) {
  EXPECT_EQ(Sha256Hex(""), "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(Sha256Hex("abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq"),
            "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1");
}

TEST(Hash, StreamsInAnyPieces) {
  const std::string piece(997, 'a');  // a million times 'a', in pieces across block borders
  Sha256 hash;
  size_t left = 1'000'000;
  while (left > 0) {
    const size_t count = std::min(left, piece.size());
    hash.Update(std::string_view(piece).substr(0, count));
    left -= count;
  }
  EXPECT_EQ(hash.Finish(), "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
}

TEST(Hash, MovesWithItsState) {
  Sha256 first;
  first.Update("ab");
  Sha256 second = std::move(first);
  second.Update("c");
  EXPECT_EQ(second.Finish(), Sha256Hex("abc"));
}

}  // namespace
}  // namespace atelier
