#include "hub/address.h"

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

#include "hub/pull.h"

namespace atelier::hub {
namespace {

bool Public(const std::string& text) {
  sockaddr_in v4{};
  v4.sin_family = AF_INET;
  if (::inet_pton(AF_INET, text.c_str(), &v4.sin_addr) == 1) {
    return IsPublicAddress(reinterpret_cast<const sockaddr*>(&v4));
  }
  sockaddr_in6 v6{};
  v6.sin6_family = AF_INET6;
  EXPECT_EQ(::inet_pton(AF_INET6, text.c_str(), &v6.sin6_addr), 1) << text;
  return IsPublicAddress(reinterpret_cast<const sockaddr*>(&v6));
}

TEST(IsPublicAddress, KnowsWhatIsNot) {
  for (const char* text : {"8.8.8.8", "1.1.1.1", "172.32.0.1", "100.128.0.1", "2606:4700::1111", "2a00:1450::1"}) {
    EXPECT_TRUE(Public(text)) << text;
  }
  for (const char* text : {"127.0.0.1",       "127.255.255.254", "0.0.0.0",         "10.1.2.3",    "172.16.0.1",
                           "172.31.255.255",  "192.168.1.1",     "169.254.169.254", "100.64.0.1",  "192.0.2.1",
                           "198.18.0.1",      "224.0.0.1",       "255.255.255.255", "::",          "::1",
                           "fe80::1",         "fd00::8",         "fc00::1",         "ff02::1",     "::ffff:127.0.0.1",
                           "::ffff:10.0.0.1", "64:ff9b::7f00:1", "2002:7f00:1::",   "2001:db8::1", "2001::1"}) {
    EXPECT_FALSE(Public(text)) << text;
  }
}

TEST(CheckSource, RefusesPrivatePlacesUnlessAllowed) {
  Options options;
  const auto check = [&](const std::string& text) { return CheckSource(ParseReference(text).value(), options); };
  for (const char* text : {"https://example.com/m.gguf", "hf:a/b", "ollama:a", "ollama:example.com/a/b"}) {
    EXPECT_TRUE(check(text).ok()) << text;
  }
  for (const char* text : {"http://example.com/m.gguf", "https://127.0.0.1/m.gguf", "https://127.1/m.gguf",
                           "https://2130706433/m.gguf", "https://0x7f.1/m.gguf", "https://[::1]/m.gguf",
                           "https://[::ffff:127.0.0.1]/m.gguf", "https://localhost/m.gguf",
                           "https://169.254.169.254/m.gguf", "ollama:127.0.0.1:80/a/b", "ollama:localhost/a/b"}) {
    const auto status = check(text);
    ASSERT_FALSE(status.ok()) << text;
    EXPECT_EQ(status.error().reason, "url_not_allowed") << text;
  }
  options.private_addresses = true;
  EXPECT_TRUE(check("http://127.0.0.1/m.gguf").ok());
}

}  // namespace
}  // namespace atelier::hub
