#include <gtest/gtest.h>

#include "api/testing/fixture.h"
#include "base/hash.h"

namespace atelier::api {
namespace {

using test::Answer;
using test::Client;

class HandlersTest : public test::ServerTest {
 protected:
  Answer Upload(const std::string& filename, const std::string& data, const std::string& purpose = "dataset") {
    return Call("POST", "/v1/files", Form("file", filename, data, FormField("purpose", purpose)), kForm);
  }
};

TEST_F(HandlersTest, KeepsFiles) {
  const std::string data(300'000, 'x');
  const auto created = Json(Upload("../../a\\b.csv", data));
  EXPECT_EQ(GetInt(created, "bytes"), 300'000);
  EXPECT_EQ(GetString(created, "sha256"), Sha256Hex(data));
  const auto name = GetString(created, "filename");
  EXPECT_EQ(name.find_first_of("/\\"), std::string::npos) << name;
  const std::string path = "/v1/files/" + GetString(created, "id");
  EXPECT_EQ(Json(Call("GET", path)), created);
  const auto content = Call("GET", path + "/content");
  EXPECT_EQ(content.body, data);
  EXPECT_TRUE(content.Header("Content-Disposition").starts_with("attachment"));
  EXPECT_EQ(Json(Call("GET", "/v1/files")).at("data").as_array().size(), 1U);
  EXPECT_EQ(Call("DELETE", path).status, 200);
  EXPECT_EQ(Reason(Call("GET", path)), "file_not_found");
}

TEST_F(HandlersTest, GivesOneRangeOfAFile) {
  const std::string path = "/v1/files/" + GetString(Json(Upload("a", "0123456789")), "id") + "/content";
  const auto range = [&](const std::string& value) { return Call("GET", path, "", "Range: " + value + "\r\n"); };
  EXPECT_EQ(range("bytes=2-4").body, "234");
  EXPECT_EQ(range("bytes=2-4").status, 206);
  EXPECT_EQ(range("bytes=2-4").Header("Content-Range"), "bytes 2-4/10");
  EXPECT_EQ(range("bytes=8-").body, "89");
  EXPECT_EQ(range("bytes=-3").body, "789");
  EXPECT_EQ(range("bytes=0-99").body, "0123456789");
  for (const char* whole : {"bytes=5-1", "bytes=0-1,3-4", "lines=1-2", "bytes=x", "bytes=-"}) {
    EXPECT_EQ(range(whole).status, 200) << whole;
  }
  EXPECT_EQ(range("bytes=10-").status, 416);
  EXPECT_EQ(range("bytes=-0").status, 416);
}

TEST_F(HandlersTest, RefusesBadForms) {
  EXPECT_EQ(Reason(Upload("a", "x", "nothing")), "invalid_value");
  EXPECT_EQ(Call("POST", "/v1/files", Form("file", "a", "x"), kForm).status, 400);
  EXPECT_EQ(Call("POST", "/v1/files", FormField("purpose", "dataset") + "--B--", kForm).status, 400);
  const std::string two = Form("file", "a", "x", FormField("purpose", "dataset"));
  EXPECT_EQ(Call("POST", "/v1/files",
                 two.substr(0, two.size() - 7) +
                     "--B\r\nContent-Disposition: form-data; name=\"file\"; filename=\"b\"\r\n\r\ny\r\n--B--",
                 kForm)
                .status,
            400);
  EXPECT_TRUE(Json(Call("GET", "/v1/files")).at("data").as_array().empty());
}

TEST_F(HandlersTest, ShowsNothingOfACutUpload) {
  const std::string body = Form("file", "a", std::string(100'000, 'x'), FormField("purpose", "dataset"));
  Client client(server_->port());
  const auto request = Ask("POST", "/v1/files", body, kForm);
  client.Send(request.substr(0, request.size() - 10));
  client.FinishSending();
  client.Read();
  EXPECT_TRUE(Json(Call("GET", "/v1/files")).at("data").as_array().empty());
  options_.limits.file_bytes = 1000;
  Start();
  EXPECT_EQ(Upload("a", std::string(1001, 'x')).status, 413);
  EXPECT_EQ(Upload("a", std::string(1000, 'x')).status, 200);
}

TEST_F(HandlersTest, JoinsUploadsFromParts) {
  const std::string sha = Sha256Hex("hello world");
  const std::string ask = R"({"filename":"a.txt","purpose":"dataset","bytes":11,"sha256":")" + sha + "\"}";
  const auto upload = Json(Call("POST", "/v1/uploads", ask));
  const std::string id = GetString(upload, "id");
  const std::string path = "/v1/uploads/" + id;
  const auto first = Json(Call("POST", path + "/parts", Form("data", "p", "hello "), kForm));
  EXPECT_EQ(GetString(first, "object"), "upload.part");
  // The same question finds the upload again, with what it has.
  const auto resumed = Json(Call("POST", "/v1/uploads", ask));
  EXPECT_EQ(GetString(resumed, "id"), id);
  EXPECT_EQ(resumed.at("parts").as_array().size(), 1U);
  const auto second = Json(Call("POST", path + "/parts", Form("data", "p", "world"), kForm));
  EXPECT_EQ(Reason(Call("POST", path + "/complete", "{}")), "missing_required_parameter");
  const auto ids = [&](const std::string& a, const std::string& b) {
    return R"({"part_ids":[")" + a + "\",\"" + b + "\"]}";
  };
  EXPECT_EQ(Call("POST", path + "/complete", ids(GetString(second, "id"), GetString(first, "id"))).status, 400);
  const auto done = Json(Call("POST", path + "/complete", ids(GetString(first, "id"), GetString(second, "id"))));
  EXPECT_EQ(GetString(done, "status"), "completed");
  EXPECT_EQ(Call("GET", "/v1/files/" + GetString(done.at("file").as_object(), "id") + "/content").body, "hello world");
}

TEST_F(HandlersTest, StartsImports) {
  const auto id = GetString(Json(Upload("iris.csv", "a,b\n1,2\n")), "id");
  const std::string body = R"({"name":"iris","files":[{"file_id":")" + id + R"("}],"target":"b","seed":7})";
  const auto job = Json(Call("POST", "/v1/datasets", body));
  EXPECT_EQ(GetString(job, "object"), "job");
  EXPECT_EQ(GetString(job, "kind"), "import");
  EXPECT_EQ(GetString(job, "status"), "queued");
  EXPECT_EQ(job.at("request"), ParseJson(body).value());
  const auto spec = jobs_.Get(GetString(job, "id"))->spec;
  EXPECT_EQ(spec.at("options"), (json::object{{"target", "b"}, {"seed", 7}}));
  EXPECT_EQ(GetString(spec.at("files").as_array()[0].as_object(), "path"), "iris.csv");
  const auto with = [&](const std::string& rest) {
    return Call("POST", "/v1/datasets", R"({"name":"iris","files":[{"file_id":")" + id + rest);
  };
  EXPECT_EQ(with(R"(","path":"../x"}]})").status, 400);
  EXPECT_EQ(with(R"(","path":"/x"}]})").status, 400);
  EXPECT_EQ(with(R"("},{"file_id":")" + id + R"("}]})").status, 400);
  EXPECT_EQ(with(R"("}],"unknown":1})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/datasets", R"({"name":"iris","files":[]})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/datasets", R"({"name":"iris","files":[{"file_id":"file-0"}]})").status, 404);
  EXPECT_EQ(Call("POST", "/v1/datasets", R"({"name":"..","files":[{"file_id":"file-0"}]})").status, 400);
}

TEST_F(HandlersTest, StartsImportsOfModels) {
  const auto id = GetString(Json(Upload("story.gguf", "GGUF")), "id");
  const std::string body = R"({"kind":"import_model","model":"story","files":[{"file_id":")" + id + R"("}]})";
  const auto job = Json(Call("POST", "/v1/jobs", body));
  EXPECT_EQ(GetString(job, "kind"), "import_model");
  const auto spec = jobs_.Get(GetString(job, "id"))->spec;
  EXPECT_EQ(GetString(spec, "model"), "story");
  EXPECT_EQ(GetString(spec.at("files").as_array()[0].as_object(), "path"), "story.gguf");
  for (const char* bad :
       {R"({"kind":"import_model","model":"story"})", R"({"kind":"import_model","model":"story","files":[]})",
        R"({"kind":"import_model","model":"..","files":[{"file_id":"file-0"}]})"}) {
    EXPECT_EQ(Call("POST", "/v1/jobs", bad).status, 400) << bad;
  }
  EXPECT_EQ(
      Call("POST", "/v1/jobs", R"({"kind":"import_model","model":"story","files":[{"file_id":"file-0"}]})").status,
      404);
}

TEST_F(HandlersTest, ChecksQuantisations) {
  EXPECT_EQ(Reason(Call("POST", "/v1/jobs", R"({"kind":"quantize_model","source":"none","format":"q8_0"})")),
            "model_not_found");
  const auto answer = Call("POST", "/v1/jobs", R"({"kind":"quantize_model","source":"none","format":"q9"})");
  EXPECT_EQ(answer.status, 400);
  EXPECT_NE(answer.body.find("q4_k_m"), std::string::npos) << answer.body;
  for (const char* bad : {R"({"kind":"quantize_model","format":"q8_0"})", R"({"kind":"quantize_model","source":"a"})",
                          R"({"kind":"quantize_model","source":"a","format":"q8_0","model":".."})",
                          R"({"kind":"quantize_model","source":"a","format":"q8_0","to":"q8_0"})"}) {
    EXPECT_EQ(Call("POST", "/v1/jobs", bad).status, 400) << bad;
  }
}

TEST_F(HandlersTest, ChecksJobsBeforeTheyExist) {
  EXPECT_EQ(Reason(Call("POST", "/v1/jobs", R"({"kind":"import"})")), "invalid_value");
  EXPECT_EQ(Reason(Call("POST", "/v1/jobs", R"({"kind":"train","family":"mlp","dataset":"none","model":"m"})")),
            "dataset_not_found");
  EXPECT_EQ(Reason(Call("POST", "/v1/evaluations", R"({"model":"none","dataset":"none"})")), "model_not_found");
  EXPECT_EQ(Reason(Call("GET", "/v1/jobs/job_0")), "job_not_found");
  EXPECT_EQ(Call("GET", "/v1/jobs?status=sleeping").status, 400);
  EXPECT_EQ(Call("GET", "/v1/jobs?limit=0").status, 400);
  EXPECT_EQ(Call("GET", "/v1/datasets?limit=101").status, 400);
  EXPECT_EQ(Call("GET", "/v1/datasets?order=up").status, 400);
}

TEST_F(HandlersTest, ShowsJobsWithTheirEventsAndLog) {
  ASSERT_TRUE(jobs_.Create("train", {{"request", {{"kind", "train"}}}}).ok());
  jobs_.Emit("job_1", "state", {{"state", "running"}}, jobs::State::kRunning);
  jobs_.Emit("job_1", "progress", {{"loss", 1}}, jobs::State::kRunning);
  EXPECT_EQ(GetString(Json(Call("GET", "/v1/jobs/job_1")), "status"), "running");
  const auto events = Json(Call("GET", "/v1/jobs/job_1/events?after=1"));
  ASSERT_EQ(events.at("data").as_array().size(), 1U);
  EXPECT_EQ(GetInt(events.at("data").as_array()[0].as_object(), "sequence"), 2);
  EXPECT_EQ(Call("GET", "/v1/jobs/job_1/events?after=x").status, 400);
  EXPECT_EQ(Call("GET", "/v1/jobs/job_1/log").body, "a log\n");
  const auto resumed = Call("POST", "/v1/jobs/job_1/resume");
  EXPECT_EQ(resumed.status, 409);
  EXPECT_EQ(resumed.Header("x-should-retry"), "false");
}

TEST_F(HandlersTest, Predicts) {
  const auto answer =
      Json(Call("POST", "/v1/predict", R"({"model":"digits","inputs":[[0.2,0.7,0.1],{"text":"x"}],"top_k":2})"));
  EXPECT_EQ(GetString(answer, "model"), "mnist@2");
  EXPECT_EQ(GetString(answer, "deployment"), "digits");
  EXPECT_EQ(GetInt(answer.at("usage").as_object(), "instances"), 2);
  const auto& first = answer.at("data").as_array()[0].as_object();
  EXPECT_EQ(GetString(first, "label"), "one \"1\"");
  EXPECT_FLOAT_EQ(static_cast<float>(GetNumber(first, "probability")), 0.7F);
  EXPECT_EQ(first.at("top").as_array().size(), 2U);
  EXPECT_EQ(GetInt(first.at("top").as_array()[1].as_object(), "index"), 0);
  const auto form = Call("POST", "/v1/predict",
                         Form("file", "a.png", "png", FormField("model", "digits") + FormField("top_k", "1")), kForm);
  EXPECT_EQ(GetString(Json(form).at("data").as_array()[0].as_object(), "label"), "two") << form.body;
}

TEST_F(HandlersTest, RefusesBadQuestions) {
  for (const char* bad :
       {"", "[]", "{}", R"({"model":"digits"})", R"({"model":"digits","inputs":[]})", R"({"model":1,"input":1})",
        R"({"model":"digits","inputs":[1],"input":1})", R"({"model":"digits","input":1,"top_k":0})",
        R"({"model":"digits","input":1,"top_k":101})", R"({"model":"digits","input":1,"extra":1})",
        R"({"model":"a","model":"b","input":1})", R"({"model":"digits","input":1} x)"}) {
    EXPECT_EQ(Call("POST", "/v1/predict", bad).status, 400) << bad;
  }
  EXPECT_EQ(Call("POST", "/v1/predict", std::string(100'000, '[')).status, 400);
  EXPECT_EQ(Reason(Call("POST", "/v1/predict", R"({"model":"none","input":[1]})")), "model_not_found");
}

TEST_F(HandlersTest, SpeaksOpenInferenceProtocol) {
  EXPECT_EQ(Call("GET", "/v2/health/live").status, 200);
  EXPECT_EQ(Json(Call("GET", "/v2/health/ready")), (json::object{{"live", true}, {"ready", true}}));
  EXPECT_EQ(GetString(Json(Call("GET", "/v2/models/digits")), "platform"), "atelier_mlp");
  EXPECT_EQ(Json(Call("GET", "/v2/models/digits/versions/2/ready")).at("ready"), true);
  const std::string body = R"({"id":"7","inputs":[{"name":"input","shape":[1,3],"datatype":"FP32","data":[0,1,0]}]})";
  for (const char* path : {"/v2/models/digits/infer", "/v2/models/digits/versions/2/infer"}) {
    const auto answer = Json(Call("POST", path, body));
    EXPECT_EQ(GetString(answer, "id"), "7");
    EXPECT_EQ(GetString(answer, "model_version"), "2");
    EXPECT_EQ(answer.at("outputs").as_array()[0].at("data"), (json::array{0.0, 1.0, 0.0}));
  }
  for (const char* path :
       {"/v2/models/none/infer", "/v2/models/digits/versions/0/infer", "/v2/models/digits/versions/-1/infer"}) {
    const auto answer = Call("POST", path, body);
    EXPECT_EQ(answer.status, 404) << path;
    EXPECT_TRUE(Json(answer).at("error").is_string());
  }
  EXPECT_EQ(Call("POST", "/v2/models/digits/infer", "{}").status, 400);
}

TEST_F(HandlersTest, LeavesKeysToOwners) {
  EXPECT_EQ(Call("GET", "/v1/keys", "", "", "member").status, 403);
  EXPECT_EQ(Call("POST", "/v1/keys", R"({"name":"a"})", "", "member").status, 403);
  const auto key = Json(Call("POST", "/v1/keys", R"({"name":"a","role":"member"})"));
  EXPECT_EQ(GetString(key, "secret"), "sk-atelier-secret");
  EXPECT_EQ(Call("POST", "/v1/keys", R"({"name":"a","role":"king"})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/keys", R"({"name":"a","expires_at":1})").status, 400);
  EXPECT_EQ(Reason(Call("DELETE", "/v1/keys/key_9")), "key_not_found");
}

TEST_F(HandlersTest, ShowsModelsAndDeployments) {
  EXPECT_EQ(GetString(Json(Call("GET", "/v1/models/digits")), "owned_by"), "atelier");
  EXPECT_EQ(Reason(Call("GET", "/v1/models/a/b")), "model_not_found");
  EXPECT_EQ(Json(Call("GET", "/v1/deployments")).at("data").as_array().size(), 1U);
  EXPECT_EQ(Reason(Call("GET", "/v1/deployments/none")), "deployment_not_found");
  EXPECT_EQ(Reason(Call("POST", "/v1/deployments", R"({"model":"none"})")), "model_not_found");
  for (const char* bad :
       {R"({})", R"({"model":"m","settings":{"max_batch":0}})", R"({"model":"m","settings":{"x":1}})",
        R"({"model":"m","versions":[{"version":1,"weight":50}]})", R"({"model":"m","versions":[]})"}) {
    EXPECT_EQ(Call("POST", "/v1/deployments", bad).status, 400) << bad;
  }
}

TEST_F(HandlersTest, SettingsFitTheFamilyOfTheModel) {
  const auto blob = storage::PutBytes(*blobs_, "weights").value();
  ASSERT_TRUE(
      catalogue_
          ->Write([&](soci::session& session) -> Status {
            ATELIER_TRY(registry_->AddVersion(session, "story", {{"story.gguf", blob}}, {{"family", "llm"}}, ""));
            ATELIER_TRY(registry_->AddVersion(session, "iris", {{"model.safetensors", blob}}, {{"family", "mlp"}}, ""));
            return {};
          })
          .ok());
  EXPECT_EQ(GetString(Json(Call("GET", "/v1/registry/models/story/versions/1")), "weights_sha256"), blob.sha256);
  const auto deploy = [&](const std::string& model, const std::string& settings) {
    return Call("POST", "/v1/deployments", R"({"model":")" + model + R"(","settings":)" + settings + "}");
  };
  EXPECT_EQ(deploy("story", R"({"max_running":4,"context":128,"max_queue":9})").status, 200);
  EXPECT_EQ(deploy("story", R"({"max_batch":4})").status, 400);
  EXPECT_EQ(deploy("story", R"({"max_running":0})").status, 400);
  EXPECT_EQ(deploy("iris", R"({"max_running":4})").status, 400);
  EXPECT_EQ(deploy("iris", R"({"max_queue":4})").status, 200);
}

TEST_F(HandlersTest, AdaptersAreLoadedIntoDeploymentsOfTheirBaseModel) {
  const auto blob = storage::PutBytes(*blobs_, "weights").value();
  const json::object lora{
      {"family", "llm-adapter"}, {"architecture", "llama"}, {"base", {{"model", "story"}, {"version", 1}}}};
  ASSERT_TRUE(catalogue_
                  ->Write([&](soci::session& session) -> Status {
                    for (const std::string name : {"story", "other"}) {
                      ATELIER_TRY(registry_->AddVersion(
                          session, name, {{"story.gguf", blob}},
                          {{"family", "llm"}, {"architecture", name == "story" ? "llama" : "qwen2"}}, ""));
                    }
                    ATELIER_TRY(registry_->AddVersion(session, "lora", {{"adapter.gguf", blob}}, lora, ""));
                    return {};
                  })
                  .ok());
  const auto alone = Call("POST", "/v1/deployments", R"({"model":"lora"})");
  EXPECT_EQ(alone.status, 400);
  EXPECT_NE(alone.body.find("cannot be deployed alone"), std::string::npos);
  const std::string one_version = R"(,"versions":[{"version":1,"weight":100}]})";
  EXPECT_EQ(Call("POST", "/v1/deployments", R"({"model":"lora")" + one_version).status, 400);
  EXPECT_EQ(Call("POST", "/v1/deployments", R"({"model":"story","settings":{"max_adapters":2}})").status, 200);
  EXPECT_EQ(Call("POST", "/v1/deployments", R"({"model":"other"})").status, 200);
  const auto drafted = Call("POST", "/v1/deployments",
                            R"({"name":"fast","model":"story","settings":{"draft":"other","speculation":"auto"}})");
  ASSERT_EQ(drafted.status, 200) << drafted.body;
  EXPECT_EQ(GetString(Json(drafted).at("settings").as_object(), "draft"), "other@1");
  for (const char* wrong : {R"("draft":"lora")", R"("draft":"nobody")", R"("speculation":"always")"}) {
    const auto refused =
        Call("POST", "/v1/deployments", std::string(R"({"model":"story","settings":{)") + wrong + "}}");
    EXPECT_TRUE(refused.status == 400 || refused.status == 404) << refused.body;
  }
  EXPECT_EQ(Call("DELETE", "/v1/deployments/fast").status, 200);

  const std::string target = "/v1/deployments/story/adapters";
  const auto loaded = Json(Call("POST", target, R"({"model":"lora"})"));
  EXPECT_EQ(GetString(loaded, "name"), "lora");
  EXPECT_EQ(GetString(loaded, "status"), "loading");
  EXPECT_EQ(GetInt(loaded, "version"), 1);
  const auto vllm = Call("POST", "/v1/load_lora_adapter", R"({"lora_name":"kind","lora_path":"lora@1"})");
  EXPECT_EQ(vllm.status, 200);
  EXPECT_EQ(vllm.body, "Success: LoRA adapter 'kind' added successfully.");
  EXPECT_EQ(Json(Call("GET", target)).at("data").as_array().size(), 2U);
  EXPECT_EQ(Json(Call("GET", "/v1/deployments/story")).at("adapters").as_array().size(), 2U);
  EXPECT_EQ(GetString(Json(Call("GET", target + "/kind")), "model"), "lora");

  EXPECT_EQ(Reason(Call("POST", target, R"({"model":"lora","name":"third"})")), "too_many_adapters");
  EXPECT_EQ(Reason(Call("POST", target, R"({"model":"story"})")), "model_not_supported");
  EXPECT_EQ(Reason(Call("POST", "/v1/deployments/other/adapters", R"({"model":"lora"})")), "model_not_supported");
  EXPECT_EQ(Call("POST", target, R"({"model":"lora","x":1})").status, 400);
  EXPECT_EQ(Reason(Call("DELETE", target + "/none")), "adapter_not_found");
  EXPECT_EQ(Reason(Call("POST", "/v1/unload_lora_adapter", R"({"lora_name":"none"})")), "deployment_not_found");
  EXPECT_EQ(Call("POST", "/v1/deployments", R"({"model":"story","name":"second"})").status, 200);
  EXPECT_EQ(Json(Call("POST", "/v1/load_lora_adapter", R"({"lora_name":"x","lora_path":"lora"})"))
                .at("error")
                .at("param")
                .as_string(),
            "deployment");
  EXPECT_EQ(
      Call("POST", "/v1/load_lora_adapter", R"({"lora_name":"x","lora_path":"lora","deployment":"second"})").status,
      200);
  EXPECT_EQ(Call("POST", "/v1/unload_lora_adapter", R"({"lora_name":"kind"})").status, 200);
  EXPECT_EQ(Call("DELETE", target + "/lora").status, 200);
  EXPECT_EQ(Json(Call("GET", target)).at("data").as_array().size(), 0U);
}

TEST_F(HandlersTest, ManagesTheRegistry) {
  const auto blob = storage::PutBytes(*blobs_, "weights").value();
  ASSERT_TRUE(catalogue_
                  ->Write([&](soci::session& session) -> Status {
                    ATELIER_TRY(registry_->AddVersion(session, "mnist", {{"model.safetensors", blob}},
                                                      {{"family", "mlp"}}, "job_1"));
                    return {};
                  })
                  .ok());
  EXPECT_EQ(Json(Call("PUT", "/v1/registry/models/mnist/aliases/best", R"({"version":1})")).at("aliases").at("best"),
            1);
  const auto version = Json(Call("GET", "/v1/registry/models/mnist/versions/best"));
  EXPECT_EQ(GetString(version, "id"), "mnist@1");
  EXPECT_EQ(GetString(version, "weights_sha256"), blob.sha256);
  EXPECT_EQ(Call("GET", "/v1/registry/models/mnist/versions/latest/files/model.safetensors").body, "weights");
  EXPECT_EQ(Call("GET", "/v1/registry/models/mnist/versions/1/files/x").status, 404);
  EXPECT_NE(Call("GET", "/v1/registry/models/mnist/versions/1/card").body.find("mnist"), std::string::npos);
  const auto deployed =
      Json(Call("POST", "/v1/deployments", R"({"model":"mnist@best","name":"prod","settings":{"max_batch":8}})"));
  EXPECT_EQ(GetString(deployed, "name"), "prod");
  EXPECT_EQ(GetString(deployed, "status"), "loading");
  EXPECT_EQ(Call("DELETE", "/v1/registry/models/mnist").status, 409);
  EXPECT_EQ(Call("DELETE", "/v1/deployments/prod").status, 200);
  EXPECT_EQ(Call("DELETE", "/v1/registry/models/mnist/aliases/best").status, 200);
  EXPECT_EQ(Call("DELETE", "/v1/registry/models/mnist").status, 200);
  EXPECT_EQ(Reason(Call("GET", "/v1/registry/models/mnist")), "model_not_found");
}

}  // namespace
}  // namespace atelier::api
