#include "base/log.h"

#include <gtest/gtest.h>

#include <cmath>
#include <functional>
#include <regex>

#include "base/ids.h"
#include "base/json.h"

namespace atelier {
namespace {

using namespace std::string_literals;

std::string Written(const std::function<void()>& log) {
  testing::internal::CaptureStderr();
  log();
  return testing::internal::GetCapturedStderr();
}

// The one event of the text, which must be one line of JSON.
json::object Event(const std::string& text) {
  EXPECT_EQ(std::count(text.begin(), text.end(), '\n'), 1) << text;
  EXPECT_TRUE(text.ends_with("\n"));
  const auto value = ParseJson(text);
  EXPECT_TRUE(value.ok()) << text;
  return value.ok() ? value->as_object() : json::object();
}

TEST(Log, AnEventIsOneLineOfJson) {
  const auto event = Event(Written([] {
    LogWarning("worker restarted",
               {{"model", "iris@1"}, {"restarts", int64_t{-3}}, {"seconds", 0.25}, {"ready", false}});
  }));
  EXPECT_EQ(GetString(event, "level"), "warning");
  EXPECT_EQ(GetString(event, "message"), "worker restarted");
  EXPECT_EQ(GetString(event, "model"), "iris@1");
  EXPECT_EQ(GetInt(event, "restarts"), -3);
  EXPECT_EQ(GetNumber(event, "seconds"), 0.25);
  EXPECT_EQ(event.at("ready"), false);
  EXPECT_TRUE(std::regex_match(GetString(event, "time"), std::regex(R"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)")));
}

TEST(Log, WhatComesFromOutsideStaysInsideItsString) {
  const std::string hostile = "a\"},\n{\"level\":\"error\",\r\t\\ \x1b[2J \x7f \0 %v {} 中文 é"s;
  const std::string text = Written([&] { LogInfo(hostile, {{"path", hostile}}); });
  const auto event = Event(text);
  EXPECT_EQ(GetString(event, "message"), hostile);
  EXPECT_EQ(GetString(event, "path"), hostile);
  EXPECT_EQ(text.find('\x1b'), std::string::npos);
  EXPECT_EQ(text.find('\x7f'), std::string::npos);
  EXPECT_NE(text.find("中文"), std::string::npos);
}

TEST(Log, WhatATerminalOrALineReaderCouldObeyIsEscaped) {
  const std::string text = Written([] { LogInfo("\u009b2J \u0085 \u2028 \u2029"); });
  EXPECT_NE(text.find(R"(\u009b2J \u0085 \u2028 \u2029)"), std::string::npos) << text;
}

TEST(Log, MalformedUtf8IsReplaced) {
  const auto event = Event(Written([] {
    LogInfo(
        "a\xff"
        "b\xe4\xb8"
        "c\xed\xa0\x80");
  }));
  EXPECT_EQ(GetString(event, "message"), "a\ufffdb\ufffd\ufffdc\ufffd\ufffd\ufffd");
}

TEST(Log, AHugeTextIsCutAtAWholeCharacterOrReplaced) {
  std::string huge;
  for (int i = 0; i < 100'000; ++i) {
    huge += "字";
  }
  const std::string text = Written([&] { LogInfo(huge); });
  EXPECT_LT(text.size(), 9000U);
  EXPECT_TRUE(GetString(Event(text), "message").ends_with("..."));
}

TEST(Log, NumbersThatJsonLacksAreTexts) {
  const auto event = Event(Written([] {
    LogInfo("m", {{"nan", std::nan("")}, {"inf", HUGE_VAL}, {"minus", -HUGE_VAL}, {"tiny", 5e-324}, {"big", 1e300}});
  }));
  EXPECT_EQ(GetString(event, "nan"), "nan");
  EXPECT_EQ(GetString(event, "inf"), "inf");
  EXPECT_EQ(GetString(event, "minus"), "-inf");
  EXPECT_EQ(GetNumber(event, "big"), 1e300);
}

TEST(Log, TheLevelHidesWhatIsBelowIt) {
  EXPECT_EQ(Written([] { Log(LogLevel::kDebug, "quiet"); }), "");
  SetLogLevel(LogLevel::kError);
  EXPECT_EQ(Written([] { LogWarning("quiet"); }), "");
  EXPECT_EQ(GetString(Event(Written([] { LogError("loud"); })), "level"), "error");
  SetLogLevel(LogLevel::kDebug);
  EXPECT_EQ(GetString(Event(Written([] { Log(LogLevel::kDebug, "loud"); })), "level"), "debug");
  SetLogLevel(LogLevel::kInfo);
}

TEST(Log, LevelsHaveNames) {
  EXPECT_EQ(*LogLevelFromName("debug"), LogLevel::kDebug);
  EXPECT_EQ(*LogLevelFromName("error"), LogLevel::kError);
  EXPECT_FALSE(LogLevelFromName("loud").ok());
  EXPECT_FALSE(LogLevelFromName("").ok());
}

}  // namespace
}  // namespace atelier
