#include <gmock/gmock.h>

#include "base/json.h"
#include "data/testing/importing.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using testing::FakeBlobStore;
using ::testing::HasSubstr;
using testing::Imported;
using testing::RunImport;

Imported Tune(FakeBlobStore& blobs, const std::string& training, const std::string& validation = "",
              const std::string& format = "tuning") {
  std::vector<SourceFile> files{blobs.Source("training_file", training)};
  if (!validation.empty()) {
    files.push_back(blobs.Source("validation_file", validation));
  }
  ImportOptions options;
  options.format = format;
  return RunImport(blobs, files, options);
}

std::vector<std::string> Texts(FakeBlobStore& blobs, const Imported& imported, const std::string& column) {
  std::vector<std::string> out;
  const auto reader = Reader::Open(blobs, imported.content());
  for (int64_t row = 0; reader.ok() && row < imported.content().rows(); ++row) {
    out.emplace_back((*reader)->Bytes(column, row).value());
  }
  return out;
}

TEST(TuningTest, KeepsConversations) {
  FakeBlobStore blobs;
  const auto out = Tune(
      blobs,
      R"({"messages":[{"role":"developer","content":"be brief"},{"role":"user","content":[{"type":"text","text":"a"},)"
      R"({"type":"text","text":"b"}]},{"role":"assistant","content":"no","weight":0},)"
      R"({"role":"assistant","content":"c","weight":1,"name":"x"}],"parallel_tool_calls":false})"
      "\n\n"
      R"({"messages":[{"role":"assistant","content":null,"tool_calls":[{"id":"1","type":"function",)"
      R"("function":{"name":"f","arguments":"{}"}}]}],"tools":[{"type":"function"}]})"
      "\n",
      R"({"messages":[{"role":"assistant","content":"您好"}]})");
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(out.content().split_rows, ElementsAre(2, 1, 0));
  EXPECT_EQ(out.content().task, Task::kNone);
  const auto messages = Texts(blobs, out, "messages");
  ASSERT_EQ(messages.size(), 3U);
  EXPECT_EQ(messages[0],
            R"([{"role":"system","content":"be brief"},{"role":"user","content":"ab"},)"
            R"({"role":"assistant","content":"no","weight":0},{"role":"assistant","content":"c","name":"x"}])");
  EXPECT_THAT(messages[1], HasSubstr(R"("content":"","tool_calls":[{"id":"1")"));
  EXPECT_THAT(messages[2], HasSubstr("您好"));
  EXPECT_THAT(Texts(blobs, out, "tools"), ElementsAre("", R"([{"type":"function"}])", ""));
}

TEST(TuningTest, KeepsCompletionsAndTexts) {
  FakeBlobStore blobs;
  const auto completions = Tune(blobs, R"({"prompt":"2 and 2 is","completion":" 4"})");
  ASSERT_EQ(completions.error, "");
  EXPECT_THAT(Texts(blobs, completions, "completion"), ElementsAre(" 4"));
  const auto texts = Tune(blobs, "{\"text\":\"one\\ntwo\"}\n{\"text\":\"three\"}");
  EXPECT_THAT(Texts(blobs, texts, "text"), ElementsAre("one\ntwo", "three"));
}

TEST(TuningTest, KeepsPreferences) {
  FakeBlobStore blobs;
  const std::string answer = R"([{"role":"assistant","content":)";
  const auto out = Tune(blobs,
                        R"({"input":{"messages":[{"role":"user","content":"hi"}],"tools":[]},"preferred_output":)" +
                            answer + R"("a"}],"non_preferred_output":)" + answer + R"("b"}]})" + "\n" +
                            R"({"prompt":"hi","chosen":"a","rejected":"b"})",
                        "", "preferences");
  ASSERT_EQ(out.error, "");
  EXPECT_THAT(Texts(blobs, out, "prompt"), ElementsAre(R"([{"role":"user","content":"hi"}])", "hi"));
  EXPECT_THAT(Texts(blobs, out, "chosen"), ElementsAre(answer + R"("a"}])", "a"));
  EXPECT_THAT(Texts(blobs, out, "rejected"), ElementsAre(answer + R"("b"}])", "b"));
}

struct Bad {
  const char* row;
  const char* said;
};

TEST(TuningTest, NamesTheLineOfABadRow) {
  const std::string good = R"({"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]})";
  for (const auto& [row, said] : {
           Bad{"{\"messages\":", "line 3: "},
           Bad{"[1]", "no JSON object"},
           Bad{R"({"message":[]})", "a row is"},
           Bad{R"({"messages":[]})", "at least one message"},
           Bad{R"({"messages":[{"role":"user","content":"a"}]})", "no answer"},
           Bad{R"({"messages":[{"role":"assistant","content":"a","weight":0}]})", "no answer"},
           Bad{R"({"messages":[{"role":"assistant","content":"a","weight":2}]})", "messages[0].weight"},
           Bad{R"({"messages":[{"role":"king","content":"a"}]})", "messages[0].role"},
           Bad{R"({"messages":[{"role":"assistant"}]})", "messages[0].content"},
           Bad{R"({"messages":[{"role":"assistant","content":"a","wieght":1}]})", "wieght"},
           Bad{R"({"messages":[{"role":"user","content":[{"type":"image_url"}]}]})", "parts of the type text"},
           Bad{R"({"messages":[{"role":"assistant","tool_calls":[{}]}]})", "tool_calls[0]"},
           Bad{R"({"messages":[{"role":"assistant","content":"a"}],"functions":[]})", "functions"},
           Bad{R"({"text":"a"})", "one shape"},
           Bad{R"({"prompt":"a","completion":" "})", "completion"},
       }) {
    FakeBlobStore blobs;
    const auto out = Tune(blobs, good + "\n" + good + "\n" + row + "\n" + good);
    EXPECT_THAT(out.error, ::testing::StartsWith("training_file: line 3: ")) << row;
    EXPECT_THAT(out.error, HasSubstr(said)) << row;
    EXPECT_EQ(out.reason, "invalid_jsonl") << row;
  }
  FakeBlobStore blobs;
  EXPECT_THAT(Tune(blobs, good, good + "\n{}").error, HasSubstr("validation_file: line 2: "));
  EXPECT_THAT(Tune(blobs, "\n").error, HasSubstr("no rows"));
}

TEST(TuningTest, RefusesBadPreferences) {
  for (const auto& [row, said] : {
           Bad{R"({"prompt":"a","chosen":"b"})", "non_preferred_output"},
           Bad{R"({"chosen":"b","rejected":"c"})", "'input' is missing"},
           Bad{R"({"prompt":"a","chosen":[{"role":"user","content":"b"}],"rejected":"c"})", "message of the assistant"},
           Bad{R"({"input":{"messages":[{"role":"user","content":"b"}],"tools":[{}]},"chosen":"b","rejected":"c"})",
               "tools"},
           Bad{R"({"messages":[{"role":"assistant","content":"b"}]})", "a row of preferences"},
       }) {
    FakeBlobStore blobs;
    EXPECT_THAT(Tune(blobs, row, "", "preferences").error, HasSubstr(said)) << row;
  }
}

}  // namespace
}  // namespace atelier::data
