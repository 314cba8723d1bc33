// Evaluations and deployments with a gate, over the wire.
#include "learning/evaluation/report.h"

#include "api/testing/fixture.h"
#include "base/hash.h"
#include "storage/blob_json.h"

namespace atelier::api::test {
namespace {

class EvaluationsTest : public ServerTest {
 protected:
  void SetUp() override {
    ServerTest::SetUp();
    const auto added = catalogue_->Write([&](soci::session& session) -> Status {
      return registry_
                     ->AddVersion(session, "sorter", {{"config.json", {Sha256Hex("{}"), 2}}}, {{"family", "mlp"}},
                                  "job_1")
                     .ok()
                 ? Status()
                 : Status(Internal("no version"));
    });
    ASSERT_TRUE(added.ok());
  }

  // An evaluation of 60 rows of which every `wrong`-th is answered wrongly.
  std::string Evaluate(int wrong, int64_t dataset_version = 1) {
    learning::Predictions predictions;
    predictions.labels = {"no", "yes"};
    learning::Key key{.name = "place", .labels = {"here", "there"}};
    for (int i = 0; i < 60; ++i) {
      predictions.rows.push_back(i);
      predictions.truth.push_back(i % 2);
      predictions.predicted.push_back(i % wrong == 0 ? 1 - i % 2 : i % 2);
      key.codes.push_back(i / 30);
    }
    predictions.keys.push_back(key);
    registry::Evaluation evaluation{"",   "sorter", 1, "things", dataset_version, "test", learning::Report(predictions),
                                    1000, "job_2"};
    evaluation.predictions = learning::StorePredictions(*blobs_, predictions).value();
    std::string id;
    const Status written = catalogue_->Write([&](soci::session& session) -> Status {
      ATELIER_ASSIGN(added, registry_->AddEvaluation(session, evaluation));
      id = added.id;
      return {};
    });
    EXPECT_TRUE(written.ok()) << written.error().message;
    return id;
  }
};

TEST_F(EvaluationsTest, ErrorsAndBiasAreRead) {
  const std::string target = "/v1/evaluations/" + Evaluate(6);
  const auto whole = Json(Call("GET", target));
  EXPECT_TRUE(whole.at("has_predictions").as_bool());
  EXPECT_EQ(whole.at("metrics").at("intervals").at("accuracy").as_array().size(), 2U);
  const auto errors = Json(Call("GET", target + "/errors?slice=place&limit=3"));
  EXPECT_EQ(GetString(errors, "object"), "evaluation.errors");
  EXPECT_EQ(errors.at("worst").as_array().size(), 3U);
  EXPECT_EQ(errors.at("slices").as_array().size(), 2U);
  EXPECT_EQ(Call("GET", target + "/errors?slice=colour").status, 400);
  EXPECT_EQ(Call("GET", target + "/errors?limit=x").status, 400);
  const auto bias = Json(Call("GET", target + "/bias?group=place&positive=no"));
  EXPECT_EQ(bias.at("groups").as_array().size(), 2U);
  EXPECT_EQ(Call("GET", target + "/bias").status, 400);
  const auto file = Call("GET", target + "/predictions");
  EXPECT_EQ(file.status, 200);
  EXPECT_NE(file.body.find("atelier.predictions/1"), std::string::npos);
  EXPECT_EQ(Call("GET", "/v1/evaluations/eval_none/errors").status, 404);
}

TEST_F(EvaluationsTest, TwoAreCompared) {
  const std::string a = Evaluate(6);
  const std::string b = Evaluate(60);
  const auto comparison = Json(Call("POST", "/v1/evaluations/compare", R"({"a":")" + a + R"(","b":")" + b + R"("})"));
  EXPECT_EQ(GetString(comparison, "object"), "evaluation.comparison");
  EXPECT_EQ(comparison.at("fixed").as_int64(), 9);
  EXPECT_EQ(comparison.at("figures").at(0).at("better").as_string(), "b");
  const std::string other = Evaluate(6, 2);
  EXPECT_EQ(Call("POST", "/v1/evaluations/compare", R"({"a":")" + a + R"(","b":")" + other + R"("})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/evaluations/compare", R"({"a":")" + a + R"("})").status, 400);
  EXPECT_EQ(Call("POST", "/v1/evaluations/compare", R"({"a":")" + a + R"(","b":"eval_none"})").status, 404);
}

TEST_F(EvaluationsTest, AGateIsKeptAndShown) {
  const auto made =
      Json(Call("POST", "/v1/deployments", R"({"model":"sorter","gate":{"metric":"accuracy","at_least":0.5}})"));
  EXPECT_EQ(GetNumber(made.at("gate").as_object(), "at_least"), 0.5);
  EXPECT_EQ(GetString(Json(Call("POST", "/v1/deployments", R"({"model":"sorter"})")).at("gate").as_object(), "metric"),
            "accuracy");
  EXPECT_TRUE(Json(Call("POST", "/v1/deployments", R"({"model":"sorter","gate":null})")).at("gate").is_null());
  EXPECT_EQ(Call("POST", "/v1/deployments", R"({"model":"sorter","gate":{"metric":"accuracy"}})").status, 400);
}

}  // namespace
}  // namespace atelier::api::test
