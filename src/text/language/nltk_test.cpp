// Words, sentences, stems, lemmas and weights beside what NLTK 3.10 and scikit-learn gave for the same texts
// (testdata/language_nltk.json, made by tests/clients/nltk_language.py).
#include <gtest/gtest.h>

#include "text/language/punkt.h"
#include "text/language/segmenter.h"
#include "text/language/stemmer.h"
#include "text/language/tf_idf.h"
#include "text/language/treebank_words.h"
#include "text/language/word_net.h"
#include "text/testing/test_files.h"

namespace atelier::text::language {
namespace {

using testing::TestData;
using testing::TextOf;

std::vector<std::string> Texts(const json::value& value) {
  std::vector<std::string> texts;
  for (const auto& item : value.as_array()) {
    texts.push_back(TextOf(item));
  }
  return texts;
}

const json::object& Golden() {
  static const json::value value = TestData("language_nltk.json");
  return value.as_object();
}

std::vector<std::string> Sentences(const std::string& text, const PunktParameters& parameters) {
  std::vector<std::string> sentences;
  for (const auto& span : PunktSentences(text, parameters)) {
    sentences.emplace_back(span.In(text));
  }
  return sentences;
}

TEST(NltkTest, WordsOfASentence) {
  const auto words = TreebankWords::Create();
  ASSERT_TRUE(words.ok()) << words.error().message;
  for (const auto& pair : Golden().at("words").as_array()) {
    const std::string sentence = TextOf(pair.as_array()[0]);
    const auto found = words->Words(sentence);
    ASSERT_TRUE(found.ok());
    EXPECT_EQ(*found, Texts(pair.as_array()[1])) << sentence;
  }
}

TEST(NltkTest, SentencesWithoutTraining) {
  const auto& punkt = Golden().at("punkt").as_object();
  EXPECT_EQ(Sentences(TextOf(punkt.at("text")), {}), Texts(punkt.at("untrained")));
}

TEST(NltkTest, TrainingFindsTheSameParametersAndSentences) {
  const auto& punkt = Golden().at("punkt").as_object();
  const std::string text = TextOf(punkt.at("text"));
  const auto trained = TrainPunkt(text);
  const auto expected = PunktFromJson(punkt.at("trained").as_object());
  ASSERT_TRUE(expected.ok()) << expected.error().message;
  EXPECT_EQ(trained.abbreviations, expected->abbreviations);
  EXPECT_EQ(trained.starters, expected->starters);
  EXPECT_EQ(trained.collocations, expected->collocations);
  EXPECT_EQ(trained.orthography, expected->orthography);
  EXPECT_EQ(Sentences(text, trained), Texts(punkt.at("sentences")));
  const auto again = PunktFromJson(ToJson(trained));
  ASSERT_TRUE(again.ok());
  EXPECT_EQ(again->orthography, trained.orthography);
}

TEST(NltkTest, Stems) {
  const auto english = Stemmer::Create("english");
  const auto porter = Stemmer::Create("porter");
  ASSERT_TRUE(english.ok() && porter.ok());
  for (const auto& row : Golden().at("stems").as_array()) {
    const std::string word = TextOf(row.as_array()[0]);
    EXPECT_EQ(english->Stem(word), TextOf(row.as_array()[1])) << word;
    EXPECT_EQ(porter->Stem(word), TextOf(row.as_array()[2])) << word;
  }
}

TEST(NltkTest, Lemmas) {
  if (!std::filesystem::exists(kWordNetFolder)) {
    GTEST_SKIP() << "WordNet's files are not installed";
  }
  const auto net = WordNet::Open();
  ASSERT_TRUE(net.ok()) << net.error().message;
  for (const auto& row : Golden().at("lemmas").as_array()) {
    const std::string word = TextOf(row.as_array()[0]);
    for (size_t i = 0; i < kPartsOfSpeech.size(); ++i) {
      EXPECT_EQ((*net)->Lemma(word, kPartsOfSpeech[i]), TextOf(row.as_array()[i + 1])) << word << " " << i;
    }
  }
}

TEST(NltkTest, TfIdfOfScikitLearn) {
  const auto& golden = Golden().at("tf_idf").as_object();
  std::vector<std::vector<std::string>> documents;
  for (const auto& text : Texts(golden.at("documents"))) {
    const auto parts = SplitSpace(text);
    documents.emplace_back(parts.begin(), parts.end());
  }
  const TfIdf tf_idf(documents);
  EXPECT_EQ(tf_idf.terms(), Texts(golden.at("terms")));
  size_t at = 0;
  const auto& weights = golden.at("weights").as_array();
  for (size_t row = 0; row < documents.size(); ++row) {
    for (const auto& weight : tf_idf.Transform(documents[row])) {
      ASSERT_LT(at, weights.size());
      const auto& expected = weights[at++].as_array();
      EXPECT_EQ(expected[0].as_int64(), static_cast<int64_t>(row));
      EXPECT_EQ(expected[1].as_int64(), weight.term);
      EXPECT_NEAR(expected[2].to_number<double>(), weight.value, 1e-8);
    }
  }
  EXPECT_EQ(at, weights.size());
}

}  // namespace
}  // namespace atelier::text::language
