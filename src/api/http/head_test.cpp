#include "api/http/head.h"

#include <gtest/gtest.h>

#include <string>

namespace atelier::api::http {
namespace {

// What the scanner says of a text that arrives byte by byte.
Result<size_t> ScanSlowly(const std::string& text, HeadLimits limits = {}) {
  HeadScanner scanner(limits);
  for (size_t n = 1; n <= text.size(); ++n) {
    auto found = scanner.Scan(std::string_view(text).substr(0, n));
    if (!found.ok() || *found > 0) {
      return found;
    }
  }
  return size_t{0};
}

TEST(HeadScanner, FindsTheEndWhateverThePieces) {
  const std::string head = "GET / HTTP/1.1\r\nHost: a\r\n\r\n";
  EXPECT_EQ(*ScanSlowly(head + "body"), head.size());
  HeadScanner whole({});
  EXPECT_EQ(*whole.Scan(head + "body"), head.size());
  EXPECT_EQ(*ScanSlowly(head.substr(0, head.size() - 1)), 0U);
}

TEST(HeadScanner, RefusesBareLineEndsAndNul) {
  for (const std::string bad : {"GET / HTTP/1.1\nHost: a\r\n\r\n", "GET / HTTP/1.1\rHost: a\r\n\r\n",
                                "GET / HTTP/1.1\r\nHost: a\n\r\n", "\n"}) {
    EXPECT_FALSE(ScanSlowly(bad).ok()) << bad;
  }
  EXPECT_FALSE(ScanSlowly(std::string("GET /\0 HTTP/1.1\r\n\r\n", 19)).ok());
}

TEST(HeadScanner, StopsBeforeItHoldsTooMuch) {
  std::string many = "GET / HTTP/1.1\r\n";
  for (int i = 0; i < 10'000; ++i) {
    many += "a: b\r\n";
  }
  EXPECT_EQ(ScanSlowly(many).error().reason, "headers_too_large");
  EXPECT_EQ(ScanSlowly("GET / HTTP/1.1\r\na: " + std::string(40'000, 'x')).error().reason, "headers_too_large");
  EXPECT_EQ(ScanSlowly("GET /" + std::string(9'000, 'x')).error().reason, "uri_too_long");
}

Result<Head> Parse(const std::string& text) { return ParseHead(text, {}); }

TEST(ParseHead, ReadsAPlainRequest) {
  const std::string text = "POST /v1/x?y=1 HTTP/1.1\r\nHost: localhost\r\nX-A: \t b c \t\r\nContent-Length: 12\r\n\r\n";
  const auto head = Parse(text);
  ASSERT_TRUE(head.ok());
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/v1/x?y=1");
  EXPECT_EQ(*head->Find("x-a"), "b c");
  EXPECT_EQ(*head->content_length, 12U);
  EXPECT_TRUE(head->keep_alive);
  EXPECT_TRUE(head->has_body());
}

TEST(ParseHead, KnowsWhenTheConnectionGoesOn) {
  EXPECT_FALSE(Parse("GET / HTTP/1.0\r\n\r\n")->keep_alive);
  EXPECT_TRUE(Parse("GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n")->keep_alive);
  EXPECT_FALSE(Parse("GET / HTTP/1.1\r\nHost: a\r\nConnection: x, Close\r\n\r\n")->keep_alive);
}

struct BadHead {
  const char* text;
  Code code;
};
void PrintTo(const BadHead& head, std::ostream* out) { *out << testing::PrintToString(std::string(head.text)); }

class BadHeads : public testing::TestWithParam<BadHead> {};

TEST_P(BadHeads, AreRefused) {
  const auto head = Parse(GetParam().text);
  ASSERT_FALSE(head.ok()) << GetParam().text;
  EXPECT_EQ(head.error().code, GetParam().code) << GetParam().text;
}

constexpr auto kBad = Code::kInvalidArgument;
INSTANTIATE_TEST_SUITE_P(
    Rows, BadHeads,
    testing::Values(
        BadHead{"GET / HTTP/9.9\r\nHost: a\r\n\r\n", kBad}, BadHead{"GET / HTTP/1.2\r\nHost: a\r\n\r\n", kBad},
        BadHead{"GET / http/1.1\r\nHost: a\r\n\r\n", kBad}, BadHead{"GET /\r\nHost: a\r\n\r\n", kBad},
        BadHead{"GET  / HTTP/1.1\r\nHost: a\r\n\r\n", kBad}, BadHead{"GET / x HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
        BadHead{"G[T / HTTP/1.1\r\nHost: a\r\n\r\n", kBad}, BadHead{"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\n\r\n", kBad}, BadHead{"GET / HTTP/1.1\r\nHost: a\r\nHost: a\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nA b: c\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nA : c\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nA[: c\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\n: c\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nnothing\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nA: b\x07\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nA: b\r\n c\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 1\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 1, 1\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: +1\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 0x1\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length:\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked, chunked\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\nTransfer-Encoding: x\r\n\r\n", kBad},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: xchunked\r\n\r\n", Code::kUnimplemented},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked;q=1\r\n\r\n", Code::kUnimplemented},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", Code::kUnimplemented},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding:\r\n\r\n", Code::kUnimplemented},
        BadHead{"GET / HTTP/1.1\r\nHost: a\r\nExpect: tea\r\n\r\n", kBad}));

}  // namespace
}  // namespace atelier::api::http
