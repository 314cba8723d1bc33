#include <gtest/gtest.h>

#include "api/testing/events.h"
#include "api/testing/fixture.h"

namespace atelier::api {
namespace {

using engine::FinishReason;
using test::Answer;
using test::Client;
using test::Delta;
using test::Events;
using test::Finish;
using test::Kind;

constexpr const char* kAsk = R"("model":"chatty","max_tokens":9,"messages":[{"role":"user","content":"hi"}])";

class MessagesTest : public test::ServerTest {
 protected:
  Answer Ask1(const std::string& more = "") {
    return Call("POST", "/v1/messages", std::string("{") + kAsk + (more.empty() ? "" : "," + more) + "}");
  }
  std::vector<json::object> Stream() {
    Client client(server_->port());
    client.Send(Ask("POST", "/v1/messages", std::string("{\"stream\":true,") + kAsk + "}"));
    return Events(client.ReadUntil("\r\n0\r\n"));
  }
};

TEST_F(MessagesTest, AnswersAtOnce) {
  const auto body = Json(Ask1(R"("stop_sequences":["x"],"system":[{"type":"text","text":"s"}])"));
  EXPECT_TRUE(GetString(body, "id").starts_with("msg_"));
  EXPECT_EQ(body.at("content"), ParseJson(R"([{"type":"text","text":"Hello \"world\""}])").value());
  EXPECT_EQ(GetString(body, "stop_reason"), "end_turn");
  EXPECT_TRUE(body.at("stop_sequence").is_null());
  EXPECT_EQ(body.at("usage"), ParseJson(R"({"input_tokens":3,"cache_creation_input_tokens":0,
    "cache_read_input_tokens":2,"output_tokens":3})")
                                  .value());
  const auto& asked = serving_.language->requests.back();
  EXPECT_EQ(asked.max_tokens, 9);
  EXPECT_EQ(std::get<engine::ChatPrompt>(asked.prompt).messages,
            R"([{"role":"system","content":"s"},{"role":"user","content":"hi"}])");
  serving_.language->script = {Delta(Kind::kContent, "a"), Finish(FinishReason::kStop, "x")};
  EXPECT_EQ(GetString(Json(Ask1()), "stop_sequence"), "x");
}

TEST_F(MessagesTest, StreamsBlocks) {
  serving_.language->script = {Delta(Kind::kReasoning, "hm"), Delta(Kind::kContent, "a"), test::Call("c1", "get"),
                               Delta(Kind::kToolCallArguments, R"({"a":1})"), Finish(FinishReason::kToolCalls)};
  const auto events = Stream();
  EXPECT_EQ(test::Types(events),
            "message_start ping content_block_start content_block_delta content_block_stop content_block_start "
            "content_block_delta content_block_stop content_block_start content_block_delta content_block_stop "
            "message_delta message_stop");
  EXPECT_EQ(events[8].at("content_block"),
            ParseJson(R"({"type":"tool_use","id":"toolu_c1","name":"get","input":{}})").value());
  EXPECT_EQ(events[9].at("delta"), ParseJson(R"({"type":"input_json_delta","partial_json":"{\"a\":1}"})").value());
  EXPECT_EQ(GetString(events[11].at("delta").as_object(), "stop_reason"), "tool_use");
  EXPECT_EQ(GetInt(events[11].at("usage").as_object(), "output_tokens"), 3);
  serving_.language->status = Unavailable("gone", "worker_crashed");
  EXPECT_EQ(GetString(Stream().back(), "type"), "error");
}

TEST_F(MessagesTest, TurnsBlocksIntoMessages) {
  const auto answer = Call("POST", "/v1/messages/count_tokens", R"({"model":"chatty","messages":[
    {"role":"user","content":"q"},
    {"role":"assistant","content":[{"type":"thinking","thinking":"hm","signature":""},
      {"type":"tool_use","id":"toolu_c1","name":"f","input":{"a":1}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_c1","content":[{"type":"text","text":"42"}]},
      {"type":"text","text":"go"}]}],"tools":[{"name":"f","input_schema":{"type":"object"}}]})");
  EXPECT_EQ(answer.body, R"({"input_tokens":3})");
  ASSERT_EQ(Call("POST", "/v1/messages", R"({"model":"chatty","max_tokens":1,"messages":[
    {"role":"assistant","content":[{"type":"tool_use","id":"toolu_c1","name":"f","input":{"a":1}}]},
    {"role":"user","content":[{"type":"tool_result","tool_use_id":"toolu_c1","content":"42"}]}],
    "tools":[{"name":"f","input_schema":{"type":"object"}}],"tool_choice":{"type":"any"}})")
                .status,
            200);
  const auto& chat = std::get<engine::ChatPrompt>(serving_.language->requests.back().prompt);
  EXPECT_EQ(ParseJson(chat.messages).value(), ParseJson(R"([
    {"role":"assistant","content":"","tool_calls":[{"id":"c1","type":"function",
     "function":{"name":"f","arguments":{"a":1}}}]},
    {"role":"tool","tool_call_id":"c1","content":"42"}])")
                                                  .value());
  EXPECT_EQ(chat.tool_choice, "required");
}

TEST_F(MessagesTest, ObeysOutputConfig) {
  const std::string format = R"("format":{"type":"json_schema","schema":{"type":"object"}})";
  ASSERT_EQ(Ask1(R"("output_config":{"effort":"low",)" + format + "}").status, 200);
  const auto& asked = serving_.language->requests.back();
  EXPECT_EQ(asked.constraint.kind, engine::OutputConstraint::Kind::kJsonSchema);
  EXPECT_EQ(asked.constraint.source, R"({"type":"object"})");
  EXPECT_EQ(std::get<engine::ChatPrompt>(asked.prompt).template_kwargs, R"({"reasoning_effort":"low"})");
  EXPECT_EQ(Ask1(R"("output_config":{"format":{"type":"xml"}})").status, 400);
  EXPECT_EQ(Ask1(R"("output_config":1)").status, 400);
}

TEST_F(MessagesTest, ListsModelsInItsOwnShape) {
  constexpr const char* kVersion = "anthropic-version: 2023-06-01\r\n";
  const auto list = Json(Call("GET", "/v1/models", "", kVersion));
  EXPECT_EQ(list.at("has_more"), false);
  EXPECT_EQ(GetString(list, "last_id"), "digits");
  const auto one = Json(Call("GET", "/v1/models/digits", "", kVersion));
  EXPECT_EQ(list.at("data"), json::array{json::value(one)});
  EXPECT_EQ(GetString(one, "type"), "model");
  EXPECT_EQ(GetString(one, "display_name"), "digits");
  EXPECT_TRUE(GetString(one, "created_at").ends_with("Z"));
}

TEST_F(MessagesTest, RefusesInItsOwnShape) {
  const auto wrong = Call("POST", "/v1/messages", R"({"model":"chatty","messages":[]})");
  EXPECT_EQ(wrong.status, 400);
  const auto body = Json(wrong);
  EXPECT_EQ(GetString(body, "type"), "error");
  EXPECT_EQ(GetString(body.at("error").as_object(), "type"), "invalid_request_error");
  EXPECT_NE(GetString(body, "request_id"), "");
  const std::string ask = std::string("{") + kAsk + "}";
  const auto with = [&](const std::string& field) {
    Client client(server_->port());
    client.Send("POST /v1/messages HTTP/1.1\r\nHost: localhost\r\n" + field +
                "\r\nContent-Length: " + std::to_string(ask.size()) + "\r\n\r\n" + ask);
    return client.Read();
  };
  EXPECT_EQ(with("x-api-key: good").status, 200);
  const auto refused = with("x-api-key: bad");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(GetString(Json(refused).at("error").as_object(), "type"), "authentication_error");
}

}  // namespace
}  // namespace atelier::api
