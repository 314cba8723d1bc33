#include <gtest/gtest.h>

#include "text/language/html.h"
#include "text/language/identify.h"
#include "text/language/normalize.h"
#include "text/language/redact.h"

namespace atelier::text::language {
namespace {

TEST(NormalizeTest, Forms) {
  EXPECT_EQ(Normalize("e\u0301", NormalForm::kNfc), "\u00E9");
  EXPECT_EQ(Normalize("\u00E9", NormalForm::kNfd), "e\u0301");
  EXPECT_EQ(Normalize("\uFB01\u2460", NormalForm::kNfkc), "fi1");
  EXPECT_EQ(Normalize("a\xFF", NormalForm::kNfkd), "a\uFFFD");
  EXPECT_EQ(NormalFormFromName("nfkc"), NormalForm::kNfkc);
  EXPECT_EQ(NormalFormFromName("x"), std::nullopt);
}

TEST(NormalizeTest, WidthLeavesChinesePunctuationThatIsNoAscii) {
  EXPECT_EQ(HalfWidth("ＡＢＣ１２３！　￥5。、"), "ABC123! \u00A55。、");
}

TEST(NormalizeTest, ChineseScripts) {
  const auto simplified = ChineseScript::Create(ChineseScript::To::kSimplified);
  const auto traditional = ChineseScript::Create(ChineseScript::To::kTraditional);
  ASSERT_TRUE(simplified.ok() && traditional.ok());
  EXPECT_EQ(simplified->Convert("漢語與電腦"), "汉语与电脑");
  EXPECT_EQ(traditional->Convert("汉语电脑"), "漢語電腦");
}

TEST(NormalizeTest, Whitespace) {
  EXPECT_EQ(CleanWhitespace("  a \t b\u00A0\u3000c \r\n\r\n\r\n d\u200B\uFEFFe\x01 \n"), "a b c\n\nde");
  EXPECT_EQ(CleanWhitespace("a\r\nb\rc"), "a\nb\nc");
  EXPECT_EQ(CleanWhitespace(" \n "), "");
}

TEST(HtmlTest, TextOfPages) {
  EXPECT_EQ(StripHtml("<html><head><title>T</title><style>p{}</style></head><body><p>Hello,  <b>world</b>!</p>"
                      "<script>if (a < b) alert('<p>no</p>');</script><div>A &amp; B&nbsp;&lt;3</div></body>"),
            "T\nHello, world!\nA & B <3");
  EXPECT_EQ(StripHtml("<ul><li>一<li>二</ul>"), "一\n二");
  EXPECT_EQ(StripHtml("<table><tr><td>a</td><td>b</td></tr></table>"), "a\tb");
  EXPECT_EQ(StripHtml("<a title=\"x > y\" href='z'>link</a><!-- <p>no</p> -->!"), "link!");
  EXPECT_EQ(StripHtml("<pre>a\n  b</pre>"), "a\n  b");
}

TEST(HtmlTest, WhatIsNoTagStays) {
  EXPECT_EQ(StripHtml("1 < 2 and 3 > 2, a<b"), "1 < 2 and 3 > 2, a<b");
  EXPECT_EQ(StripHtml("I <3 you & me &unknown; &#xD800;"), "I <3 you & me &unknown; \uFFFD");
  EXPECT_EQ(StripHtml("<script>never closed"), "");
  EXPECT_EQ(StripHtml("<!-- never closed"), "");
  EXPECT_EQ(UnescapeHtml("&#20013;&#x6587; &eacute;&#150;&bogus"), "中文 \u00E9\u2013&bogus");
}

TEST(HtmlTest, TakesLinearTime) {
  for (const char* unit : {"<a \"", "<a x=\"", "<a x='>\"", "<", "&", "<!--", "<script>", "<a x=\">\" ", "&#"}) {
    std::string text;
    while (text.size() < 1'000'000) {
      text += unit;
    }
    StripHtml(text);  // with quadratic time this test would not end
  }
}

std::string Redacting(std::string_view text) { return Redact(text).text; }

TEST(RedactTest, EveryKind) {
  EXPECT_EQ(Redacting("Mail to anna.b+x@mail.example.co.uk, please."), "Mail to [EMAIL], please.");
  EXPECT_EQ(Redacting("邮箱：zhang@example.cn，手机13812345678。"), "邮箱：[EMAIL]，手机[PHONE]。");
  EXPECT_EQ(Redacting("+86 138 1234 5678 or (415) 555-2671 or 415-555-2671 or +49 30 901820"),
            "[PHONE] or [PHONE] or [PHONE] or [PHONE]");
  EXPECT_EQ(Redacting("座机010-12345678，0755-1234567"), "座机[PHONE]，[PHONE]");
  EXPECT_EQ(Redacting("SSN 123-45-6789"), "SSN [SSN]");
  EXPECT_EQ(Redacting("身份证11010519491231002X号"), "身份证[CHINESE_ID]号");
  EXPECT_EQ(Redacting("card 4111 1111 1111 1111, 5500-0000-0000-0004, 378282246310005"), "card [CARD], [CARD], [CARD]");
  EXPECT_EQ(Redacting("from 192.168.0.1 and 2001:db8::ff00:42:8329."), "from [IP] and [IP].");
}

TEST(RedactTest, WhatOnlyLooksLikeIt) {
  for (const char* text : {
           "version 1.2.3",       "192.168.0.256", "at 10:30:45", "std::cout",   "a@b",          "@home",
           "user@localhost",
           "110105194912310021",   // a Chinese id with a wrong check character
           "110105194913310021",   // and one with a month 13
           "4111 1111 1111 1112",  // a card with a wrong check digit
           "000-12-3456",         "666-12-3456",   "900-12-3456", "123-00-4567", "123-45-0000",  "12345678901",
           "23812345678",  // no mobile
           "order 1234567890",    "2024-05-01",    "3.14159265",  "1,234,567",   "x13812345678", "138123456789",
       }) {
    EXPECT_EQ(Redacting(text), text);
  }
}

TEST(RedactTest, CountsAndChoice) {
  const auto redacted = Redact("a@b.org c@d.org 1.2.3.4");
  EXPECT_EQ(redacted.counts[static_cast<size_t>(PersonalData::kEmail)], 2U);
  EXPECT_EQ(redacted.counts[static_cast<size_t>(PersonalData::kIp)], 1U);
  PersonalDataKinds only_ip{};
  only_ip[static_cast<size_t>(PersonalData::kIp)] = true;
  EXPECT_EQ(Redact("a@b.org 1.2.3.4", only_ip).text, "a@b.org [IP]");
  EXPECT_EQ(PersonalDataFromName("chinese_id"), PersonalData::kChineseId);
  EXPECT_EQ(PersonalDataFromName("x"), std::nullopt);
}

TEST(RedactTest, TakesLinearTime) {
  for (const char* unit : {"a", "a.", "1", "1-", "1 ", "a@", "a@a.", "::", "+1", "(", "1.2.3."}) {
    std::string text;
    while (text.size() < 300'000) {
      text += unit;
    }
    Redact(text);  // with quadratic time this test would not end
  }
}

TEST(IdentifyTest, LanguagesByScriptAndTrigrams) {
  const LanguageIdentifier identifier;
  const auto of = [&](std::string_view text) { return identifier.Identify(text).language; };
  EXPECT_EQ(of("This is the house that the children were looking for."), "en");
  EXPECT_EQ(of("Das ist das Haus, nach dem die Kinder gesucht haben."), "de");
  EXPECT_EQ(of("C'est la maison que les enfants cherchaient."), "fr");
  EXPECT_EQ(of("Esta es la casa que los niños estaban buscando."), "es");
  EXPECT_EQ(of("Questa è la casa che i bambini stavano cercando."), "it");
  EXPECT_EQ(of("Dit is het huis waar de kinderen naar zochten."), "nl");
  EXPECT_EQ(of("To jest dom, którego szukały dzieci."), "pl");
  EXPECT_EQ(of("Это дом, который искали дети."), "ru");
  EXPECT_EQ(of("Це будинок, який шукали діти."), "uk");
  EXPECT_EQ(of("这就是孩子们一直在找的房子。"), "zh");
  EXPECT_EQ(of("我用 Python 和 TensorFlow 训练模型"), "zh");
  EXPECT_EQ(of("これは子供たちが探していた家です。"), "ja");
  EXPECT_EQ(of("이것은 아이들이 찾던 집입니다."), "ko");
  EXPECT_EQ(of("123 456 !?"), "und");
  EXPECT_EQ(of(""), "und");
}

}  // namespace
}  // namespace atelier::text::language
