#include "text/language/word_net.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <fstream>

#include "base/rng.h"
#include "text/language/augment.h"
#include "text/language/ngrams.h"

namespace atelier::text::language {
namespace {

namespace fs = std::filesystem;

// A database of a few words.
class WordNetTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string name = (fs::temp_directory_path() / "atelier_wordnet_XXXXXX").string();
    ASSERT_NE(::mkdtemp(name.data()), nullptr);
    folder_ = name;
    const std::string licence = "  1 a line of the licence\n";
    const std::string synset = "00000026 04 n 03 dog 0 domestic_dog 0 Canis_familiaris 0 000 | an animal\n";
    Write("data.noun", licence + synset);
    Write("index.noun", licence + "canis_familiaris n 1 0 1 0 00000026\ndog n 1 2 @ ~ 1 1 00000026\n");
    Write("noun.exc", "geese goose\nmice mouse\n");
    for (const char* part : {"verb", "adj", "adv"}) {
      Write(std::string("data.") + part, licence);
      Write(std::string(part) + ".exc", "");
    }
    Write("index.verb", licence + "hope v 1 0 1 0 00000026\nrun v 1 0 1 0 00000026\n");
    Write("index.adj", licence + "large a 1 0 1 0 00000026\n");
    Write("index.adv", licence + "well r 1 0 1 0 00000026\n");
  }
  void TearDown() override { fs::remove_all(folder_); }
  void Write(const std::string& name, const std::string& text) { std::ofstream(folder_ / name) << text; }

  fs::path folder_;
};

TEST_F(WordNetTest, BaseFormsAndSynonyms) {
  const auto net = WordNet::Open(folder_);
  ASSERT_TRUE(net.ok()) << net.error().message;
  EXPECT_EQ((*net)->Lemma("dogs", PartOfSpeech::kNoun), "dog");
  EXPECT_EQ((*net)->Lemma("hoped", PartOfSpeech::kVerb), "hope");
  EXPECT_EQ((*net)->Lemma("larger", PartOfSpeech::kAdjective), "large");
  EXPECT_EQ((*net)->Lemma("unknowns", PartOfSpeech::kNoun), "unknowns");
  EXPECT_EQ((*net)->AnyLemma("hoping"), "hope");
  EXPECT_EQ((*net)->Synonyms("dog", 5), (std::vector<std::string>{"domestic dog", "Canis familiaris"}));
  EXPECT_EQ((*net)->Synonyms("dog", 1).size(), 1U);
  EXPECT_TRUE((*net)->Synonyms("large", 5).empty());  // its offset leads to nothing
}

TEST_F(WordNetTest, AMissingFileIsNamed) {
  fs::remove(folder_ / "index.verb");
  const auto net = WordNet::Open(folder_);
  ASSERT_FALSE(net.ok());
  EXPECT_EQ(net.error().reason, "wordnet_not_found");
  EXPECT_NE(net.error().message.find("index.verb"), std::string::npos);
}

TEST_F(WordNetTest, DamagedFilesGiveErrorsOrNothing) {
  Write("index.noun", "");
  EXPECT_EQ(WordNet::Open(folder_).error().code, Code::kDataLoss);
  Write("index.noun", "dog n 1 99999999999999 @\ncat\nbird n 1 1 @ 1 1 99999999\n");
  const auto net = WordNet::Open(folder_);
  ASSERT_TRUE(net.ok());
  for (const char* word : {"dog", "cat", "bird", ""}) {
    EXPECT_TRUE((*net)->Synonyms(word, 5).empty()) << word;
  }
}

TEST(PartOfSpeechTest, FromLettersAndTags) {
  EXPECT_EQ(PartOfSpeechFromLetter("s"), PartOfSpeech::kAdjective);
  EXPECT_EQ(PartOfSpeechFromLetter("r"), PartOfSpeech::kAdverb);
  EXPECT_EQ(PartOfSpeechFromLetter("x"), std::nullopt);
  EXPECT_EQ(PartOfSpeechOfTag("VBZ"), PartOfSpeech::kVerb);
  EXPECT_EQ(PartOfSpeechOfTag("NNP"), PartOfSpeech::kNoun);
}

TEST_F(WordNetTest, VariantsRepeatWithTheirSeed) {
  const auto net = WordNet::Open(folder_);
  const auto english = Segmenter::Create("en");
  const auto stop_words = StopWords::Of("en");
  ASSERT_TRUE(net.ok() && english.ok() && stop_words.ok());
  const Augmenter augmenter(**english, true, net->get(), *stop_words);
  SeededRng rng(1);
  EXPECT_EQ(augmenter.Variant("The (Dogs) dog, runs.", {0, 0, 0}, rng).value(), "The (Dogs) dog, runs.");
  const std::string all = augmenter.Variant("The Dog, runs", {1, 0, 0}, rng).value();
  EXPECT_TRUE(all == "The Domestic dog, runs" || all == "The Canis familiaris, runs") << all;
  EXPECT_EQ(augmenter.Variant("a b c", {0, 1, 0}, rng)->size(), 1U);
  EXPECT_EQ(augmenter.Variant("a b c", {0, 0, 1}, rng).value(), "b c a");
  EXPECT_EQ(augmenter.Variant("", {1, 1, 1}, rng).value(), "");
  SeededRng first(7);
  SeededRng second(7);
  const std::string text = "one two three four five six seven eight";
  const AugmentOptions half{0.5, 0.5, 0.5};
  EXPECT_EQ(augmenter.Variant(text, half, first).value(), augmenter.Variant(text, half, second).value());
}

TEST(AugmentTest, ChineseHasNoSpaces) {
  const auto chinese = Segmenter::Create("zh");
  const auto stop_words = StopWords::Of("zh");
  ASSERT_TRUE(chinese.ok() && stop_words.ok());
  const Augmenter augmenter(**chinese, false, nullptr, *stop_words);
  SeededRng rng(1);
  EXPECT_EQ(augmenter.Variant("我喜欢电影。", {0, 0, 1}, rng).value(), "喜欢电影我。");
}

TEST(NGramsTest, ShorterOnesFirst) {
  EXPECT_EQ(NGrams({"a", "b", "c"}, 1, 2), (std::vector<std::string>{"a", "b", "c", "a b", "b c"}));
  EXPECT_TRUE(NGrams({"a"}, 2, 3).empty());
}

}  // namespace
}  // namespace atelier::text::language
