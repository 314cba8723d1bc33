#include "api/http/gate.h"

#include <gtest/gtest.h>

#include "api/testing/fakes.h"

namespace atelier::api::http {
namespace {

class GateTest : public testing::Test {
 protected:
  Head Parse(std::string fields) {
    text_ = "GET / HTTP/1.1\r\n" + fields + "\r\n";
    return ParseHead(text_, {}).value();
  }
  Status Check(const std::string& fields) { return gate_.CheckOrigin(Parse(fields), "", "192.0.2.7"); }
  Result<access::Key> Authenticate(const std::string& fields, const std::string& remote = "1.2.3.4") {
    return gate_.Authenticate(Parse("Host: localhost\r\n" + fields), remote);
  }

  std::string text_;
  ManualClock clock_;
  api::test::FakeKeys keys_;
  Gate gate_{keys_, clock_, {"gpu.example", "::2"}};
};

TEST_F(GateTest, KnowsItsHosts) {
  for (const char* good : {"localhost", "LOCALHOST:8080", "127.0.0.1", "127.0.0.1:1", "[::1]:8080", "gpu.example:80",
                           "[::2]", "192.0.2.7:8080"}) {
    EXPECT_TRUE(Check("Host: " + std::string(good) + "\r\n").ok()) << good;
  }
  for (const char* bad : {"evil.com", "localhost.", "localhost.evil.com", "127.0.0.1.nip.io", "localhost:x", "", "[::1",
                          "localhost:80:80", "192.0.2.8", "user@localhost"}) {
    EXPECT_EQ(Check("Host: " + std::string(bad) + "\r\n").error().reason, "misdirected_request") << bad;
  }
}

TEST_F(GateTest, RefusesForeignPages) {
  EXPECT_TRUE(Check("Host: localhost:8080\r\nOrigin: http://localhost:8080\r\n").ok());
  for (const char* bad :
       {"https://evil", "null", "http://localhost", "http://localhost:8081", "http://localhost:8080.evil", ""}) {
    EXPECT_EQ(Check("Host: localhost:8080\r\nOrigin: " + std::string(bad) + "\r\n").error().reason, "forbidden_origin")
        << bad;
  }
}

TEST_F(GateTest, TakesGoodKeysOnly) {
  EXPECT_TRUE(Authenticate("Authorization: Bearer good\r\n").ok());
  for (const std::string& bad :
       {std::string(), std::string("Authorization: Bearer\r\n"), std::string("Authorization: Basic good\r\n"),
        std::string("Authorization: bearer good\r\n"), std::string("Authorization: Bearer bad\r\n"),
        std::string("Authorization: Bearer good\r\nAuthorization: Bearer good\r\n"),
        std::string("Authorization: Bearer ' OR '1'='1\r\n"),
        "Authorization: Bearer " + std::string(5000, 'x') + "\r\n"}) {
    const auto key = Authenticate(bad);
    ASSERT_FALSE(key.ok()) << bad;
    EXPECT_EQ(key.error().code, Code::kUnauthenticated);
    EXPECT_EQ(key.error().reason, "invalid_api_key");
    EXPECT_EQ(key.error().message, "the API key is missing or not valid");
  }
}

TEST_F(GateTest, SlowsDownWhoGuesses) {
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Authenticate("").error().code, Code::kUnauthenticated);
  }
  EXPECT_EQ(Authenticate("").error().code, Code::kResourceExhausted);
  EXPECT_TRUE(Authenticate("Authorization: Bearer good\r\n").ok());
  EXPECT_EQ(Authenticate("", "5.6.7.8").error().code, Code::kUnauthenticated);
  clock_.AdvanceMs(51);  // one more token at 20 a second
  EXPECT_EQ(Authenticate("").error().code, Code::kUnauthenticated);
  EXPECT_EQ(Authenticate("").error().code, Code::kResourceExhausted);
}

}  // namespace
}  // namespace atelier::api::http
