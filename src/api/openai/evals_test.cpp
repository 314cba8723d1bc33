#include <gtest/gtest.h>

#include <chrono>
#include <thread>

#include "api/testing/fixture.h"

namespace atelier::api {
namespace {

using test::Answer;

constexpr const char* kEval =
    R"({"name":"sums","metadata":{"a":"b"},"data_source_config":{"type":"custom","item_schema":{"type":"object"},)"
    R"("include_sample_schema":true},"testing_criteria":[{"type":"string_check","name":"same","operation":"eq",)"
    R"("input":"{{sample.output_text}}","reference":"{{item.answer}}"},{"type":"text_similarity","name":"close",)"
    R"("evaluation_metric":"fuzzy_match","pass_threshold":0.5,"input":"{{sample.output_text}}",)"
    R"("reference":"{{item.answer}}"}]})";
constexpr const char* kRows =
    R"([{"item":{"answer":"four"},"sample":{"output_text":"four"}},)"
    R"({"item":{"answer":"four"},"sample":{"output_text":"fours"}},{"item":{"answer":"x"},"sample":{}}])";

class EvalsTest : public test::ServerTest {
 protected:
  std::string Create() { return "/v1/evals/" + GetString(Json(Call("POST", "/v1/evals", kEval)), "id"); }
  Answer Run(const std::string& eval, const std::string& source) {
    return Call("POST", eval + "/runs", R"({"name":"r","data_source":)" + source + "}");
  }
  // The run once it has ended.
  json::object Ended(const std::string& path) {
    json::object run = Json(Call("GET", path));
    while (GetString(run, "status") == "in_progress") {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
      run = Json(Call("GET", path));
    }
    return run;
  }
  static std::string Jsonl(const std::string& source) { return R"({"type":"jsonl","source":)" + source + "}"; }
  static std::string Content(const std::string& rows) { return R"({"type":"file_content","content":)" + rows + "}"; }
  std::string Ask(const std::string& input, const std::string& rows) {
    return R"({"type":"completions","model":"chatty","sampling_params":{"temperature":0,"max_completion_tokens":9},)"
           R"("input_messages":)" +
           input + R"(,"source":)" + Content(rows) + "}";
  }
};

TEST_F(EvalsTest, KeepsEvals) {
  const auto created = Call("POST", "/v1/evals", kEval);
  EXPECT_EQ(created.status, 201);
  const auto eval = Json(created);
  EXPECT_EQ(GetString(eval, "object"), "eval");
  EXPECT_EQ(eval.at("data_source_config").at("schema").at("required"), (json::array{"item", "sample"}));
  const std::string path = "/v1/evals/" + GetString(eval, "id");
  EXPECT_EQ(Json(Call("GET", path)), eval);
  const auto changed = Json(Call("POST", path, R"({"name":"products"})"));
  EXPECT_EQ(GetString(changed, "name"), "products");
  EXPECT_EQ(changed.at("metadata"), (json::object{{"a", "b"}}));
  EXPECT_EQ(Json(Call("GET", path)), changed);
  const std::string second = Create();
  const auto list = Json(Call("GET", "/v1/evals?limit=1"));
  EXPECT_EQ(list.at("data").as_array()[0], changed);
  EXPECT_TRUE(list.at("has_more").as_bool());
  EXPECT_EQ(GetString(Json(Call("DELETE", path)), "object"), "eval.deleted");
  EXPECT_EQ(Call("GET", path).status, 404);
  EXPECT_EQ(Json(Call("GET", "/v1/evals")).at("data").as_array().size(), 1U);
}

TEST_F(EvalsTest, GradesSamplesThatAreGiven) {
  const std::string eval = Create();
  const auto created = Run(eval, Jsonl(Content(kRows)));
  EXPECT_EQ(created.status, 201) << created.body;
  const std::string path = eval + "/runs/" + GetString(Json(created), "id");
  const auto run = Ended(path);
  EXPECT_EQ(GetString(run, "status"), "completed");
  EXPECT_EQ(run.at("result_counts"), (json::object{{"total", 3}, {"errored", 1}, {"failed", 1}, {"passed", 1}}));
  EXPECT_EQ(run.at("per_testing_criteria_results"),
            (json::array{json::object{{"testing_criteria", "same"}, {"passed", 1}, {"failed", 2}},
                         json::object{{"testing_criteria", "close"}, {"passed", 2}, {"failed", 1}}}));
  EXPECT_NE(GetString(run, "report_url").find(path + "/output_items"), std::string::npos);
  const auto items = Json(Call("GET", path + "/output_items")).at("data").as_array();
  ASSERT_EQ(items.size(), 3U);
  EXPECT_EQ(GetString(items[1].as_object(), "status"), "fail");
  EXPECT_NEAR(items[1].at("results").as_array()[1].at("score").as_double(), 8.0 / 9, 1e-12);
  EXPECT_EQ(items[2].at("sample").at("error").at("code"), "invalid_template");
  EXPECT_EQ(items[2].at("sample").at("input"), json::array());
  EXPECT_FALSE(items[2].at("results").as_array()[0].at("passed").as_bool());
  const std::string id = GetString(items[1].as_object(), "id");
  EXPECT_EQ(Json(Call("GET", path + "/output_items/" + id)), items[1]);
  EXPECT_EQ(Json(Call("GET", path + "/output_items?status=pass")).at("data").as_array().size(), 1U);
  EXPECT_EQ(Json(Call("GET", path + "/output_items?after=" + id)).at("data").as_array().size(), 1U);
  Ended(eval + "/runs/" + GetString(Json(Run(eval, Jsonl(Content(kRows)))), "id"));
  const auto completed = Json(Call("GET", eval + "/runs?status=completed&limit=1"));
  EXPECT_EQ(completed.at("data").as_array().size(), 1U);
  EXPECT_TRUE(completed.at("has_more").as_bool());
  EXPECT_TRUE(Json(Call("GET", eval + "/runs?status=failed")).at("data").as_array().empty());
  EXPECT_EQ(Reason(Call("POST", path)), "run_finished");
  EXPECT_EQ(GetString(Json(Call("DELETE", path)), "object"), "eval.run.deleted");
  EXPECT_EQ(Call("GET", path).status, 404);
}

TEST_F(EvalsTest, AsksAModel) {
  recorder_->SetPolicies({{"chatty", {.percent = 100}}});
  const std::string eval = Create();
  std::string rows;
  for (int i = 0; i < 50; ++i) {
    rows += std::string(i == 0 ? "[" : ",") + R"({"item":{"q":"say )" + std::to_string(i) +
            R"(","answer":"Hello \"world\""}})";
  }
  const auto created =
      Run(eval, Ask(R"({"type":"template","template":[{"role":"system","content":"be kind"},)"
                    R"({"type":"message","role":"user","content":{"type":"input_text","text":"{{item.q}}"}}]})",
                    rows + "]"));
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string path = eval + "/runs/" + GetString(Json(created), "id");
  const auto run = Ended(path);
  EXPECT_EQ(run.at("result_counts").at("passed"), 50) << json::serialize(run);
  const auto sample = Json(Call("GET", path + "/output_items")).at("data").as_array()[7].at("sample").as_object();
  EXPECT_EQ(sample.at("input"), (json::array{json::object{{"role", "system"}, {"content", "be kind"}},
                                             json::object{{"role", "user"}, {"content", "say 7"}}}));
  EXPECT_EQ(sample.at("usage"),
            (json::object{{"prompt_tokens", 5}, {"completion_tokens", 3}, {"total_tokens", 8}, {"cached_tokens", 2}}));
  EXPECT_EQ(sample.at("temperature"), 0);
  EXPECT_EQ(sample.at("seed"), 42);
  EXPECT_EQ(sample.at("max_completion_tokens"), 9);
  EXPECT_EQ(run.at("per_model_usage").as_array()[0].at("invocation_count"), 50);
  EXPECT_EQ(run.at("per_model_usage").as_array()[0].at("prompt_tokens"), 250);
  ASSERT_EQ(serving_.language->requests.size(), 50U);
  const auto& request = serving_.language->requests.back();
  EXPECT_EQ(request.max_tokens, 9);
  EXPECT_EQ(request.project, "key_1");
  EXPECT_TRUE(Json(Call("GET", "/v1/traffic?deployment=chatty")).at("data").as_array().empty());  // nobody's traffic
}

TEST_F(EvalsTest, ARunThatWaitsCanBeCancelled) {
  serving_.language->silent = true;
  const std::string eval = Create();
  const auto created = Run(eval, Ask(R"({"type":"item_reference","item_reference":"item.input"})",
                                     R"([{"item":{"input":[{"role":"user","content":"a"}]}},{"item":{"input":[]}},)"
                                     R"({"item":{}},{"item":{"input":[{"role":"user","content":"b"}]}}])"));
  ASSERT_EQ(created.status, 201) << created.body;
  const std::string path = eval + "/runs/" + GetString(Json(created), "id");
  ASSERT_TRUE(serving_.language->WaitFor([&] { return serving_.language->sinks.size() == 2; }));
  const auto run = Json(Call("GET", path));
  EXPECT_EQ(GetString(run, "status"), "in_progress");
  EXPECT_EQ(run.at("result_counts").at("errored"), 2);
  EXPECT_EQ(Call("POST", path + "/cancel").status, 200);
  EXPECT_TRUE(serving_.language->WaitFor([&] { return serving_.language->cancels == 2; }));
  const auto sinks = serving_.language->sinks;
  for (const auto& sink : sinks) {
    sink->OnDone(MakeError(Code::kCancelled, "stopped"), {});
  }
  const auto ended = Ended(path);
  EXPECT_EQ(GetString(ended, "status"), "canceled");
  EXPECT_EQ(ended.at("result_counts").at("errored"), 2);  // what was stopped is left out
  EXPECT_EQ(Reason(Call("POST", path + "/cancel")), "run_finished");
}

// Answers that came after the server had gone used what it had owned.
TEST_F(EvalsTest, AServerThatStopsLeavesItsRuns) {
  serving_.language->silent = true;
  const std::string eval = Create();
  const std::string ask = Ask(R"({"type":"item_reference","item_reference":"item.input"})",
                              R"([{"item":{"input":[{"role":"user","content":"a"}]}}])");
  std::string path;
  for (int i = 0; i < 8; ++i) {
    path = eval + "/runs/" + GetString(Json(Run(eval, ask)), "id");
  }
  EXPECT_EQ(Reason(Run(eval, ask)), "too_many_runs");
  ASSERT_TRUE(serving_.language->WaitFor([&] { return serving_.language->sinks.size() == 8; }));
  server_.reset();
  EXPECT_EQ(serving_.language->cancels, 8);
  const auto sinks = serving_.language->sinks;
  for (const auto& sink : sinks) {
    sink->OnDone({}, {});
  }
  Start();
  const auto run = Json(Call("GET", path));
  EXPECT_EQ(GetString(run, "status"), "failed");
  EXPECT_EQ(run.at("error").at("code"), "interrupted");
  EXPECT_EQ(Json(Call("GET", eval + "/runs?limit=100")).at("data").as_array().size(), 8U);
}

TEST_F(EvalsTest, DeletingAnEvalStopsItsRuns) {
  serving_.language->silent = true;
  const std::string eval = Create();
  Run(eval, Ask(R"({"type":"item_reference","item_reference":"item.input"})",
                R"([{"item":{"input":[{"role":"user","content":"a"}]}}])"));
  ASSERT_TRUE(serving_.language->WaitFor([&] { return serving_.language->sinks.size() == 1; }));
  EXPECT_EQ(Call("DELETE", eval).status, 200);
  EXPECT_TRUE(serving_.language->WaitFor([&] { return serving_.language->cancels == 1; }));
}

TEST_F(EvalsTest, RefusesWhatIsWrong) {
  const std::string eval = Create();
  for (const auto& [source, param] : {
           std::pair{Jsonl(Content("[]")), "data_source.source"},
           std::pair{Jsonl(Content(R"([{"item":1}])")), "data_source.source"},
           std::pair{Jsonl(R"({"type":"file_id","id":"file-0"})"), "data_source.source.id"},
           std::pair{Jsonl(R"({"type":"stored_completions"})"), "data_source.source.type"},
           std::pair{std::string(R"({"type":"x"})"), "data_source.type"},
           std::pair{Ask(R"({"type":"template","template":[{"role":"user"}]})", kRows),
                     "data_source.input_messages.template[0]"},
           std::pair{std::string(R"({"type":"completions","model":"none","input_messages":{"type":"item_reference",)"
                                 R"("item_reference":"item.x"},"source":)") +
                         Content(kRows) + "}",
                     "data_source.model"},
       }) {
    const auto answer = Run(eval, source);
    EXPECT_GE(answer.status, 400) << source;
    EXPECT_EQ(GetString(Json(answer).at("error").as_object(), "param"), param) << answer.body;
  }
  const auto file =
      Json(Call("POST", "/v1/files",
                Form("file", "a.jsonl", "{\"item\":{}}\n\n{\"item\"}\n", FormField("purpose", "evals")), kForm));
  const auto bad = Run(eval, Jsonl(R"({"type":"file_id","id":")" + GetString(file, "id") + "\"}"));
  EXPECT_NE(bad.body.find("line 3"), std::string::npos) << bad.body;
  EXPECT_EQ(Call("POST", "/v1/evals", R"({"testing_criteria":[]})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/evals/eval_0/runs", "{}").status, 404);
}

}  // namespace
}  // namespace atelier::api
