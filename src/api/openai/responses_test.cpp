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

class ResponsesTest : public test::ServerTest {
 protected:
  Answer Respond(const std::string& more) {
    return Call("POST", "/v1/responses", R"({"model":"chatty",)" + more + "}");
  }
  std::vector<json::object> Stream(const std::string& more) {
    Client client(server_->port());
    client.Send(Ask("POST", "/v1/responses", R"({"model":"chatty","stream":true,)" + more + "}"));
    return Events(client.ReadUntil("\r\n0\r\n"));
  }
  json::array Messages() {
    const auto& chat = std::get<engine::ChatPrompt>(serving_.language->requests.back().prompt);
    return ParseJson(chat.messages).value().as_array();
  }
};

TEST_F(ResponsesTest, AnswersAndGoesOn) {
  const auto body = Json(Respond(R"("input":"hi","instructions":"be kind","max_output_tokens":20)"));
  const std::string id = GetString(body, "id");
  EXPECT_TRUE(id.starts_with("resp_"));
  EXPECT_EQ(GetString(body, "object"), "response");
  EXPECT_EQ(GetString(body, "status"), "completed");
  EXPECT_EQ(GetString(body, "instructions"), "be kind");
  EXPECT_EQ(GetInt(body, "max_output_tokens"), 20);
  const auto& item = body.at("output").as_array().at(0).as_object();
  EXPECT_EQ(GetString(item, "type"), "message");
  EXPECT_EQ(item.at("content"),
            ParseJson(R"([{"type":"output_text","text":"Hello \"world\"","annotations":[],"logprobs":[]}])").value());
  EXPECT_EQ(GetInt(body.at("usage").as_object(), "input_tokens"), 5);
  EXPECT_EQ(Messages(), ParseJson(R"([{"role":"system","content":"be kind"},{"role":"user","content":"hi"}])").value());
  EXPECT_EQ(Json(Call("GET", "/v1/responses/" + id)), body);
  EXPECT_EQ(Respond(R"("input":[{"role":"user","content":[{"type":"input_text","text":"more"}]}],
    "previous_response_id":")" +
                    id + "\"")
                .status,
            200);
  EXPECT_EQ(Messages(), ParseJson(R"([{"role":"user","content":"hi"},
    {"role":"assistant","content":"Hello \"world\""},{"role":"user","content":"more"}])")
                            .value());
  EXPECT_EQ(Call("DELETE", "/v1/responses/" + id).status, 200);
  EXPECT_EQ(Call("GET", "/v1/responses/" + id).status, 404);
  EXPECT_EQ(Reason(Respond(R"("input":"a","previous_response_id":")" + id + "\"")), "previous_response_not_found");
}

TEST_F(ResponsesTest, StreamsTextInOrder) {
  const auto events = Stream(R"("input":"hi")");
  EXPECT_EQ(test::Types(events),
            "response.created response.in_progress response.output_item.added response.content_part.added "
            "response.output_text.delta response.output_text.delta response.output_text.done "
            "response.content_part.done response.output_item.done response.completed");
  for (size_t i = 0; i < events.size(); ++i) {
    EXPECT_EQ(GetInt(events[i], "sequence_number"), static_cast<int64_t>(i));
  }
  const auto& response = events.back().at("response").as_object();
  EXPECT_EQ(response.at("output").as_array().at(0), events[8].at("item"));
  EXPECT_EQ(GetString(events[0].at("response").as_object(), "status"), "in_progress");
}

TEST_F(ResponsesTest, StreamsReasoningCallsAndEnds) {
  serving_.language->script = {Delta(Kind::kReasoning, "hm"), test::Call("c1", "get"),
                               Delta(Kind::kToolCallArguments, "{}"), Finish(FinishReason::kToolCalls)};
  const char* ask = R"("input":"a","tools":[{"type":"function","name":"get","parameters":{}}])";
  EXPECT_EQ(test::Types(Stream(ask)),
            "response.created response.in_progress response.output_item.added response.content_part.added "
            "response.reasoning_text.delta response.reasoning_text.done response.content_part.done "
            "response.output_item.done response.output_item.added response.function_call_arguments.delta "
            "response.function_call_arguments.done response.output_item.done response.completed");
  const auto output = Json(Respond(ask)).at("output").as_array();
  ASSERT_EQ(output.size(), 2U);
  EXPECT_EQ(GetString(output[1].as_object(), "call_id"), "c1");
  EXPECT_EQ(GetString(output[1].as_object(), "arguments"), "{}");
  serving_.language->script = {Delta(Kind::kContent, "a"), Finish(FinishReason::kLength)};
  EXPECT_EQ(GetString(Stream(R"("input":"a")").back(), "type"), "response.incomplete");
  const auto cut = Json(Respond(R"("input":"a")"));
  EXPECT_EQ(GetString(cut, "status"), "incomplete");
  EXPECT_EQ(cut.at("incomplete_details"), (json::object{{"reason", "max_output_tokens"}}));
  serving_.language->status = Unavailable("gone", "worker_crashed");
  EXPECT_EQ(GetString(Stream(R"("input":"a")").back(), "type"), "response.failed");
}

TEST_F(ResponsesTest, JoinsItemsToMessages) {
  ASSERT_EQ(Respond(R"("input":[{"role":"user","content":"q"},
    {"type":"reasoning","id":"rs_1","summary":[],"content":[{"type":"reasoning_text","text":"hm"}]},
    {"type":"function_call","call_id":"c1","name":"f","arguments":"{}"},
    {"type":"function_call_output","call_id":"c1","output":"42"}],
    "tools":[{"type":"function","name":"f"}],"tool_choice":{"type":"function","name":"f"}
    ,"text":{"format":{"type":"json_schema","name":"n","schema":{"type":"object"}}})")
                .status,
            200);
  EXPECT_EQ(Messages(), ParseJson(R"([{"role":"user","content":"q"},
    {"role":"assistant","content":null,"reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function",
     "function":{"name":"f","arguments":"{}"}}]},
    {"role":"tool","tool_call_id":"c1","content":"42"}])")
                            .value());
  const auto& asked = serving_.language->requests.back();
  EXPECT_EQ(std::get<engine::ChatPrompt>(asked.prompt).tool_choice, "name:f");
  EXPECT_EQ(asked.constraint.source, R"({"type":"object"})");
  EXPECT_EQ(Respond(R"("input":[{"type":"item_reference","id":"x"}])").status, 400);
  EXPECT_EQ(Respond(R"("input":"a","background":true)").status, 400);
  EXPECT_EQ(Respond(R"("input":"a","tools":[{"type":"web_search"}])").status, 400);
  EXPECT_EQ(Respond(R"("x":1)").status, 400);
}

}  // namespace
}  // namespace atelier::api
