#include <gmock/gmock.h>

#include "base/json.h"
#include "data/traffic/recorder.h"
#include "data/traffic/rows.h"
#include "storage/test_folder.h"

namespace atelier::data {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr int64_t kDayMs = int64_t{24} * 3600 * 1000;

class TrafficTest : public ::testing::Test {
 protected:
  TrafficTest()
      : catalogue_(storage::OpenSqliteCatalogue(folder_ / "catalogue.db", Migrations()).value()),
        store_(*catalogue_, clock_) {}

  Exchange Chat(const std::string& id, const std::string& text = "hi") const {
    return {.id = id,
            .deployment = "d",
            .model = "m@1",
            .kind = "chat",
            .key_id = "key_1",
            .created_ms = clock_.UnixMs(),
            .request = R"({"messages":[{"role":"user","content":")" + text + "\"}]}",
            .answer = R"({"answers":[{"content":"hello"}]})"};
  }
  std::vector<std::string> Ids(const TrafficQuery& query) {
    std::vector<std::string> ids;
    EXPECT_TRUE(store_
                    .ForEach(query,
                             [&](const TrafficRecord& record) -> Result<bool> {
                               ids.push_back(record.id);
                               return true;
                             })
                    .ok());
    return ids;
  }

  storage::TestFolder folder_;
  ManualClock clock_;
  SystemRng rng_;
  Metrics metrics_;
  std::unique_ptr<storage::Catalogue> catalogue_;
  TrafficStore store_;
};

TEST_F(TrafficTest, FindsByTimeDeploymentAndFeedback) {
  std::vector<Exchange> exchanges;
  for (const char* id : {"a", "b", "c"}) {
    exchanges.push_back(Chat(id));
    clock_.AdvanceMs(1000);
  }
  exchanges[2].deployment = "e";
  EXPECT_EQ(store_.Insert(exchanges).value(), 3U);
  EXPECT_THAT(Ids({}), ElementsAre("a", "b", "c"));
  EXPECT_THAT(Ids({.deployment = "e"}), ElementsAre("c"));
  EXPECT_THAT(Ids({.kind = "predict"}), ElementsAre());
  EXPECT_THAT(Ids({.from_ms = exchanges[1].created_ms, .to_ms = exchanges[2].created_ms}), ElementsAre("b"));
  ASSERT_TRUE(store_.SetFeedback("a", {0.5, "", ""}).ok());
  ASSERT_TRUE(store_.SetFeedback("b", {-1, "x", "y"}).ok());
  EXPECT_THAT(Ids({.min_score = 0}), ElementsAre("a"));
  EXPECT_THAT(Ids({.max_score = 0}), ElementsAre("b"));
  EXPECT_EQ(store_.Get("b")->feedback->correction, "x");
  EXPECT_EQ(store_.SetFeedback("z", {}).error().reason, "answer_not_recorded");
  EXPECT_EQ(store_.SetFeedback("a", {}, "key_2").error().reason, "answer_not_recorded");  // another's
  EXPECT_TRUE(store_.SetFeedback("a", {0.5, "", ""}, "key_1").ok());
  EXPECT_TRUE(store_.Delete("a").ok());
  EXPECT_EQ(store_.Delete("a").error().reason, "answer_not_recorded");
  EXPECT_EQ(store_.Insert(std::vector{Chat("b", "other")}).value(), 0U);  // a known id is left as it is
  EXPECT_THAT(store_.Get("b")->request, HasSubstr("hi"));
}

TEST_F(TrafficTest, PagesThroughMany) {
  std::vector<Exchange> exchanges;
  for (int i = 0; i < 600; ++i) {
    exchanges.push_back(Chat(std::to_string(1000 + i)));
  }
  ASSERT_TRUE(store_.Insert(exchanges).ok());
  EXPECT_EQ(Ids({}).size(), 600U);
  const auto bytes = static_cast<int64_t>(exchanges[0].request.size() + exchanges[0].answer.size());
  ASSERT_TRUE(store_.Trim("d", 0, 500 * bytes).ok());
  EXPECT_EQ(Ids({}).size(), 500U);  // just the oldest 100 went
  EXPECT_EQ(Ids({}).front(), "1100");
  ASSERT_TRUE(store_.SetFeedback("1599", {1, std::string(static_cast<size_t>(bytes), 'x'), ""}).ok());
  ASSERT_TRUE(store_.Trim("d", 0, 500 * bytes).ok());
  EXPECT_EQ(Ids({}).size(), 499U);  // feedback counts
  clock_.AdvanceMs(kDayMs);
  ASSERT_TRUE(store_.Trim("d", clock_.UnixMs(), 1 << 30).ok());
  EXPECT_TRUE(Ids({}).empty());
}

TEST_F(TrafficTest, VisitsWhileRowsAreTrimmedAndStopsWhenTold) {
  std::vector<Exchange> exchanges;
  for (int i = 0; i < 300; ++i) {
    exchanges.push_back(Chat(std::to_string(1000 + i)));
  }
  ASSERT_TRUE(store_.Insert(exchanges).ok());
  size_t seen = 0;
  const auto visit = [&](const TrafficRecord& record) -> Result<bool> {
    ++seen;
    if (record.id == "1255") {  // the last of a page
      ATELIER_TRY(store_.Delete(record.id));
    }
    return record.id != "1279";
  };
  EXPECT_TRUE(store_.ForEach({}, visit).ok());
  EXPECT_EQ(seen, 280U);
}

TEST(RedactJsonTest, FindsNumbersKeysAndJsonInStrings) {
  EXPECT_EQ(*RedactJson(R"({"n":4111111111111111,"p":[13812345678,1.3812345678E10],"x":1700000000,"y":0.5})"),
            R"({"n":"[CARD]","p":["[PHONE]","[PHONE]"],"x":1700000000,"y":5E-1})");
  EXPECT_EQ(*RedactJson(R"({"ann@example.org":1,"bob@example.org":2,"c":3})"), R"({"[EMAIL]":1,"[EMAIL]_1":2,"c":3})");
  EXPECT_EQ(*RedactJson(R"({"arguments":"{\"card\":4111111111111111}","code":"{ \"a\": 1 }"})"),
            R"({"arguments":"{\"card\":\"[CARD]\"}","code":"{ \"a\": 1 }"})");
  EXPECT_EQ(*RedactJson(R"(["[ann@example.org"])"), R"(["[[EMAIL]"])");
}

TEST_F(TrafficTest, RecordsWithoutPersonalData) {
  Recorder recorder(store_, clock_, rng_, metrics_);
  recorder.SetPolicies({{"d", {.percent = 100}}, {"e", {.percent = 0}}});
  EXPECT_TRUE(recorder.Any());
  EXPECT_TRUE(recorder.Wants("d"));
  EXPECT_FALSE(recorder.Wants("e"));
  EXPECT_FALSE(recorder.Wants("f"));
  recorder.Record(Chat("a", "write to ann@example.org"));
  Exchange broken = Chat("b");
  broken.answer = "{";
  recorder.Record(broken);
  Exchange ids = Chat("c");
  ids.kind = "completion";
  ids.request = R"({"prompt":[1,2,3]})";
  recorder.Record(ids);
  recorder.Record(Chat("a"));
  recorder.Flush();
  EXPECT_FALSE(store_.Get("c").ok());
  EXPECT_THAT(store_.Get("a")->request, HasSubstr("write to [EMAIL]"));
  EXPECT_FALSE(store_.Get("b").ok());
  EXPECT_THAT(metrics_.Render(), HasSubstr("atelier_traffic_records_total{outcome=\"stored\"} 1"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("atelier_traffic_records_total{outcome=\"failed\"} 1"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("atelier_traffic_records_total{outcome=\"token_ids\"} 1"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("atelier_traffic_records_total{outcome=\"duplicate\"} 1"));
}

TEST_F(TrafficTest, DropsWhatDoesNotFit) {
  {
    Recorder recorder(store_, clock_, rng_, metrics_, {.queued = 2, .record_bytes = 200});
    recorder.Flush();
    // The thread takes the queue within 200 ms or on Flush; of 1000 at once most find it full.
    for (int i = 0; i < 1000; ++i) {
      recorder.Record(Chat(std::to_string(i)));
    }
    recorder.Record(Chat("large", std::string(300, 'x')));
  }
  EXPECT_GE(Ids({}).size(), 2U);  // the destructor stores what waits
  EXPECT_LT(Ids({}).size(), 1000U);
  EXPECT_THAT(metrics_.Render(), HasSubstr("atelier_traffic_records_total{outcome=\"queue_full\"}"));
  EXPECT_THAT(metrics_.Render(), HasSubstr("atelier_traffic_records_total{outcome=\"too_large\"} 1"));
}

TEST_F(TrafficTest, TrimsByTheDeploymentsWish) {
  ASSERT_TRUE(store_.Insert(std::vector{Chat("old")}).ok());
  clock_.AdvanceMs(3 * kDayMs);
  ASSERT_TRUE(store_.Insert(std::vector{Chat("new")}).ok());
  const RecorderOptions options{.trim_every_ms = 0, .days_of_gone_deployments = 2};
  {
    Recorder recorder(store_, clock_, rng_, metrics_, options);
    recorder.Record(Chat("newer"));
    recorder.Flush();
  }
  EXPECT_THAT(Ids({}), ElementsAre("old", "new", "newer"));  // whose they are is not known yet
  {
    Recorder recorder(store_, clock_, rng_, metrics_, options);
    recorder.SetPolicies({{"d", {.days = 5}}});
    recorder.SetPolicies({});  // d is gone
    recorder.Record(Chat("newest"));
    recorder.Flush();
  }
  EXPECT_THAT(Ids({}), ElementsAre("old", "new", "newer", "newest"));  // as it last wished
  {
    Recorder recorder(store_, clock_, rng_, metrics_, options);
    recorder.SetPolicies({});
    recorder.Record(Chat("newest of all"));
  }  // trimmed behind the last batch
  EXPECT_THAT(Ids({}), ElementsAre("new", "newer", "newest", "newest of all"));
}

std::string Row(const std::string& kind, const std::string& request, const std::string& answer,
                std::optional<Feedback> feedback = {}, const std::vector<std::string>& extra = {}) {
  TrafficRecord record;
  record.id = "a";
  record.kind = kind;
  record.request = request;
  record.answer = answer;
  record.feedback = std::move(feedback);
  std::string out;
  for (const auto& row : RowsOf(record, extra)) {
    out += (out.empty() ? "" : " ") + json::serialize(row);
  }
  return out;
}

TEST(TrafficRowsTest, MakesRowsThatModelsLearnFrom) {
  const std::string chat = R"({"messages":[{"role":"user","content":"q"}],"temperature":1})";
  EXPECT_EQ(Row("chat", chat, R"({"answers":[{"content":"x"},{"content":"y"}]})"),
            R"({"messages":[{"role":"user","content":"q"},{"content":"x","role":"assistant"}]})");
  EXPECT_EQ(Row("chat", chat, R"({"answers":[{"content":"x"}]})", Feedback{1, "z", ""}, {"score"}),
            R"({"messages":[{"role":"user","content":"q"},{"role":"assistant","content":"z"}],"score":1E0})");
  EXPECT_EQ(Row("completion", R"({"prompt":"p"})", R"({"answers":[{"content":"x"}]})"),
            R"({"instruction":"p","output":"x"})");
  EXPECT_EQ(Row("predict", R"({"inputs":["good","bad"]})", R"({"data":[{"label":"pos"},{"label":"neg"}]})"),
            R"({"text":"good","label":"pos"} {"text":"bad","label":"neg"})");
  EXPECT_EQ(
      Row("predict", R"({"input":{"a":1,"label":"x"}})", R"({"data":[{"label":"pos"}]})", Feedback{-1, "neg", ""}),
      R"({"a":1,"label":"x","predicted_label":"neg"})");
  EXPECT_EQ(Row("predict", R"({"input":[1,2]})", R"({"data":[{"value":3}]})", Feedback{-1, "4", ""}, {"comment", "id"}),
            R"({"input":[1,2],"value":4,"comment":"","id":"a"})");
  EXPECT_EQ(Row("predict", R"({"input":[1,2]})", R"({"data":[{"value":3}]})", Feedback{-1, "four", ""}), "");
  EXPECT_EQ(Row("predict", R"({"input":{"id":7}})", R"({"data":[{"label":"x"}]})", {}, {"id"}),
            R"({"id":7,"label":"x","traffic_id":"a"})");
}

TEST(TrafficRowsTest, SkipsWhatHasNoSuchForm) {
  EXPECT_EQ(Row("chat", R"({"messages":1})", R"({"answers":[{}]})"), "");
  EXPECT_EQ(Row("chat", R"({"messages":[]})", R"({"answers":[]})"), "");
  EXPECT_EQ(Row("completion", R"({"prompt":["a","b"]})", R"({"answers":[{"content":"x"}]})"), "");
  EXPECT_EQ(Row("predict", R"({"inputs":[1,2]})", R"({"data":[{"label":"x"}]})"), "");
  EXPECT_EQ(Row("predict", "{", "[]"), "");
}

}  // namespace
}  // namespace atelier::data
