// Recorded traffic over the API: from an answer to feedback to the job that makes a data set.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "api/testing/fixture.h"

namespace atelier::api {
namespace {

using test::Answer;
using test::Client;
using ::testing::HasSubstr;

class TrafficApiTest : public test::ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    recorder_->SetPolicies({{"digits", {.percent = 100}}, {"chatty", {.percent = 100}}});
  }
  std::string Ask(const std::string& path, const std::string& body) {
    const auto answer = Call("POST", path, body);
    EXPECT_EQ(answer.status, 200) << answer.body;
    return GetString(Json(answer), "id");
  }
  std::string Predict() { return Ask("/v1/predict", R"({"model":"digits","input":[1,0,0]})"); }
  std::string Chat() {
    return Ask("/v1/chat/completions",
               R"({"model":"chatty","messages":[{"role":"user","content":"I am ann@example.org"}]})");
  }
  json::object Record(const std::string& id) { return Json(Call("GET", "/v1/traffic/" + id)); }
};

TEST_F(TrafficApiTest, RecordsPredictionsAndChats) {
  const auto predicted = Record(Predict());
  EXPECT_EQ(GetString(predicted, "kind"), "predict");
  EXPECT_EQ(GetString(predicted, "model"), "mnist@2");
  EXPECT_EQ(GetString(predicted, "key_id"), "key_1");
  EXPECT_TRUE(predicted.at("feedback").is_null());
  const auto chat = Record(Chat());
  EXPECT_THAT(json::serialize(chat.at("request")), HasSubstr("I am [EMAIL]"));
  EXPECT_EQ(json::serialize(chat.at("answer")), R"({"answers":[{"content":"Hello \"world\""}]})");
  Ask("/v1/completions", R"({"model":"chatty","prompt":"p"})");
  EXPECT_EQ(Json(Call("GET", "/v1/traffic?kind=completion")).at("data").as_array().size(), 1U);
  EXPECT_EQ(Json(Call("GET", "/v1/traffic?deployment=chatty&limit=1")).at("has_more"), true);
}

TEST_F(TrafficApiTest, RecordsStreams) {
  Client client(server_->port());
  client.Send(test::ServerTest::Ask("POST", "/v1/chat/completions",
                                    R"({"model":"chatty","stream":true,"messages":[{"role":"user","content":"hi"}]})"));
  client.ReadUntil("\r\n0\r\n");
  const auto list = Json(Call("GET", "/v1/traffic")).at("data").as_array();
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(json::serialize(list[0].at("answer")), R"({"answers":[{"content":"Hello \"world\""}]})");
}

TEST_F(TrafficApiTest, RecordsNothingUnlessAsked) {
  recorder_->SetPolicies({});
  const std::string id = Predict();
  EXPECT_EQ(Reason(Call("GET", "/v1/traffic/" + id)), "answer_not_recorded");
  EXPECT_EQ(Reason(Call("POST", "/v1/traffic/" + id + "/feedback", R"({"score":1})")), "answer_not_recorded");
}

TEST_F(TrafficApiTest, TakesFeedbackOfEverybodyAndShowsItToOwners) {
  const std::string path = "/v1/traffic/" + Predict();
  EXPECT_EQ(Call("POST", path + "/feedback", R"({"score":-1,"correction":"two"})", "", "member").status, 200);
  EXPECT_EQ(GetString(Json(Call("GET", path)).at("feedback").as_object(), "correction"), "two");
  EXPECT_EQ(Call("POST", path + "/feedback", R"({"score":2})").status, 400);
  EXPECT_EQ(Call("POST", path + "/feedback", R"({"score":1,"x":1})").status, 400);
  for (const auto& [method, target] :
       {std::pair("GET", path), std::pair("DELETE", path), std::pair("GET", std::string("/v1/traffic"))}) {
    EXPECT_EQ(Reason(Call(method, target, "", "", "member")), "owner_required") << method;
  }
  EXPECT_EQ(Reason(Call("POST", "/v1/datasets/from-traffic", R"({"name":"a"})", "", "member")), "owner_required");
  EXPECT_EQ(Call("DELETE", path).status, 200);
  EXPECT_EQ(Call("GET", path).status, 404);
}

TEST_F(TrafficApiTest, MembersJudgeWhatTheirOwnKeyAsked) {
  const data::Exchange other{.id = "theirs",
                             .deployment = "digits",
                             .model = "mnist@2",
                             .kind = "predict",
                             .key_id = "key_9",
                             .created_ms = 1,
                             .request = "{}",
                             .answer = "{}"};
  ASSERT_TRUE(traffic_->Insert(std::span(&other, 1)).ok());
  const std::string path = "/v1/traffic/theirs/feedback";
  EXPECT_EQ(Reason(Call("POST", path, R"({"score":1})", "", "member")), "answer_not_recorded");
  EXPECT_EQ(Call("POST", path, R"({"score":1})").status, 200);
}

TEST_F(TrafficApiTest, MakesDataSets) {
  const std::string good = Predict();
  Predict();
  Call("POST", "/v1/traffic/" + good + "/feedback", R"({"score":1})");
  const auto answer = Call("POST", "/v1/datasets/from-traffic",
                           R"({"name":"served","deployment":"digits","min_score":0.5,"columns":["id"]})");
  ASSERT_EQ(answer.status, 200) << answer.body;
  const auto job = jobs_.Get(GetString(Json(answer), "id")).value();
  EXPECT_EQ(job.kind, "import");
  EXPECT_EQ(GetString(job.spec.at("lineage").at("traffic").as_object(), "deployment"), "digits");
  const auto text = storage::ReadAll(*blobs_, GetString(job.spec.at("files").at(0).as_object(), "sha256"), 1000);
  EXPECT_EQ(*text, R"({"input":[1,0,0],"label":"zero","id":")" + good + "\"}\n");
  const auto few = Call("POST", "/v1/datasets/from-traffic", R"({"name":"few","deployment":"digits","limit":1})");
  EXPECT_EQ(GetInt(jobs_.Get(GetString(Json(few), "id")).value().spec.at("lineage").as_object(), "rows"), 1);
  Chat();
  const auto refused = [&](const std::string& body) { return Call("POST", "/v1/datasets/from-traffic", body); };
  EXPECT_THAT(refused(R"({"name":"a"})").body, HasSubstr("name one with 'kind'"));
  EXPECT_EQ(Reason(refused(R"({"name":"a","deployment":"none"})")), "no_records");
  EXPECT_EQ(refused(R"({"name":"a","sample":2})").status, 400);
  EXPECT_EQ(refused(R"({"name":"a","columns":["x"]})").status, 400);
  EXPECT_EQ(refused(R"({"name":"a","task":"x"})").status, 400);
}

TEST_F(TrafficApiTest, MembersLeaveHowDeploymentsAreRecorded) {
  const auto blob = storage::PutBytes(*blobs_, "weights").value();
  const auto added = catalogue_->Write([&](soci::session& session) -> Status {
    ATELIER_TRY(registry_->AddVersion(session, "iris", {{"model.safetensors", blob}}, {{"family", "mlp"}}, ""));
    return {};
  });
  ASSERT_TRUE(added.ok());
  const auto deploy = [&](const std::string& settings, const std::string& key) {
    Call("POST", "/v1/deployments", R"({"model":"iris","settings":)" + settings + "}", "", key);
    const auto deployment = registry_->GetDeployment("iris");
    return deployment.ok() ? json::serialize(deployment->settings) : deployment.error().message;
  };
  EXPECT_EQ(deploy(R"({"record_days":7,"max_batch":3})", "member"), R"({"max_batch":3})");
  EXPECT_EQ(deploy(R"({"record":5,"record_days":7})", "good"), R"({"record":5,"record_days":7})");
  EXPECT_EQ(deploy(R"({"max_batch":2,"record_days":1})", "member"), R"({"max_batch":2,"record":5,"record_days":7})");
}

TEST_F(TrafficApiTest, OnlyOwnersHaveDeploymentsRecorded) {
  const std::string body = R"({"model":"none","settings":{"record":100}})";
  EXPECT_EQ(Call("POST", "/v1/deployments", body).status, 404);  // there is no such model
  EXPECT_EQ(Reason(Call("POST", "/v1/deployments", body, "", "member")), "owner_required");
  EXPECT_EQ(Call("POST", "/v1/deployments", R"({"model":"none","settings":{"record":101}})").status, 400);
}

}  // namespace
}  // namespace atelier::api
