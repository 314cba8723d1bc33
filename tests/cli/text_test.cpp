#include "atelier/cli/text.h"

#include <gtest/gtest.h>

#include <cmath>

#include "atelier/cli/sse.h"
#include "atelier/cli/table.h"
#include "atelier/cli/url.h"

namespace atelier::cli {
namespace {

TEST(DisplayWidth, CountsColumnsNotBytes) {
  EXPECT_EQ(DisplayWidth(""), 0);
  EXPECT_EQ(DisplayWidth("iris"), 4);
  EXPECT_EQ(DisplayWidth("\u82b1"), 2);                // an ideograph
  EXPECT_EQ(DisplayWidth("\u9e22\u5c3e\u82b1-1"), 8);  // three ideographs and two ASCII
  EXPECT_EQ(DisplayWidth("\uff21\u3042\uac00"), 6);    // full-width letter, kana, hangul
  EXPECT_EQ(DisplayWidth("e\u0301"), 1);               // combining accent
  EXPECT_EQ(DisplayWidth("\U0001F600"), 2);
  EXPECT_EQ(DisplayWidth("\u00e9\u0416"), 2);  // narrow beyond ASCII
  EXPECT_EQ(DisplayWidth("\xff\xc3"), 2);      // invalid bytes
}

TEST(Escape, LeavesTextAndShowsControls) {
  EXPECT_EQ(Escape("\u9e22\u5c3e\u82b1 a"), "\u9e22\u5c3e\u82b1 a");
  EXPECT_EQ(Escape("a\x1b[31mb"), "a\\x1b[31mb");
  EXPECT_EQ(Escape("a\nb\tc\r"), "a\\nb\\tc\\r");
  EXPECT_EQ(Escape("a\nb\tc\r", Lines::kKeep), "a\nb\tc\\r");
  EXPECT_EQ(Escape("\u009b0m"), "\\x9b0m");              // C1 control sequence introducer
  EXPECT_EQ(Escape("x\u202ey"), "x\\u{202e}y");          // right-to-left override
  EXPECT_EQ(Escape("\xc0\x80"), "\\xc0\\x80");           // overlong
  EXPECT_EQ(Escape("\xed\xa0\x80"), "\\xed\\xa0\\x80");  // surrogate
  EXPECT_EQ(Escape(std::string_view("\0", 1)), "\\x00");
}

TEST(Fit, CutsAtColumns) {
  EXPECT_EQ(Fit("abcdef", 6), "abcdef");
  EXPECT_EQ(Fit("abcdefg", 6), "abcde\u2026");
  EXPECT_EQ(Fit("\u82b1\u82b1\u82b1", 5), "\u82b1\u82b1\u2026");
  EXPECT_EQ(Fit("\u82b1\u82b1\u82b1", 4), "\u82b1\u2026");  // half an ideograph cannot be drawn
}

TEST(Human, Numbers) {
  EXPECT_EQ(HumanBytes(0), "0 B");
  EXPECT_EQ(HumanBytes(1536), "1.5 KiB");
  EXPECT_EQ(HumanBytes(200.0 * 1024 * 1024), "200 MiB");
  EXPECT_EQ(HumanDuration(0.2), "0:01");
  EXPECT_EQ(HumanDuration(61), "1:01");
  EXPECT_EQ(HumanDuration(3723), "1:02:03");
  EXPECT_EQ(HumanDuration(std::nan("")), "-");
  EXPECT_EQ(HumanNumber(0.973333), "0.9733");
  EXPECT_EQ(HumanNumber(60000), "60000");
  EXPECT_EQ(HumanPercent(0.9337), "93.4%");
  EXPECT_EQ(HumanTime(0), "-");
}

TEST(Bar, StaysInItsWidth) {
  EXPECT_EQ(Bar(0, 4), "[>   ]");
  EXPECT_EQ(Bar(0.5, 4), "[==> ]");
  EXPECT_EQ(Bar(1, 4), "[====]");
  EXPECT_EQ(Bar(7, 4), "[====]");
  EXPECT_EQ(Bar(-1, 4), "[>   ]");
  EXPECT_EQ(Bar(std::nan(""), 4), "[>   ]");
}

TEST(Table, AlignsWideCharactersAndNumbers) {
  Table table({"NAME", "ROWS", "NOTE"});
  table.Add({"\u82b1", "150", "a"});
  table.Add({"wine", "9", "b\nc"});
  table.Add({"short"});
  EXPECT_EQ(table.Text(),
            "NAME   ROWS  NOTE\n"
            "\u82b1     150   a\n"
            "wine   9     b\\nc\n"
            "short\n");
  Table numbers({"K", "VALUE"});
  numbers.Add({"a", "1"});
  numbers.Add({"b", "0.25"});
  EXPECT_EQ(numbers.Text(), "K  VALUE\na      1\nb   0.25\n");
}

TEST(Url, Parses) {
  const auto url = ParseUrl("https://example.org/team/");
  ASSERT_TRUE(url.ok());
  EXPECT_TRUE(url->tls);
  EXPECT_EQ(url->host, "example.org");
  EXPECT_EQ(url->port, "443");
  EXPECT_EQ(url->path, "/team");
  EXPECT_EQ(url->HostHeader(), "example.org");
  EXPECT_EQ(ParseUrl("http://[::1]:9000")->HostHeader(), "[::1]:9000");
  EXPECT_TRUE(ParseUrl("http://[::1]:9000")->IsLoopback());
  EXPECT_EQ(ParseUrl("localhost:8080")->Text(), "http://localhost:8080");
  EXPECT_FALSE(ParseUrl("http://10.0.0.1")->IsLoopback());
}

TEST(Url, RefusesWhatIsNoServer) {
  for (const char* text : {"", "ftp://a", "http://", "http://a:0", "http://a:65536", "http://a:x", "http://u@a",
                           "http://a/?q=1", "http://a b", "http://[::1", "http://[::1]x", "http://a\r\nX: y"}) {
    const auto url = ParseUrl(text);
    ASSERT_FALSE(url.ok()) << text;
    EXPECT_EQ(url.error().reason, "usage") << text;
  }
}

TEST(PercentEncode, LeavesOnlyUnreserved) {
  EXPECT_EQ(PercentEncode("a-Z_0.~"), "a-Z_0.~");
  EXPECT_EQ(PercentEncode("../x y"), "..%2Fx%20y");
  EXPECT_EQ(PercentEncode("\u82b1"), "%E8%8A%B1");
}

std::vector<std::string> FeedInPieces(std::string_view stream, size_t piece) {
  std::vector<std::string> seen;
  SseParser parser([&](const SseEvent& event) { seen.push_back(event.id + "|" + event.type + "|" + event.data); });
  while (!stream.empty()) {
    parser.Feed(stream.substr(0, piece));
    stream.remove_prefix(std::min(piece, stream.size()));
  }
  return seen;
}

TEST(SseParser, IsTheSameForEveryCut) {
  const std::string stream =
      ": ping\n\nid: 1\nevent: progress\ndata: {\"a\":1}\n\nid: 2\r\ndata:x\r\ndata: y\r\n\r\nevent: none\n\n"
      "data: cut off";
  const std::vector<std::string> expected{"1|progress|{\"a\":1}", "2||x\ny"};
  for (size_t piece = 1; piece <= stream.size(); ++piece) {
    EXPECT_EQ(FeedInPieces(stream, piece), expected) << piece;
  }
}

}  // namespace
}  // namespace atelier::cli
