// /v1/text
#include <gtest/gtest.h>

#include "api/testing/fixture.h"
#include "text/language/tagger.h"

namespace atelier::api::test {
namespace {

class LanguageTest : public ServerTest {
 protected:
  json::object Ask(const std::string& endpoint, const std::string& body) {
    return Json(Call("POST", "/v1/text/" + endpoint, body, "Content-Type: application/json\r\n"));
  }
  // The first item of an answer.
  json::object First(const std::string& endpoint, const std::string& body) {
    const auto answer = Ask(endpoint, body);
    const auto* data = answer.if_contains("data");
    return data != nullptr && !data->get_array().empty() ? data->get_array()[0].get_object() : answer;
  }
  std::string Refused(const std::string& endpoint, const std::string& body) {
    const auto answer = Call("POST", "/v1/text/" + endpoint, body, "Content-Type: application/json\r\n");
    const auto error = Json(answer);
    const auto* found = error.if_contains("error");
    const auto* param = found == nullptr ? nullptr : found->get_object().if_contains("param");
    return std::to_string(answer.status) + " " +
           (param != nullptr && param->is_string() ? param->as_string().c_str() : "");
  }
};

TEST_F(LanguageTest, AnalyzesEnglish) {
  const auto item = First("analyze", R"({"input":"The dogs weren't running. They slept.","language":"en",
      "sentences":true,"words":true,"stems":"english","lower":true,"remove_stop_words":true})");
  EXPECT_EQ(json::serialize(item.at("sentences")), R"(["The dogs weren't running.","They slept."])");
  EXPECT_EQ(json::serialize(item.at("words")), R"(["dogs","n't","running",".","slept","."])");
  EXPECT_EQ(json::serialize(item.at("stems")), R"(["dog","n't","run",".","slept","."])");
}

TEST_F(LanguageTest, AnalyzesChineseAndFindsTheLanguage) {
  const auto item = First("analyze", R"({"input":"我非常喜欢这个电影。"})");
  EXPECT_EQ(GetString(item, "language"), "zh");
  EXPECT_EQ(json::serialize(item.at("words")), R"(["我","非常","喜欢","这个","电影","。"])");
}

TEST_F(LanguageTest, WeighsTermsOverAllTexts) {
  const auto answer =
      Ask("analyze", R"({"input":["cat dog","cat"],"language":"en","tf_idf":true,"ngrams":{"least":1}})");
  const auto& first = answer.at("data").get_array()[0].get_object().at("tf_idf").get_array();
  ASSERT_EQ(first.size(), 2U);
  EXPECT_EQ(GetString(first[0].get_object(), "term"), "dog");
  EXPECT_NEAR(GetNumber(first[0].get_object(), "weight"), 0.8148, 1e-4);
}

TEST_F(LanguageTest, Cleans) {
  const auto item = First("clean", R"({"input":"<p>ＡＢ  漢語 a@b.org</p>","html":true,"half_width":true,
      "script":"simplified","whitespace":true,"lower":true,"normalize":"nfkc","redact":["email"]})");
  EXPECT_EQ(GetString(item, "text"), "ab 汉语 [EMAIL]");
  EXPECT_EQ(json::serialize(item.at("redacted")), R"({"email":1})");
}

TEST_F(LanguageTest, AugmentsTheSameWithTheSameSeed) {
  const std::string body =
      R"({"input":"one two three four five six","swaps":0.5,"deletion":0.3,"variants":3,"seed":5})";
  const auto once = First("augment", body);
  EXPECT_EQ(once.at("variants").get_array().size(), 3U);
  EXPECT_EQ(once, First("augment", body));
}

TEST_F(LanguageTest, TagsWithATaggerOfTheRegistry) {
  const auto tagger = ::atelier::text::language::TrainTagger({{{"dogs", "NN"}, {"run", "VB"}}});
  const auto blob = storage::PutBytes(*blobs_, json::serialize(tagger->ToJson()));
  ASSERT_TRUE(blob.ok());
  const auto added = catalogue_->Write([&](soci::session& session) -> Status {
    ATELIER_TRY(registry_->AddVersion(session, "tags", {{"tagger.json", *blob}}, {{"family", "tagger"}}, "job_1"));
    ATELIER_TRY(registry_->AddVersion(session, "other", {{"x", *blob}}, {{"family", "mlp"}}, "job_1"));
    return {};
  });
  ASSERT_TRUE(added.ok());
  const auto item = First("analyze", R"({"input":[["dogs","run"]],"tokenized":true,"tagger":"tags"})");
  EXPECT_EQ(json::serialize(item.at("tags")), R"(["NN","VB"])");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","tagger":"other"})"), "400 tagger");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","tagger":"none"})").substr(0, 3), "404");
}

TEST_F(LanguageTest, RefusesWhatItCannotDo) {
  EXPECT_EQ(Refused("analyze", "{}"), "400 input");
  EXPECT_EQ(Refused("analyze", R"({"input":[]})"), "400 input");
  EXPECT_EQ(Refused("analyze", R"({"input":[1]})"), "400 input");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","tokenized":true})"), "400 input");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","language":"english"})"), "400 language");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","stems":"none"})"), "400 stems");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","lemmas":"x"})"), "400 lemmas");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","lemmas":"tags"})"), "400 lemmas");
  EXPECT_EQ(Refused("analyze", R"({"input":"你好","lemmas":"n"})"), "400 lemmas");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","ngrams":{"least":3,"most":2}})"), "400 ngrams.most");
  EXPECT_EQ(Refused("analyze", R"({"input":"a","colour":1})"), "400 colour");
  EXPECT_EQ(Refused("analyze", R"({"input":")" + std::string(1200000, 'a') + "\"}").substr(0, 3), "413");
  EXPECT_EQ(Refused("clean", R"({"input":"a","normalize":"x"})"), "400 normalize");
  EXPECT_EQ(Refused("clean", R"({"input":"a","redact":["x"]})"), "400 redact");
  EXPECT_EQ(Refused("clean", R"({"input":"a","redact":"yes"})"), "400 redact");
  EXPECT_EQ(Refused("clean", R"({"input":"a","script":"x"})"), "400 script");
  EXPECT_EQ(Refused("augment", R"({"input":"你好","synonyms":0.5})"), "400 synonyms");
  EXPECT_EQ(Refused("augment", R"({"input":"a","variants":17})"), "400 variants");
}

}  // namespace
}  // namespace atelier::api::test
