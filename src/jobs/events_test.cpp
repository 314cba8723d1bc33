#include "jobs/events.h"

#include <gtest/gtest.h>

#include "base/json.h"
#include "jobs/error_json.h"

namespace atelier::jobs {
namespace {

std::string Progress(int step, const std::string& stage = "train") {
  return R"({"type":"progress","data":{"stage":")" + stage + R"(","step":)" + std::to_string(step) + "}}\n";
}
std::string Message(const std::string& text) {
  return R"({"type":"message","data":{"level":"info","message":")" + text + "\"}}\n";
}
Moment At(int64_t ms) { return {1000 + ms, ms}; }

TEST(EventStream, LinesMayComeInAnyPieces) {
  const std::string text = Message("one") + Message("two") + R"({"type":"result","data":{"rows":3}})" + "\n";
  for (size_t piece = 1; piece < text.size(); piece += 7) {
    EventStream stream;
    for (size_t at = 0; at < text.size(); at += piece) {
      ASSERT_TRUE(stream.Feed(std::string_view(text).substr(at, piece), At(0)).ok());
    }
    Batch batch;
    stream.Collect(At(0), batch);
    ASSERT_EQ(batch.events.size(), 2U);
    EXPECT_EQ(GetString(batch.events[1].data, "message"), "two");
    ASSERT_TRUE(stream.result().has_value());
    EXPECT_EQ(GetInt(*stream.result(), "rows"), 3);
  }
}

TEST(EventStream, ProgressIsCoalescedToTheNewestPerInterval) {
  EventStream stream;
  Batch batch;
  for (int ms = 0; ms < 1000; ++ms) {
    ASSERT_TRUE(stream.Feed(Progress(ms), At(ms)).ok());
    stream.Collect(At(ms), batch);
  }
  EXPECT_EQ(batch.events.size(), 4U);
  EXPECT_EQ(GetInt(batch.events[1].data, "step"), 250);
  stream.Finish(At(1000));
  stream.Collect(At(1000), batch);
  ASSERT_EQ(batch.events.size(), 5U);  // the last one is never lost
  EXPECT_EQ(GetInt(batch.events[4].data, "step"), 999);
  EXPECT_EQ(GetInt(*batch.progress, "step"), 999);
}

TEST(EventStream, EpochsMessagesAndErrorsAreAllKeptInOrder) {
  EventStream stream;
  std::string text;
  for (int i = 0; i < 100; ++i) {
    text += Progress(i) + Progress(i, "epoch") + Message(std::to_string(i));
  }
  text += R"({"type":"error","data":{"code":"not_found","message":"gone"}})"
          "\n";
  ASSERT_TRUE(stream.Feed(text, At(0)).ok());
  Batch batch;
  stream.Collect(At(0), batch);
  int epochs = 0;
  int messages = 0;
  for (const NewEvent& event : batch.events) {
    if (GetString(event.data, "stage") == "epoch") {
      EXPECT_EQ(GetInt(event.data, "step"), epochs++);
    } else if (event.type == "message") {
      EXPECT_EQ(GetString(event.data, "message"), std::to_string(messages++));
      EXPECT_EQ(messages, epochs);
    }
  }
  EXPECT_EQ(epochs, 100);
  EXPECT_EQ(messages, 100);
  EXPECT_EQ(batch.events.back().type, "error");
  ASSERT_TRUE(stream.error().has_value());
  EXPECT_EQ(stream.error()->code, Code::kNotFound);
}

TEST(EventStream, WhatIsNoEventBecomesAMessage) {
  for (const std::string line :
       {"hello", "[1]", "{\"type\":\"progress\"}", R"({"type":"state","data":{}})", R"({"type":"progress","data":[]})",
        "{\"type\":\"progress\",\"data\":{\"a\":1e999}}", "\x1b[31m\xff"}) {
    EventStream stream;
    ASSERT_TRUE(stream.Feed(line + "\n", At(0)).ok());
    Batch batch;
    stream.Collect(At(0), batch);
    ASSERT_EQ(batch.events.size(), 1U) << line;
    EXPECT_EQ(batch.events[0].type, "message");
    EXPECT_EQ(GetString(batch.events[0].data, "level"), "warning");
  }
  EventStream stream;
  ASSERT_TRUE(stream.Feed("\x1b[31m\xff", At(0)).ok());
  stream.Finish(At(0));
  Batch batch;
  stream.Collect(At(0), batch);
  ASSERT_EQ(batch.events.size(), 1U);
  EXPECT_EQ(GetString(batch.events[0].data, "message"), "\\x1b[31m\\xff");
}

TEST(EventStream, ALineOfExactlyTheLimitPassesAndALongerOneFails) {
  EventStream stream({.line_bytes = 100});
  ASSERT_TRUE(stream.Feed(std::string(60, 'a'), At(0)).ok());
  ASSERT_TRUE(stream.Feed(std::string(40, 'a') + "\n", At(0)).ok());
  ASSERT_TRUE(stream.Feed(std::string(60, 'a'), At(0)).ok());
  EXPECT_EQ(stream.Feed(std::string(41, 'a'), At(0)).error().code, Code::kOutOfRange);
}

TEST(EventStream, AFloodOfMessagesIsCutWithOneNotice) {
  EventStream stream({.kept_bytes = 1000});
  Batch batch;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_TRUE(stream.Feed(Message("text"), At(0)).ok());
  }
  ASSERT_TRUE(stream.Feed("{\"type\":\"error\",\"data\":{\"message\":\"x\"}}\n", At(0)).ok());
  stream.Collect(At(0), batch);
  EXPECT_LT(batch.events.size(), 40U);
  EXPECT_EQ(batch.events.back().type, "error");
  EXPECT_NE(GetString(batch.events[batch.events.size() - 2].data, "message").find("dropped"), std::string::npos);
}

TEST(ErrorJson, GoesBothWays) {
  Error error = MakeError(Code::kUnavailable, "later", "busy", "layers[2]");
  error.retry_after_s = 7;
  const Error back = ErrorFromJson(ErrorToJson(error));
  EXPECT_EQ(back.code, error.code);
  EXPECT_EQ(back.message, error.message);
  EXPECT_EQ(back.reason, error.reason);
  EXPECT_EQ(back.param, error.param);
  EXPECT_EQ(back.retry_after_s, 7);
  EXPECT_EQ(ErrorFromJson({{"code", "ok"}}).code, Code::kUnknown);
}

}  // namespace
}  // namespace atelier::jobs
