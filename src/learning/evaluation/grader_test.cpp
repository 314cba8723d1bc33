#include "learning/evaluation/grader.h"

#include <gtest/gtest.h>

namespace atelier::learning {
namespace {

json::object Object(const std::string& text) { return ParseJson(text).value().as_object(); }

TEST(FillInTest, FillsPlaces) {
  const auto values =
      Object(R"({"item":{"q":"2+2","n":4,"list":[["a","b"]]},"sample":{"output_text":"四","output_json":{"x":[1]}}})");
  EXPECT_EQ(FillIn("{{item.q}} = {{ item.n }}", values).value(), "2+2 = 4");
  EXPECT_EQ(FillIn("{{sample.output_text}}{{item.list[0][1]}}{{sample.output_json.x}}", values).value(), "四b[1]");
  EXPECT_EQ(FillIn("no place }}", values).value(), "no place }}");
  for (const char* bad : {"{{item.x}}", "{{item", "{{}}", "{{item.list[1]}}", "{{item.list[}}", "{{item.list[-1]}}",
                          "{{item.q.x}}", "{{item.list[0]x}}", "{{item.}}", "{{item.list[99999999999999999999]}}"}) {
    EXPECT_EQ(FillIn(bad, values).error().reason, "invalid_template") << bad;
  }
}

struct Pair {
  const char* a;
  const char* b;
  double fuzzy;
  double gleu;
};

// rapidfuzz 3's fuzz.ratio / 100; nltk 3's sentence_gleu of words, of
// characters where they are Chinese.
TEST(SimilarityTest, EqualsOthers) {
  for (const auto& [a, b, fuzzy, gleu] : {
           Pair{"The capital is Paris.", "Paris is the capital", 0.4878048780487805, 0.2},
           Pair{"kitten", "sitting", 0.6153846153846154, 0},
           Pair{"北京是中国的首都", "中国的首都是北京", 0.625, 0.6923076923076923},
           Pair{"a", "", 0, 0},
           Pair{"the cat sat on the mat today", "the cat sat on a mat", 0.7916666666666665, 0.5},
       }) {
    EXPECT_NEAR(FuzzyMatch(a, b), fuzzy, 1e-12) << a;
    EXPECT_NEAR(FuzzyMatch(b, a), fuzzy, 1e-12) << a;
    EXPECT_NEAR(Gleu(a, b), gleu, 1e-12) << a;
  }
  EXPECT_EQ(FuzzyMatch("", ""), 1);
}

Grader::Grade Judge(const std::string& how, const std::string& input, const std::string& reference,
                    double threshold = 0.5) {
  const bool check = how == "eq" || how == "ne" || how == "like" || how == "ilike";
  json::object object{{"name", "n"}, {"input", "{{sample.output_text}}"}, {"reference", "{{item.answer}}"}};
  object["type"] = check ? "string_check" : "text_similarity";
  object[check ? "operation" : "evaluation_metric"] = how;
  if (!check) {
    object["pass_threshold"] = threshold;
  }
  const auto grader = Grader::FromJson(object, "testing_criteria[0]");
  EXPECT_TRUE(grader.ok()) << (grader.ok() ? "" : grader.error().message);
  return grader->Judge({{"item", {{"answer", reference}}}, {"sample", {{"output_text", input}}}}).value();
}

TEST(GraderTest, ComparesTexts) {
  EXPECT_TRUE(Judge("eq", "a", "a").passed);
  EXPECT_FALSE(Judge("eq", "a", "A").passed);
  EXPECT_TRUE(Judge("ne", "a", "b").passed);
  EXPECT_TRUE(Judge("like", "It is Paris.", "Paris").passed);
  EXPECT_FALSE(Judge("like", "It is Paris.", "paris").passed);
  EXPECT_TRUE(Judge("ilike", "It is Ünder", "üNDER").passed);
  EXPECT_EQ(Judge("eq", "a", "b").score, 0);
}

TEST(GraderTest, MeasuresSimilarity) {
  const std::string reference = "the cat sat on the mat today";
  const std::string input = "the cat sat on a mat";
  EXPECT_NEAR(Judge("bleu", input, reference).score, 0.4548019047027906,
              1e-9);  // sacrebleu's sentence_bleu
  EXPECT_NEAR(Judge("rouge_1", input, reference).score, 0.7692307692307692,
              1e-12);  // rouge_score's
  EXPECT_NEAR(Judge("rouge_3", input, reference).score, 0.4444444444444445, 1e-12);
  EXPECT_NEAR(Judge("rouge_l", input, reference).score, 0.7692307692307692, 1e-12);
  EXPECT_TRUE(Judge("gleu", input, reference, 0.5).passed);
  EXPECT_FALSE(Judge("gleu", input, reference, 0.51).passed);
}

TEST(GraderTest, RefusesTextsThatAreTooLong) {
  const auto judge = [](const char* metric, const std::string& input) {
    return Grader::FromJson(Object(R"({"type":"text_similarity","name":"n","input":"{{x}}","reference":"a",)"
                                   R"("pass_threshold":0,"evaluation_metric":")" +
                                   std::string(metric) + "\"}"),
                            "c")
        ->Judge({{"x", input}});
  };
  std::string words = "a";
  for (int i = 1; i < 4000; ++i) {
    words += " a";
  }
  EXPECT_TRUE(judge("fuzzy_match", std::string(4000, 'a')).ok());
  EXPECT_EQ(judge("fuzzy_match", std::string(4001, 'a')).error().reason, "text_too_long");
  EXPECT_TRUE(judge("rouge_l", words).ok());
  EXPECT_EQ(judge("rouge_l", words + " a").error().reason, "text_too_long");
  EXPECT_TRUE(judge("rouge_1", words + " a").ok());
}

TEST(GraderTest, RefusesBadCriteria) {
  const std::string good = R"("name":"n","input":"a","reference":"b")";
  const std::vector<std::pair<std::string, std::string>> bad{
      {R"({"type":"label_model",)" + good + "}", "c.type"},
      {R"({"type":"string_check",)" + good + "}", "c.operation"},
      {R"({"type":"string_check","operation":"is",)" + good + "}", "c.operation"},
      {R"({"type":"string_check","operation":"eq","name":"n","input":"a"})", "c.reference"},
      {R"({"type":"text_similarity","evaluation_metric":"meteor","pass_threshold":1,)" + good + "}",
       "c.evaluation_metric"},
      {R"({"type":"text_similarity","evaluation_metric":"bleu","pass_threshold":2,)" + good + "}", "c.pass_threshold"},
      {R"({"type":"string_check","operation":"eq","x":1,)" + good + "}", "c.x"},
  };
  for (const auto& [text, param] : bad) {
    const auto grader = Grader::FromJson(Object(text), "c");
    ASSERT_FALSE(grader.ok()) << text;
    EXPECT_EQ(grader.error().param, param) << text;
  }
}

}  // namespace
}  // namespace atelier::learning
