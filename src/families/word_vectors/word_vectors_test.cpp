#include <gtest/gtest.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/testing/shared_data.h"
#include "families/word_vectors/agreement.h"
#include "families/word_vectors/model_files.h"
#include "families/word_vectors/word2vec_files.h"
#include "storage/test_folder.h"

namespace atelier::families::word_vectors {
namespace {

WordIndex Published(const std::string& file) {
  auto vectors = ReadWordVectors(SharedData() / "weights" / "word_vectors" / file);
  EXPECT_TRUE(vectors.ok()) << vectors.error().message;
  return WordIndex(std::move(*vectors));
}

std::vector<std::pair<std::string, float>> Neighbours(const WordIndex& index, const std::string& word, size_t top) {
  const int32_t id = index.vocabulary().Find(word).value();
  const auto vector = index.Vector(id);
  const Query query{.vector = {vector.begin(), vector.end()}, .left_out = {id}, .top = top};
  std::vector<std::pair<std::string, float>> found;
  const auto answers = index.Nearest({&query, 1});
  for (const Neighbour& neighbour : answers.front()) {
    found.emplace_back(index.vocabulary().words()[static_cast<size_t>(neighbour.word)], neighbour.similarity);
  }
  return found;
}

void ExpectNeighbours(const std::vector<std::pair<std::string, float>>& found,
                      const std::vector<std::pair<std::string, float>>& expected) {
  ASSERT_EQ(found.size(), expected.size());
  for (size_t i = 0; i < expected.size(); ++i) {
    EXPECT_EQ(found[i].first, expected[i].first) << i;
    EXPECT_NEAR(found[i].second, expected[i].second, 1e-5) << i;
  }
}

std::string TextOf(const WordIndex& index, Status (*write)(const WordIndex&, const Sink&)) {
  std::string text;
  EXPECT_TRUE(write(index, [&](std::string_view part) {
                text += part;
                return Status();
              }).ok());
  return text;
}

Result<WordVectors> Parse(const std::string& text) { return ParseWordVectors(std::as_bytes(std::span(text))); }

class PublishedVectors : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!std::filesystem::exists(SharedData() / "weights" / "word_vectors")) {
      GTEST_SKIP() << "no published word vectors";
    }
  }
};

// Expected: gensim 4.4's KeyedVectors.most_similar on the same files.
TEST_F(PublishedVectors, TextHasGensimsNeighbours) {
  const WordIndex index = Published("lee_fasttext.vec");
  EXPECT_EQ(index.vocabulary().size(), 1762);
  EXPECT_EQ(index.dimensions(), 10);
  ExpectNeighbours(Neighbours(index, "police", 5), {{"threatened", 0.9770952F},
                                                    {"responsibility", 0.9740000F},
                                                    {"investigating", 0.9716004F},
                                                    {"Peter", 0.9692499F},
                                                    {"business", 0.9686939F}});
}

TEST_F(PublishedVectors, BinaryHasGensimsNeighboursAndAgreement) {
  const WordIndex index = Published("euclidean_vectors.bin");
  EXPECT_EQ(index.vocabulary().size(), 2747);
  ExpectNeighbours(Neighbours(index, "war", 5), {{"conflict", 0.9330541F},
                                                 {"administration", 0.9235500F},
                                                 {"terrorism", 0.9169208F},
                                                 {"call", 0.8995903F},
                                                 {"israel", 0.8847347F}});
  std::ifstream file(SharedData() / "embeddings_eval" / "wordsim353.tsv");
  std::vector<ScoredPair> pairs;
  for (std::string line; std::getline(file, line);) {
    std::istringstream fields(line);
    ScoredPair pair;
    if (!line.starts_with('#') && fields >> pair.first >> pair.second >> pair.score) {
      pairs.push_back(pair);
    }
  }
  ASSERT_EQ(pairs.size(), 282);
  const PairAgreement agreement = CompareSimilarities(index, pairs);  // gensim's evaluate_word_pairs
  EXPECT_EQ(agreement.unknown, 191);
  EXPECT_NEAR(agreement.spearman, 0.2492922362, 1e-4);
  EXPECT_NEAR(agreement.pearson, 0.2252459612, 1e-6);
}

TEST_F(PublishedVectors, BothFormsKeepEveryBit) {
  const WordIndex index = Published("lee_fasttext.vec");
  for (auto* write : {&WriteText, &WriteBinary}) {
    const auto again = Parse(TextOf(index, write));
    ASSERT_TRUE(again.ok()) << again.error().message;
    EXPECT_EQ(again->vocabulary.words(), index.vocabulary().words());
    for (size_t i = 0; i < index.vocabulary().size(); ++i) {
      EXPECT_TRUE(std::ranges::equal(again->vectors.row(i), index.Vector(static_cast<int32_t>(i))));
    }
  }
}

TEST_F(PublishedVectors, BytesThatAreNoUtf8BecomeReplacementCharacters) {
  EXPECT_TRUE(Published("pang_lee_polarity_fasttext.vec").vocabulary().Find("\xEF\xBF\xBD").has_value());
}

TEST(WordVectorFiles, ReadsGloVesFormAndWordsWithSpaces) {
  const auto vectors = Parse("of the 1 2.5\n. . . -3e-1 4\n");
  ASSERT_TRUE(vectors.ok()) << vectors.error().message;
  EXPECT_EQ(vectors->vocabulary.words(), (std::vector<std::string>{"of the", ". . ."}));
  EXPECT_EQ(vectors->vectors.row(1)[0], -0.3F);
}

TEST(WordVectorFiles, RefusesWhatIsBroken) {
  const std::string floats(8, '\x01');
  for (const std::string& text :
       {std::string("x"), std::string("2 2\na 1 2\n"), std::string("1 2\na 1 2\nb 1 2\n"),
        std::string("1 2\na 1 nan\n"), std::string("1 2\na 1 2x\n"), std::string("1 2\na 1\n"),
        std::string("99999999999 1\na 1\n"), std::string("1 99999999999\na 1\n"), std::string("10000000 4096\na 1\n"),
        std::string("0 5\n"), std::string("1 0\na\n"), "2 2\na " + floats + "\nb " + floats.substr(1),
        "1 2\n " + floats, "1 2\na " + std::string("\xFF\xFF\xFF\x7F", 4) + floats.substr(4)}) {
    const auto vectors = Parse(text);
    ASSERT_FALSE(vectors.ok()) << text;
    EXPECT_EQ(vectors.error().reason, "invalid_model_file") << text;
  }
}

TEST(WordVectorFiles, AModelFolderComesBack) {
  const storage::TestFolder folder;
  auto vectors = Parse("3 2\n猫 1 2\ndog 3 4\n狗 5 6\n").value();
  const ModelConfig config{.family = "word2vec", .algorithm = "cbow", .split = {Splitting::kSpaces, false}};
  ASSERT_TRUE(WriteModel(config, vectors, folder.path()).ok());
  const ModelPaths paths{folder.path() / "config.json", folder.path() / "model.safetensors",
                         folder.path() / "vocab.txt"};
  const auto model = LoadModel(paths);
  ASSERT_TRUE(model.ok()) << model.error().message;
  EXPECT_EQ(model->config.algorithm, "cbow");
  EXPECT_EQ(model->config.split.splitting, Splitting::kSpaces);
  EXPECT_EQ(model->vectors.vocabulary.words(), vectors.vocabulary.words());
  EXPECT_EQ(model->vectors.vectors.row(2)[1], 6);
  std::ofstream(folder.path() / "vocab.txt") << "one\n";
  EXPECT_EQ(LoadModel(paths).error().reason, "invalid_model_file");
}

// scipy.stats.spearmanr([1,2,2,3,5,5,5,7], [3,1,4,4,2,9,9,6]) is 0.56531554109761.
TEST(Agreement, TiesShareTheMeanOfTheirRanks) {
  const std::vector<double> a{1, 2, 2, 3, 5, 5, 5, 7};
  const std::vector<double> b{3, 1, 4, 4, 2, 9, 9, 6};
  EXPECT_EQ(Ranks(a), (std::vector<double>{1, 2.5, 2.5, 4, 6, 6, 6, 8}));
  EXPECT_NEAR(Correlation(Ranks(a), Ranks(b)), 0.56531554109761, 1e-12);
  EXPECT_TRUE(std::isnan(Correlation(std::vector<double>{1, 1}, std::vector<double>{1, 2})));
  EXPECT_TRUE(std::isnan(Correlation(std::vector<double>{}, std::vector<double>{})));
}

TEST(Agreement, AnalogiesBySection) {
  const WordIndex index(Parse("6 2\nking 1 1\nman 1 0\nwoman -1 0.1\nqueen -1 1\nprince 0.9 1\napple 0 -1\n").value());
  const std::vector<AnalogyQuestion> questions{{{"man", "king", "Woman", "queen"}, "royal"},
                                               {{"man", "king", "woman", "apple"}, "royal"},
                                               {{"king", "man", "queen", "woman"}, "people"},
                                               {{"king", "man", "queen", "nobody"}, "people"}};
  const auto accuracies = AnswerAnalogies(index, questions, 0);
  EXPECT_EQ(accuracies.at("royal").correct, 1);
  EXPECT_EQ(accuracies.at("royal").asked, 2);
  EXPECT_EQ(accuracies.at("people").correct, 1);
  EXPECT_EQ(accuracies.at("people").unknown, 1);
  EXPECT_EQ(accuracies.at("").asked, 3);
  EXPECT_EQ(AnswerAnalogies(index, questions, 3).at("").correct, 1);  // "queen" is not among the first three
}

TEST(WordIndex, EquallyNearWordsComeInOrder) {
  const WordIndex index(Parse("5 1\na 1\nb 2\nc 3\nd -1\ne 0\n").value());
  const Query query{.vector = {7}, .left_out = {1}, .top = 3};
  const auto found = index.Nearest({&query, 1}).front();
  ASSERT_EQ(found.size(), 3);
  EXPECT_EQ(found[0].word, 0);
  EXPECT_EQ(found[1].word, 2);
  EXPECT_EQ(found[2].word, 4);
  const Query many{.vector = {7}, .top = 100};
  EXPECT_EQ(index.Nearest({&many, 1}).front().size(), 5);
  const Query none{.vector = {7}, .top = 0};
  EXPECT_TRUE(index.Nearest({&none, 1}).front().empty());
}

std::vector<std::string> Split(const SplitOptions& options, const std::string& line) {
  std::vector<std::string> words;
  auto splitter = WordSplitter::Create(options);
  EXPECT_TRUE((*splitter)->Split(line, [&](std::string_view word) { words.emplace_back(word); }).ok());
  return words;
}

TEST(WordSplitter, EnglishAndChinese) {
  using Words = std::vector<std::string>;
  EXPECT_EQ(Split({}, "The CAFÉ's 3.5 cats, don't!"), (Words{"the", "café's", "3.5", "cats", "don't"}));
  EXPECT_EQ(Split({}, "我非常喜欢这个电影。"), (Words{"我", "非常", "喜欢", "这个", "电影"}));
  EXPECT_EQ(Split({Splitting::kSpaces, false}, " 我 喜欢\t电影 。 A-b "), (Words{"我", "喜欢", "电影", "。", "A-b"}));
  EXPECT_EQ(Split({Splitting::kWords, false},
                  "bad\xFF"
                  "Byte İ"),
            (Words{"bad", "Byte", "İ"}));
  EXPECT_EQ(Split({}, std::string(kMaxWordBytes + 1, 'a') + " b"), (Words{"b"}));
}

}  // namespace
}  // namespace atelier::families::word_vectors
