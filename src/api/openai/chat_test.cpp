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

constexpr const char* kMessages = R"("model":"chatty","messages":[{"role":"user","content":"hi"}])";

class ChatTest : public test::ServerTest {
 protected:
  Answer Chat(const std::string& more = "") {
    return Call("POST", "/v1/chat/completions", std::string("{") + kMessages + (more.empty() ? "" : "," + more) + "}");
  }
  std::string Stream(const std::string& path, const std::string& body, const std::string& until) {
    Client client(server_->port());
    client.Send(Ask("POST", path, body));
    return client.ReadUntil(until);
  }
  std::string ChatStream(const std::string& more = "", const std::string& until = "\r\n0\r\n") {
    return Stream("/v1/chat/completions", std::string("{\"stream\":true,") + kMessages + more + "}", until);
  }
  const engine::GenerationRequest& Asked() { return serving_.language->requests.back(); }
  static std::string Param(const Answer& answer) {
    const auto body = Json(answer);
    const auto* error = body.if_contains("error");
    return error == nullptr ? "no error" : GetString(error->as_object(), "param");
  }
};

TEST_F(ChatTest, AnswersAtOnce) {
  const auto answer = Chat();
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto body = Json(answer);
  EXPECT_TRUE(GetString(body, "id").starts_with("chatcmpl-"));
  EXPECT_EQ(GetString(body, "object"), "chat.completion");
  EXPECT_EQ(GetString(body, "model"), "chatty");
  EXPECT_EQ(GetString(body, "system_fingerprint"), "fp_fake");
  const auto& choice = body.at("choices").as_array().at(0).as_object();
  EXPECT_EQ(choice.at("message"),
            ParseJson(R"({"role":"assistant","refusal":null,"content":"Hello \"world\""})").value());
  EXPECT_EQ(GetString(choice, "finish_reason"), "stop");
  EXPECT_TRUE(choice.at("logprobs").is_null());
  const auto& usage = body.at("usage").as_object();
  EXPECT_EQ(GetInt(usage, "total_tokens"), 8);
  EXPECT_EQ(GetInt(usage.at("prompt_tokens_details").as_object(), "cached_tokens"), 2);
  EXPECT_EQ(GetInt(usage.at("completion_tokens_details").as_object(), "reasoning_tokens"), 1);
  EXPECT_TRUE(Asked().parse_chat);
  EXPECT_NE(Asked().sampling.seed, 0U);
}

TEST_F(ChatTest, TakesPredictions) {
  auto& usage = serving_.language->usage;
  usage.accepted_prediction_tokens = 3;
  usage.rejected_prediction_tokens = 1;
  const auto answer = Chat(R"("prediction":{"type":"content","content":"Hello world"})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  EXPECT_EQ(Asked().prediction, "Hello world");
  const auto body = Json(answer);
  const auto& details = body.at("usage").at("completion_tokens_details").as_object();
  EXPECT_EQ(GetInt(details, "accepted_prediction_tokens"), 3);
  EXPECT_EQ(GetInt(details, "rejected_prediction_tokens"), 1);
  ASSERT_EQ(Chat(R"("prediction":{"type":"content","content":[{"type":"text","text":"Hello "},
    {"type":"text","text":"world"}]})")
                .status,
            200);
  EXPECT_EQ(Asked().prediction, "Hello world");
  EXPECT_EQ(Param(Chat(R"("prediction":{"type":"static","content":"x"})")), "prediction.type");
  EXPECT_EQ(Param(Chat(R"("prediction":{"type":"content"})")), "prediction.content");
  EXPECT_EQ(Param(Chat(R"("prediction":{"type":"content","content":[{"type":"image"}]})")), "prediction.content[0]");
  EXPECT_EQ(Param(Chat(R"("prediction":"x")")), "prediction");
}

TEST_F(ChatTest, PassesOnWhatIsAsked) {
  ASSERT_EQ(Chat(R"("temperature":0,"top_p":0.5,"n":1,"stop":["a","b"],"max_completion_tokens":9,"seed":-1,
    "logit_bias":{"5":-100},"top_k":3,"min_p":0.1,"typical_p":0.9,"repetition_penalty":1.5,"min_tokens":2,
    "ignore_eos":true,"stop_token_ids":[7],"response_format":{"type":"json_schema","json_schema":{"name":"n",
    "schema":{"type":"object"}}},"tools":[{"type":"function","function":{"name":"f"}}],
    "tool_choice":{"type":"function","function":{"name":"f"}},"chat_template_kwargs":{"a":1},"unknown":1)")
                .status,
            200);
  const auto& asked = Asked();
  EXPECT_EQ(asked.sampling.temperature, 0);
  EXPECT_EQ(asked.sampling.seed, ~uint64_t{0});
  EXPECT_EQ(asked.sampling.logit_bias.at(5), -100);
  EXPECT_EQ(asked.sampling.stop_token_ids, std::vector<int32_t>{7});
  EXPECT_EQ(asked.stop, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(asked.max_tokens, 9);
  EXPECT_EQ(asked.constraint.kind, engine::OutputConstraint::Kind::kJsonSchema);
  EXPECT_EQ(asked.constraint.source, R"({"type":"object"})");
  const auto& chat = std::get<engine::ChatPrompt>(asked.prompt);
  EXPECT_EQ(chat.tool_choice, "name:f");
  EXPECT_EQ(chat.template_kwargs, R"({"a":1})");
  EXPECT_EQ(chat.messages, R"([{"role":"user","content":"hi"}])");
}

TEST_F(ChatTest, RefusesWhatIsWrong) {
  const std::pair<const char*, const char*> wrong[] = {
      {R"("temperature":2.1)", "temperature"},
      {R"("temperature":"hot")", "temperature"},
      {R"("n":0)", "n"},
      {R"("n":129)", "n"},
      {R"("max_tokens":0)", "max_tokens"},
      {R"("top_logprobs":2)", "top_logprobs"},
      {R"("logprobs":true,"top_logprobs":21)", "top_logprobs"},
      {R"("stop":[1])", "stop"},
      {R"("logit_bias":{"x":1})", "logit_bias"},
      {R"("logit_bias":{"1":101})", "logit_bias.1"},
      {R"("stream_options":{})", "stream_options"},
      {R"("tool_choice":"required")", "tool_choice"},
      {R"("tools":[{"type":"custom"}])", "tools[0].type"},
      {R"("response_format":{"type":"xml"})", "response_format.type"},
      {R"("guided_regex":"a","guided_choice":["b"])", "guided_choice"},
      {R"("functions":[])", "functions"},
      {R"("seed":1.5)", "seed"},
  };
  for (const auto& [more, param] : wrong) {
    const auto answer = Chat(more);
    EXPECT_EQ(answer.status, 400) << more;
    EXPECT_EQ(Param(answer), param) << answer.body;
  }
  const auto ask = [&](const std::string& body) { return Call("POST", "/v1/chat/completions", body); };
  EXPECT_EQ(Reason(ask(R"({"model":"chatty"})")), "missing_required_parameter");
  EXPECT_EQ(Param(ask(R"({"model":"chatty","messages":[]})")), "messages");
  EXPECT_EQ(Param(ask(R"({"model":"chatty","messages":[{"role":"king","content":""}]})")), "messages[0].role");
  EXPECT_EQ(ask(R"({"model":"none","messages":[{"role":"user","content":""}]})").status, 404);
  serving_.language->script = {};
  serving_.language->status = InvalidArgument("too long", "messages", "context_length_exceeded");
  EXPECT_EQ(Reason(Chat()), "context_length_exceeded");
  const auto early = Chat(R"("stream":true)");
  EXPECT_EQ(early.status, 400);
  EXPECT_EQ(Reason(early), "context_length_exceeded");
}

TEST_F(ChatTest, Streams) {
  const std::string text = ChatStream(R"(,"stream_options":{"include_usage":true})");
  EXPECT_NE(text.find("Content-Type: text/event-stream"), std::string::npos);
  EXPECT_NE(text.find("data: [DONE]\n\n"), std::string::npos);
  const auto events = Events(text);
  ASSERT_EQ(events.size(), 5U) << text;
  const auto choice = [&](size_t i) { return events[i].at("choices").as_array().at(0).as_object(); };
  EXPECT_EQ(choice(0).at("delta"), (json::object{{"role", "assistant"}, {"content", ""}}));
  EXPECT_EQ(choice(1).at("delta"), (json::object{{"content", "Hello"}}));
  EXPECT_TRUE(choice(1).at("finish_reason").is_null());
  EXPECT_TRUE(events[1].at("usage").is_null());
  EXPECT_EQ(choice(3).at("delta"), json::object());
  EXPECT_EQ(GetString(choice(3), "finish_reason"), "stop");
  EXPECT_TRUE(events[4].at("choices").as_array().empty());
  EXPECT_EQ(GetInt(events[4].at("usage").as_object(), "prompt_tokens"), 5);
  for (const auto& event : events) {
    EXPECT_EQ(event.at("id"), events[0].at("id"));
    EXPECT_EQ(GetString(event, "object"), "chat.completion.chunk");
  }
}

TEST_F(ChatTest, TellsToolCallsAndReasoning) {
  auto call = test::Call("c1", "get");
  auto arguments = Delta(Kind::kToolCallArguments, R"({"a":1})");
  serving_.language->script = {Delta(Kind::kReasoning, "hm"), call, arguments, Finish(FinishReason::kToolCalls)};
  const auto choice = Json(Chat()).at("choices").as_array().at(0).as_object();
  EXPECT_EQ(choice.at("message"), ParseJson(R"({"role":"assistant","refusal":null,"content":null,
    "reasoning_content":"hm","tool_calls":[{"id":"c1","type":"function","function":{"name":"get",
    "arguments":"{\"a\":1}"}}]})")
                                      .value());
  EXPECT_EQ(GetString(choice, "finish_reason"), "tool_calls");
  const auto events = Events(ChatStream());
  ASSERT_EQ(events.size(), 5U);
  const auto delta = [&](size_t i) { return events[i].at("choices").as_array().at(0).at("delta"); };
  EXPECT_EQ(delta(1), (json::object{{"reasoning_content", "hm"}}));
  EXPECT_EQ(delta(2), ParseJson(R"({"tool_calls":[{"id":"c1","type":"function",
    "function":{"name":"get","arguments":""},"index":0}]})")
                          .value());
  EXPECT_EQ(delta(3), ParseJson(R"({"tool_calls":[{"index":0,"function":{"arguments":"{\"a\":1}"}}]})").value());
}

TEST_F(ChatTest, TellsProbabilities) {
  auto content = Delta(Kind::kContent, "a");
  content.logprobs = {test::Token(3, "\xe2", -0.5F)};
  serving_.language->script = {content, Finish()};
  const auto choice = Json(Chat(R"("logprobs":true,"top_logprobs":2)")).at("choices").as_array().at(0).as_object();
  const auto& token = choice.at("logprobs").at("content").as_array().at(0).as_object();
  EXPECT_EQ(token.at("bytes"), (json::array{226}));
  EXPECT_EQ(GetString(token, "token"), "\xEF\xBF\xBD");
  EXPECT_EQ(token.at("logprob").as_double(), -0.5);
  EXPECT_EQ(token.at("top_logprobs").as_array().size(), 2U);
}

TEST_F(ChatTest, EndsABrokenStreamWithAnError) {
  serving_.language->script = {Delta(Kind::kContent, "a")};
  serving_.language->status = Unavailable("the worker crashed", "worker_crashed");
  const std::string text = ChatStream();
  EXPECT_EQ(text.find("[DONE]"), std::string::npos);
  auto events = Events(text);
  EXPECT_EQ(GetString(events.back().at("error").as_object(), "code"), "worker_crashed");
  events = Events(ChatStream(R"(,"stream_options":{"include_usage":true})"));  // what came was used
  EXPECT_EQ(GetInt(events.at(events.size() - 2).at("usage").as_object(), "completion_tokens"), 3);
  EXPECT_TRUE(events.back().contains("error"));
}

TEST_F(ChatTest, StreamsProbabilitiesOfThePromptFirst) {
  auto prompt = Delta(Kind::kPrompt);
  prompt.logprobs = {test::Token(1, "a", 0), test::Token(2, "b", -0.5F)};
  serving_.language->script = {prompt, Delta(Kind::kContent, "c"), Finish()};
  const auto expected = ParseJson(R"([null,{"2":{"logprob":-5E-1,"rank":1,"decoded_token":"b"},
                                            "3":{"logprob":-1.5E0,"rank":2,"decoded_token":"x"}}])")
                            .value();
  const auto chat = Events(ChatStream(R"(,"prompt_logprobs":2)"));
  EXPECT_EQ(Asked().prompt_logprobs, 2);
  EXPECT_EQ(chat.at(0).at("prompt_logprobs"), expected);
  EXPECT_FALSE(chat.at(1).contains("prompt_logprobs"));
  const auto text = Events(
      Stream("/v1/completions", R"({"model":"chatty","prompt":"ab","stream":true,"prompt_logprobs":2})", "[DONE]"));
  EXPECT_EQ(text.at(0).at("choices").at(0).at("prompt_logprobs"), expected);
  EXPECT_FALSE(text.at(1).at("choices").at(0).as_object().contains("prompt_logprobs"));
}

TEST_F(ChatTest, CancelsWhenTheClientGoesAway) {
  auto& language = *serving_.language;
  language.silent = true;
  for (const char* stream : {"", "\"stream\":true,"}) {
    for (const bool begun : {false, true}) {
      const int before = language.cancels;
      const size_t asked = language.requests.size();
      {
        Client client(server_->port());
        client.Send(Ask("POST", "/v1/chat/completions", std::string("{") + stream + kMessages + "}"));
        ASSERT_TRUE(language.WaitFor([&] { return language.requests.size() > asked; }));
        if (begun) {
          language.sinks.back()->OnDeltas({Delta(Kind::kContent, "a")});
        }
      }
      EXPECT_TRUE(language.WaitFor([&] { return language.cancels > before; })) << stream << begun;
      language.sinks.back()->OnDone(MakeError(Code::kCancelled, "cancelled"), {});
    }
  }
}

TEST_F(ChatTest, CompletesTexts) {
  const auto ask = [&](const std::string& more) {
    return Call("POST", "/v1/completions", R"({"model":"chatty",)" + more + "}");
  };
  const auto body = Json(ask(R"("prompt":["a","b"],"n":1)"));
  EXPECT_TRUE(GetString(body, "id").starts_with("cmpl-"));
  EXPECT_EQ(GetString(body, "object"), "text_completion");
  ASSERT_EQ(body.at("choices").as_array().size(), 2U);
  const auto second = body.at("choices").as_array()[1].as_object();
  EXPECT_EQ(GetInt(second, "index"), 1);
  EXPECT_EQ(GetString(second, "text"), "Hello \"world\"");
  EXPECT_EQ(GetInt(body.at("usage").as_object(), "prompt_tokens"), 10);
  EXPECT_EQ(Asked().max_tokens, 16);
  EXPECT_EQ(ask(R"("prompt":[1,2],"max_tokens":0)").status, 200);
  EXPECT_EQ(Asked().max_tokens, engine::kPromptOnly);
  EXPECT_EQ(std::get<engine::TokenPrompt>(Asked().prompt).tokens, (std::vector<int32_t>{1, 2}));
  EXPECT_EQ(ask(R"("prompt":[[1],[2]])").status, 200);
  for (const char* wrong : {R"("prompt":[])", R"("prompt":[1,"a"])", R"("prompt":["a",[1]])", R"("prompt":[-1])",
                            R"("prompt":{})", R"("prompt":[[]])", R"("x":1)"}) {
    EXPECT_EQ(ask(wrong).status, 400) << wrong;
  }
  EXPECT_EQ(Reason(ask(R"("prompt":"a","suffix":"b")")), "unsupported_parameter");
  const auto text = Stream("/v1/completions", R"({"model":"chatty","prompt":"a","stream":true})", "[DONE]");
  EXPECT_EQ(Events(text).size(), 3U) << text;
}

TEST_F(ChatTest, EchoesWithProbabilities) {
  auto content = Delta(Kind::kContent, "ab");
  content.logprobs = {test::Token(1, "a", 0), test::Token(2, "b", -0.25F)};
  serving_.language->script = {content, Finish(FinishReason::kLength)};
  const auto body = Json(
      Call("POST", "/v1/completions", R"({"model":"chatty","prompt":"ab","echo":true,"logprobs":1,"max_tokens":0})"));
  EXPECT_EQ(body.at("choices").as_array()[0].at("logprobs"),
            ParseJson(R"({"tokens":["a","b"],"token_logprobs":[null,-2.5E-1],
                          "top_logprobs":[null,{"b":-2.5E-1,"x":-1.25E0}],"text_offset":[0,1]})")
                .value());
}

TEST_F(ChatTest, EmbedsRanksAndTokenizes) {
  const auto post = [&](const std::string& path, const std::string& more) {
    return Call("POST", path, R"({"model":"chatty",)" + more + "}");
  };
  const auto list = Json(post("/v1/embeddings", R"("input":["a","b"])"));
  EXPECT_EQ(list.at("data").as_array().at(1).at("embedding"), (json::array{0.5, -1}));
  const auto packed = Json(post("/v1/embeddings", R"("input":"a","encoding_format":"base64")"));
  EXPECT_EQ(packed.at("data").as_array().at(0).at("embedding").as_string(), "AAAAPwAAgL8=");
  EXPECT_EQ(Param(post("/v1/embeddings", R"("input":"a","dimensions":3)")), "dimensions");
  EXPECT_EQ(Param(post("/v1/embeddings", R"("input":"")")), "input");
  const auto ranked = Json(post("/v1/rerank", R"("query":"b","documents":["a",{"text":"b"}],"top_n":1)"));
  EXPECT_EQ(ranked.at("results"), ParseJson(R"([{"index":1,"relevance_score":0.75,"document":{"text":"b"}}])").value());
  const auto tokens = Json(post("/tokenize", R"("prompt":"a","return_token_strs":true)"));
  EXPECT_EQ(GetInt(tokens, "count"), 2);
  EXPECT_EQ(GetInt(tokens, "max_model_len"), 64);
  EXPECT_EQ(tokens.at("token_strs"), (json::array{"a", "\xEF\xBF\xBD"}));
  EXPECT_EQ(GetInt(Json(post("/tokenize", R"("messages":[{"role":"user","content":"a"}])")), "count"), 3);
  EXPECT_EQ(GetString(Json(post("/detokenize", R"("tokens":[104,105])")), "prompt"), "hi");
}

}  // namespace
}  // namespace atelier::api
