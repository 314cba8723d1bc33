// What `chat` is made of: input, the conversation, and answers from a stream.
#include <gtest/gtest.h>

#include <chrono>
#include <csignal>
#include <thread>

#include "atelier/cli/chat_input.h"
#include "atelier/cli/conversation.h"
#include "atelier/cli/text_answer.h"
#include "base/json.h"
#include "stub_server.h"

namespace atelier::cli {
namespace {

// The inputs that the lines make; "..." at the end if something is still open.
std::vector<std::string> Inputs(const std::vector<std::string>& lines) {
  std::vector<std::string> inputs;
  ChatInput input;
  for (const auto& line : lines) {
    if (input.Add(line)) {
      inputs.push_back(input.Take());
    }
  }
  if (input.open()) {
    inputs.emplace_back("...");
  }
  return inputs;
}

using Texts = std::vector<std::string>;

TEST(ChatInput, PutsLinesTogether) {
  EXPECT_EQ(Inputs({"one", "", "two"}), (Texts{"one", "", "two"}));
  EXPECT_EQ(Inputs({"one\\", "two\\", "three", "four"}), (Texts{"one\ntwo\nthree", "four"}));
  EXPECT_EQ(Inputs({"\\", "你好"}), (Texts{"\n你好"}));
  EXPECT_EQ(Inputs({"open\\"}), Texts{"..."});
  EXPECT_EQ(Inputs({R"(""")", "one", "two\\", R"(""")", "three"}), (Texts{"one\ntwo\\\n", "three"}));
  EXPECT_EQ(Inputs({R"("""one)", R"(two""")"}), Texts{"one\ntwo"});
  EXPECT_EQ(Inputs({R"("""one""")"}), Texts{"one"});
  EXPECT_EQ(Inputs({R"(""")"}), Texts{"..."});
  EXPECT_EQ(Inputs({R"(say """)"}), Texts{R"(say """)"});
}

TEST(ChatInput, TellsCommandsFromQuestions) {
  const auto command = ParseChatCommand("/system  Be brief. \n");
  ASSERT_TRUE(command.has_value());
  EXPECT_EQ(command->name, "system");
  EXPECT_EQ(command->argument, "Be brief.");
  EXPECT_EQ(ParseChatCommand("/help")->argument, "");
  EXPECT_EQ(ParseChatCommand("/")->name, "");
  EXPECT_FALSE(ParseChatCommand("/usr/bin: what is it?").has_value());
  EXPECT_FALSE(ParseChatCommand("What does /help do?").has_value());
  EXPECT_FALSE(ParseChatCommand("").has_value());
}

std::string Contents(const Conversation& conversation) {
  const auto request = conversation.Request();
  std::string text;
  for (const auto& message : request.at("messages").as_array()) {
    text += (text.empty() ? "" : "|") + GetString(message.as_object(), "content");
  }
  return text;
}

TEST(Conversation, KeepsWhatWasSaid) {
  Conversation conversation("m", {{"temperature", 0.5}});
  EXPECT_FALSE(conversation.TakeBackAnswer());
  conversation.SetSystem("brief");
  conversation.Ask("a");
  conversation.Answer({{"role", "assistant"}, {"content", "b"}});
  conversation.Ask("c");
  EXPECT_EQ(Contents(conversation), "brief|a|b|c");
  conversation.Withdraw();
  EXPECT_EQ(Contents(conversation), "brief|a|b");
  EXPECT_TRUE(conversation.TakeBackAnswer());
  EXPECT_EQ(Contents(conversation), "brief|a");
  conversation.Clear();
  EXPECT_EQ(Contents(conversation), "brief");
  EXPECT_EQ(GetNumber(conversation.Request(), "temperature"), 0.5);
  EXPECT_EQ(GetString(conversation.Request(), "model"), "m");
}

TEST(Conversation, SetsFieldsButItsOwn) {
  Conversation conversation("m", {});
  EXPECT_TRUE(conversation.Set("top_p", 0.25).ok());
  EXPECT_EQ(GetNumber(conversation.Request(), "top_p"), 0.25);
  EXPECT_TRUE(conversation.Set("top_p", nullptr).ok());
  EXPECT_FALSE(conversation.Request().contains("top_p"));
  for (const char* key : {"model", "messages", "stream", "n"}) {
    EXPECT_FALSE(conversation.Set(key, 1).ok()) << key;
  }
}

TEST(Conversation, IsSavedAndRestored) {
  Conversation conversation("m", {{"seed", 7}});
  conversation.SetSystem("brief");
  conversation.Ask("你好");
  Conversation other("other", {});
  ASSERT_TRUE(other.Restore(*ParseJson(json::serialize(conversation.Saved()))).ok());
  EXPECT_EQ(Contents(other), "brief|你好");
  EXPECT_EQ(GetInt(other.Request(), "seed"), 7);
  EXPECT_EQ(GetString(other.Request(), "model"), "other");
  for (const char* bad : {"1", "{}", R"([1])", R"([{"role":"user"}])", R"({"messages":{}})",
                          R"({"messages":[],"settings":[]})", R"({"messages":[{"content":"x"}]})"}) {
    EXPECT_FALSE(other.Restore(*ParseJson(bad)).ok()) << bad;
  }
  EXPECT_EQ(Contents(other), "brief|你好");
  ASSERT_TRUE(other.Restore(*ParseJson(R"([{"role":"user","content":"only"}])")).ok());
  EXPECT_EQ(Contents(other), "brief|only");
}

std::string Event(std::string_view data) { return "data: " + std::string(data) + "\n\n"; }

std::string Delta(std::string_view delta) {
  return Event(R"({"choices":[{"index":0,"delta":)" + std::string(delta) + "}]}");
}

struct Streamed {
  TextAnswer answer;
  std::string shown;  // reasoning in brackets
  Status status;
};

Streamed Stream(const Api& client, const std::string& target = "/v1/chat/completions") {
  Api api = client;
  Streamed out;
  const auto show = [&out](PieceKind kind, std::string_view text) {
    out.shown += kind == PieceKind::kReasoning ? "[" + std::string(text) + "]" : std::string(text);
  };
  out.status = StreamAnswer(api, target, {{"model", "m"}}, show, out.answer);
  return out;
}

TEST(StreamAnswer, PutsPiecesTogether) {
  const std::string body =
      Delta(R"({"role":"assistant","content":""})") + Delta(R"({"reasoning_content":"hm"})") +
      Delta(R"({"content":"你"})") + Delta(R"({"content":"好"})") +
      Delta(
          R"({"tool_calls":[{"index":0,"id":"c1","type":"function","function":{"name":"f","arguments":"{\"a\""}}]})") +
      Delta(R"({"tool_calls":[{"index":0,"function":{"arguments":":1}"}},{"index":-1},{"index":1000000}]})") +
      Event(R"({"choices":[{"index":1,"delta":{"content":"other"}},{"index":0,"delta":{},"finish_reason":"stop"}]})") +
      Event(
          R"({"choices":[],"usage":{"prompt_tokens":5,"completion_tokens":4,"prompt_tokens_details":{"cached_tokens":3}}})") +
      Event("[DONE]");
  StubServer server([&](const Seen&) { return Answer(200, body, "text/event-stream"); });
  const auto [answer, shown, status] = Stream(server.Client());
  ASSERT_TRUE(status.ok()) << status.error().message;
  EXPECT_EQ(shown, "[hm]你好");
  EXPECT_EQ(answer.content, "你好");
  EXPECT_EQ(answer.finish_reason, "stop");
  EXPECT_EQ(answer.completion_tokens, 4);
  EXPECT_GT(answer.first_s, 0);
  EXPECT_EQ(json::value(answer.Message()),
            *ParseJson(R"({"role":"assistant","content":"你好","tool_calls":[{"id":"c1","type":"function",
                          "function":{"name":"f","arguments":"{\"a\":1}"}}]})"));
  EXPECT_NE(answer.Statistics().find("4 tokens"), std::string::npos);
  EXPECT_NE(answer.Statistics().find("3 known"), std::string::npos);
  const auto sent = *ParseJson(server.seen()[0].body);
  EXPECT_TRUE(GetBool(sent.as_object(), "stream"));
  EXPECT_EQ(Line(server.seen()[0]), "POST /v1/chat/completions");
}

TEST(StreamAnswer, ReadsCompletions) {
  StubServer server([&](const Seen&) {
    return Answer(200, Event(R"({"choices":[{"index":0,"text":"once"}]})") + Event("[DONE]"), "text/event-stream");
  });
  EXPECT_EQ(Stream(server.Client(), "/v1/completions").answer.content, "once");
}

TEST(StreamAnswer, KeepsWhatCameBeforeAnError) {
  const auto failing = [](const std::string& rest) {
    StubServer server(
        [&](const Seen&) { return Answer(200, Delta(R"({"content":"so far"})") + rest, "text/event-stream"); });
    auto out = Stream(server.Client());
    EXPECT_EQ(out.answer.content, "so far");
    return out.status.ok() ? "" : out.status.error().reason;
  };
  EXPECT_EQ(failing(Event(R"({"error":{"message":"the worker died","code":"worker_lost"}})")), "worker_lost");
  EXPECT_EQ(failing(Event("no json")), "connection_failed");
  EXPECT_EQ(failing(""), "connection_failed");
}

TEST(StreamAnswer, GivesTheServersRefusal) {
  StubServer server([](const Seen&) {
    return Answer(400, R"({"error":{"message":"this model has no chat template","code":"no_chat_template"}})");
  });
  const auto out = Stream(server.Client());
  EXPECT_EQ(out.status.error().reason, "no_chat_template");
  EXPECT_TRUE(out.answer.empty());
}

// An answer that does not end, and Ctrl-C.
TEST(StreamAnswer, StopsAtAnInterrupt) {
  StubServer server([](const Seen&) {
    return "HTTP/1.1 200 X\r\nContent-Type: text/event-stream\r\nContent-Length: 100000\r\n\r\n" +
           Delta(R"({"content":"so far"})");
  });
  WatchEveryInterrupt();
  Api api = server.Client();
  TextAnswer answer;
  const auto show = [](PieceKind, std::string_view) {
    std::raise(SIGINT);
    std::raise(SIGINT);  // the second one is harmless, too
  };
  const auto status = StreamAnswer(api, "/v1/chat/completions", {}, show, answer);
  WatchEveryInterrupt();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().reason, "interrupted");
  EXPECT_EQ(answer.content, "so far");
  EXPECT_FALSE(Interrupted());
}

}  // namespace
}  // namespace atelier::cli
