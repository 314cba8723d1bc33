#include <gtest/gtest.h>

#include <sstream>

#include "api/testing/fixture.h"

namespace atelier::api {
namespace {

using engine::FinishReason;
using test::Answer;
using test::Client;
using test::Delta;
using test::Finish;
using test::Kind;

class OllamaTest : public test::ServerTest {
 protected:
  Answer Post(const std::string& path, const std::string& more) {
    return Call("POST", path, R"({"model":"chatty:latest",)" + more + "}");
  }
  // The lines of a stream.
  std::vector<json::object> Lines(const std::string& path, const std::string& more) {
    Client client(server_->port());
    client.Send(Ask("POST", path, R"({"model":"chatty",)" + more + "}"));
    std::istringstream text(client.ReadUntil("\r\n0\r\n"));
    std::vector<json::object> lines;
    for (std::string line; std::getline(text, line);) {
      if (line.starts_with('{')) {
        lines.push_back(ParseJson(line).value().as_object());
      }
    }
    return lines;
  }
};

TEST_F(OllamaTest, ChatsInLines) {
  const auto lines = Lines("/api/chat", R"("messages":[{"role":"user","content":"hi"}],"options":{"num_predict":5})");
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0].at("message"), (json::object{{"role", "assistant"}, {"content", "Hello"}}));
  EXPECT_FALSE(GetBool(lines[0], "done", true));
  EXPECT_TRUE(GetBool(lines[2], "done"));
  EXPECT_EQ(GetString(lines[2], "done_reason"), "stop");
  EXPECT_EQ(GetInt(lines[2], "eval_count"), 3);
  EXPECT_EQ(GetInt(lines[2], "eval_duration"), 3000);
  EXPECT_EQ(GetInt(lines[2], "total_duration"), 6000);
  const auto& asked = serving_.language->requests.back();
  EXPECT_EQ(asked.sampling.temperature, 0.8F);
  EXPECT_EQ(asked.sampling.top_k, 40);
  EXPECT_EQ(asked.max_tokens, 5);
  EXPECT_TRUE(asked.parse_chat);
}

TEST_F(OllamaTest, CallsToolsWithObjects) {
  serving_.language->script = {test::Call("c1", "get"), Delta(Kind::kToolCallArguments, R"({"a":)"),
                               Delta(Kind::kToolCallArguments, "1}"), Finish(FinishReason::kToolCalls)};
  const auto expected = ParseJson(R"([{"id":"c1","function":{"index":0,"name":"get","arguments":{"a":1}}}])").value();
  const auto lines = Lines("/api/chat", R"("messages":[{"role":"user","content":"hi"}])");
  ASSERT_EQ(lines.size(), 2U);
  EXPECT_EQ(lines[0].at("message").at("tool_calls"), expected);
  const auto whole = Json(Post("/api/chat", R"("stream":false,"messages":[{"role":"assistant","content":"",
    "tool_calls":[{"function":{"name":"get","arguments":{"a":1}}}]},{"role":"tool","content":"1","tool_name":"get"}])"));
  EXPECT_EQ(whole.at("message").at("tool_calls"), expected);
}

TEST_F(OllamaTest, Generates) {
  const auto whole = Json(Post("/api/generate", R"("prompt":"a","stream":false,"format":{"type":"object"})"));
  EXPECT_EQ(GetString(whole, "response"), "Hello \"world\"");
  EXPECT_TRUE(GetBool(whole, "done"));
  const auto& asked = serving_.language->requests.back();
  EXPECT_EQ(std::get<engine::TextPrompt>(asked.prompt).text, "a");
  EXPECT_EQ(asked.constraint.kind, engine::OutputConstraint::Kind::kJsonSchema);
  EXPECT_EQ(GetString(Json(Post("/api/generate", R"("prompt":"")")), "done_reason"), "load");
  EXPECT_EQ(Lines("/api/generate", R"("prompt":"a")").size(), 3U);
}

TEST_F(OllamaTest, ListsWhatIsThereAndWhatRuns) {
  EXPECT_EQ(Call("GET", "/api/tags").body, R"({"models":[]})");  // "digits" is no language model
  EXPECT_EQ(Call("GET", "/api/ps").body, R"({"models":[]})");
  serving_.lists_language = true;
  const auto tags = Json(Call("GET", "/api/tags"));
  const auto& listed = tags.at("models").at(0).as_object();
  EXPECT_EQ(GetString(listed, "model"), "chatty");
  EXPECT_EQ(listed.at("capabilities"), (json::array{"completion", "embedding"}));
  const auto ps = Json(Call("GET", "/api/ps"));
  const auto& running = ps.at("models").at(0).as_object();
  EXPECT_EQ(GetString(running, "name"), "chatty");
  EXPECT_EQ(GetInt(running, "size"), 2);
  EXPECT_EQ(GetInt(running, "context_length"), 64);
}

TEST_F(OllamaTest, EmbedsAndRefuses) {
  EXPECT_EQ(Json(Post("/api/embed", R"("input":["a","b"])")).at("embeddings"),
            ParseJson("[[0.5,-1],[0.5,-1]]").value());
  EXPECT_EQ(Json(Post("/api/embeddings", R"("prompt":"a")")).at("embedding"), (json::array{0.5, -1}));
  EXPECT_EQ(Call("GET", "/api/version").body, R"({"version":"test"})");
  EXPECT_EQ(Call("POST", "/api/show", R"({"model":"digits"})").status, 404);
  const auto missing = Call("POST", "/api/chat", R"({"model":"none","messages":[{"role":"user","content":"a"}]})");
  EXPECT_EQ(missing.status, 404);
  EXPECT_TRUE(Json(missing).at("error").is_string());
  EXPECT_EQ(Post("/api/generate", R"("prompt":"a","images":["x"])").status, 400);
  EXPECT_EQ(Post("/api/generate", R"("prompt":"a","options":{"temperature":-1})").status, 400);
}

}  // namespace
}  // namespace atelier::api
