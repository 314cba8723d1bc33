#include <gmock/gmock.h>

#include "api/testing/fixture.h"

namespace atelier::api {
namespace {

using test::Answer;

class FineTuningTest : public test::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    AddModel("tiny", {{"family", "llm"}, {"architecture", "llama"}});
    AddModel("net", {{"family", "mlp"}});
    AddModel("qwen", {{"family", "llm"}, {"architecture", "qwen2"}});
    file_ = Upload("fine-tune");
  }
  void AddModel(const std::string& name, json::object metadata) {
    const auto blob = storage::PutBytes(*blobs_, name).value();
    const Status added = catalogue_->Write([&](soci::session& session) -> Status {
      ATELIER_ASSIGN(version, registry_->AddVersion(session, name, {{"model.gguf", blob}}, metadata, "job_0"));
      return {};
    });
    ASSERT_TRUE(added.ok());
  }
  std::string Upload(const std::string& purpose) {
    return GetString(
        Json(Call("POST", "/v1/files", Form("file", "a.jsonl", "{}\n", FormField("purpose", purpose)), kForm)), "id");
  }
  Answer Create(json::object body) {
    body.emplace("model", "tiny");
    body.emplace("training_file", file_);
    return Call("POST", kJobs, json::serialize(body));
  }
  std::string Param(const Answer& answer) { return GetString(Json(answer).at("error").as_object(), "param"); }
  void Deploy(const std::string& name = "live", json::object settings = {}) {
    ASSERT_TRUE(registry_->PutDeployment(name, "tiny", {{1, 100}}, std::move(settings)).ok());
  }

  static constexpr const char* kJobs = "/v1/fine_tuning/jobs";
  std::string file_;
};

TEST_F(FineTuningTest, AModelThatIsNotDeployedIsTrainedWhole) {
  const auto job = Json(Create({{"seed", 5}, {"metadata", {{"a", "b"}}}}));
  EXPECT_EQ(GetString(job, "object"), "fine_tuning.job");
  EXPECT_EQ(GetString(job, "status"), "validating_files");
  EXPECT_EQ(job.at("hyperparameters"),
            (json::object{{"n_epochs", "auto"}, {"batch_size", "auto"}, {"learning_rate_multiplier", "auto"}}));
  EXPECT_TRUE(job.at("fine_tuned_model").is_null() && job.at("error").is_null() && job.at("finished_at").is_null());
  const auto spec = jobs_.Get(GetString(job, "id"))->spec;
  EXPECT_EQ(spec.at("settings"), (json::object{{"method", "full"}}));
  EXPECT_TRUE(GetString(spec, "model").starts_with("ft-tiny-"));
  EXPECT_EQ(spec.at("deploy"), spec.at("model"));
  EXPECT_EQ(spec.at("import").at("options"), (json::object{{"format", "tuning"}}));
  EXPECT_EQ(spec.at("import").at("files").as_array().size(), 1U);
  EXPECT_EQ(spec.at("train").at("base").at("name"), "tiny");
  EXPECT_EQ(Json(Call("GET", std::string(kJobs) + "/" + GetString(job, "id"))), job);
}

TEST_F(FineTuningTest, ADeployedModelGetsAnAdapter) {
  Deploy();
  for (const char* model : {"tiny", "tiny@1", "live"}) {
    const auto job = Json(Create({{"model", model},
                                  {"validation_file", file_},
                                  {"suffix", "warm"},
                                  {"settings", {{"rank", 4}}},
                                  {"method", {{"type", "dpo"}, {"dpo", {{"hyperparameters", {{"beta", 0.5}}}}}}}}));
    const auto spec = jobs_.Get(GetString(job, "id"))->spec;
    EXPECT_EQ(spec.at("settings"), (json::object{{"rank", 4}, {"method", "lora"}})) << model;
    EXPECT_EQ(GetString(spec, "adapter_of"), "live");
    EXPECT_EQ(GetInt(spec, "max_adapters"), 8);
    EXPECT_TRUE(GetString(spec, "model").starts_with("ft-tiny-warm-"));
    EXPECT_EQ(spec.at("import").at("options"), (json::object{{"format", "preferences"}}));
    EXPECT_EQ(job.at("method").at("dpo").at("hyperparameters").at("beta"), 0.5);
  }
}

TEST_F(FineTuningTest, RefusesWhatCannotSucceed) {
  const std::string other = Upload("batch");
  const std::tuple<json::object, int, const char*> cases[] = {
      {{{"model", "nothing"}}, 404, "model"},
      {{{"model", "net"}}, 400, "model"},
      {{{"model", "qwen"}}, 400, "model"},
      {{{"training_file", "file-0"}}, 404, "training_file"},
      {{{"training_file", other}}, 400, "training_file"},
      {{{"validation_file", other}}, 400, "validation_file"},
      {{{"suffix", "a/b"}}, 400, "suffix"},
      {{{"seed", -1}}, 400, "seed"},
      {{{"hyperparameters", {{"n_epochs", 0}}}}, 400, "hyperparameters.n_epochs"},
      {{{"hyperparameters", {{"n_epochs", "many"}}}}, 400, "hyperparameters.n_epochs"},
      {{{"hyperparameters", {{"beta", 0.1}}}}, 400, "hyperparameters.beta"},
      {{{"method", {{"type", "reinforcement"}}}}, 400, "method.type"},
      {{{"method", {{"type", "dpo"}, {"supervised", {{"hyperparameters", json::object()}}}}}},
       400,
       "method.supervised"},
      {{{"settings", {{"rank", 0}}}}, 400, "settings.rank"},
      {{{"settings", {{"method", "lora"}}}}, 400, "settings.method"},
      {{{"settings", {{"method", "magic"}}}}, 400, "settings.method"},
      {{{"integrations", json::array{json::object{{"type", "wandb"}}}}}, 400, "integrations"},
      {{{"metadata", {{"a", 1}}}}, 400, "metadata"},
      {{{"unknown", 1}}, 400, "unknown"},
  };
  for (const auto& [body, status, param] : cases) {
    const auto answer = Create(body);
    EXPECT_EQ(answer.status, status) << json::serialize(body) << answer.body;
    EXPECT_EQ(Param(answer), param) << answer.body;
  }
  Deploy("full", {{"max_adapters", 0}});
  EXPECT_EQ(Reason(Create({})), "too_many_adapters");
  EXPECT_EQ(Reason(Call("GET", std::string(kJobs) + "/job_9")), "job_not_found");
  jobs_.Create("train", {}).value();
  EXPECT_EQ(Reason(Call("GET", std::string(kJobs) + "/job_1")), "job_not_found");
}

TEST_F(FineTuningTest, StatusAndEventsAreThoseOfTheParts) {
  const std::string id = GetString(Json(Create({})), "id");
  const std::string path = std::string(kJobs) + "/" + id;
  const auto status = [&] { return GetString(Json(Call("GET", path)), "status"); };
  const auto part = [&](const char* kind) {
    const std::string part_id = jobs_.Create(kind, {})->id;
    jobs_.Change(part_id, [&](jobs::Job& job) { job.parent = id; });
    return part_id;
  };
  jobs_.Emit(id, "state", {{"state", "running"}, {"attempt", 1}}, jobs::State::kRunning);
  const std::string reading = part("import");
  jobs_.Emit(reading, "state", {{"state", "succeeded"}, {"attempt", 1}}, jobs::State::kSucceeded);
  EXPECT_EQ(status(), "validating_files");
  const std::string training = part("trial");
  EXPECT_EQ(status(), "queued");
  jobs_.Emit(training, "state", {{"state", "running"}, {"attempt", 1}}, jobs::State::kRunning);
  EXPECT_EQ(status(), "running");
  jobs_.Emit(training, "progress",
             {{"stage", "train"}, {"epoch", 2}, {"epochs", 3}, {"step", 4}, {"steps", 10}, {"loss", 1.25}},
             jobs::State::kRunning);
  jobs_.Emit(training, "progress",
             {{"stage", "epoch"}, {"epoch", 2}, {"epochs", 3}, {"steps", 10}, {"loss", 1}, {"validation_loss", 2}},
             jobs::State::kRunning);
  const auto list = Json(Call("GET", path + "/events?limit=2"));
  EXPECT_TRUE(list.at("has_more").as_bool());
  const auto& newest = list.at("data").as_array()[0].as_object();
  EXPECT_EQ(newest.at("data").at("step"), 20);
  EXPECT_EQ(newest.at("data").at("valid_loss"), 2.0);
  EXPECT_EQ(GetString(newest, "message"), "Step 20/30: training loss=1, validation loss=2");
  const auto& second = list.at("data").as_array()[1].as_object();
  EXPECT_EQ(second.at("data"), (json::object{{"step", 14}, {"total_steps", 30}, {"train_loss", 1.25}, {"epoch", 2}}));
  const auto rest = Json(Call("GET", path + "/events?after=" + GetString(second, "id")));
  EXPECT_FALSE(rest.at("has_more").as_bool());
  EXPECT_EQ(rest.at("data").as_array().size(), 3U);
  EXPECT_EQ(Call("GET", path + "/events?after=x").status, 400);
  EXPECT_EQ(Reason(Call("POST", path + "/resume")), "job_not_paused");
  jobs_.Change(id, [](jobs::Job& job) {
    job.state = jobs::State::kCancelled;
    job.paused = true;
  });
  EXPECT_EQ(status(), "paused");
  EXPECT_TRUE(Json(Call("GET", path)).at("finished_at").is_null());
  EXPECT_EQ(GetString(Json(Call("POST", path + "/pause")), "status"), "paused");
  jobs_.Change(id, [](jobs::Job& job) {
    job.paused = false;
    job.finished_ms = 7000;
  });
  EXPECT_EQ(GetInt(Json(Call("GET", path)), "finished_at"), 7);
}

TEST_F(FineTuningTest, ShowsWhatBecameOfIt) {
  const std::string id = GetString(Json(Create({{"metadata", {{"team", "red"}}}})), "id");
  const std::string path = std::string(kJobs) + "/" + id;
  EXPECT_TRUE(Json(Call("GET", path + "/checkpoints")).at("data").as_array().empty());
  jobs_.Change(id, [](jobs::Job& job) {
    job.state = jobs::State::kSucceeded;
    job.finished_ms = 5000;
    job.progress = {{"hyperparameters", {{"n_epochs", 2}}}};
    job.result = {{"model", "ft-tiny-1"},
                  {"deployment", "ft-tiny-1"},
                  {"metadata",
                   {{"training",
                     {{"best_epoch", 2},
                      {"steps_per_epoch", 3},
                      {"history", json::array{json::object{{"loss", 2}},
                                              json::object{{"loss", 1}, {"validation_loss", 1.5}}}}}}}}};
  });
  const auto job = Json(Call("GET", path));
  EXPECT_EQ(GetString(job, "fine_tuned_model"), "ft-tiny-1");
  EXPECT_EQ(GetInt(job, "finished_at"), 5);
  EXPECT_EQ(job.at("hyperparameters").at("n_epochs"), 2);
  const auto checkpoints = Json(Call("GET", path + "/checkpoints")).at("data").as_array();
  ASSERT_EQ(checkpoints.size(), 1U);
  EXPECT_EQ(checkpoints[0].at("step_number"), 6);
  EXPECT_EQ(checkpoints[0].at("metrics").at("full_valid_loss"), 1.5);
  const auto count = [&](const std::string& query) {
    return Json(Call("GET", kJobs + query)).at("data").as_array().size();
  };
  EXPECT_TRUE(job.at("not_served").is_null());
  jobs_.Change(id, [](jobs::Job& one) {
    one.result.erase("deployment");
    one.result["not_served"] = "the base is gone";
  });
  const auto unserved = Json(Call("GET", path));
  EXPECT_TRUE(unserved.at("deployment").is_null());
  EXPECT_EQ(GetString(unserved, "not_served"), "the base is gone");
  jobs_.Emit(id, "state", {{"state", "succeeded"}}, jobs::State::kSucceeded);
  const auto event = Json(Call("GET", path + "/events")).at("data").as_array()[0].as_object();
  EXPECT_EQ(GetString(event, "level"), "warn");
  EXPECT_NE(GetString(event, "message").find("the base is gone"), std::string::npos);
  EXPECT_EQ(count(""), 1U);
  EXPECT_EQ(count("?metadata%5Bteam%5D=red"), 1U);
  EXPECT_EQ(count("?metadata[team]=blue"), 0U);
}

}  // namespace
}  // namespace atelier::api
