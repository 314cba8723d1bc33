#include "families/bert/bert.h"

#include <gtest/gtest.h>
#include <torch/torch.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <iterator>

#include "base/json.h"
#include "data/testing/importing.h"
#include "families/bert/model.h"
#include "families/bert/objective.h"
#include "families/spec/bert.h"

namespace atelier::families {
namespace {

using bert::Config;
using bert::Encoder;
using bert::Task;
using bert::Text;

// What tests/clients/bert_reference.py recorded.
json::object Recorded() {
  const std::string name = "src/families/bert/testdata/transformers.json";
  auto folder = std::filesystem::current_path();
  while (!std::filesystem::exists(folder / name) && folder != folder.parent_path()) {
    folder = folder.parent_path();
  }
  std::ifstream file(folder / name, std::ios::binary);
  const std::string text{std::istreambuf_iterator<char>(file), {}};
  auto parsed = ParseJson(text);
  return parsed.ok() ? std::move(parsed->get_object()) : json::object();
}

Config Tiny(Task task) {
  Config config;
  config.vocabulary = 31;
  config.width = 16;
  config.layers = 2;
  config.heads = 2;
  config.hidden = 24;
  config.positions = 12;
  config.max_length = 12;
  config.task = task;
  config.columns = {"text"};
  if (task == Task::kClassification || task == Task::kTagging) {
    config.target = "label";
    config.labels = {"a", "b", "c"};
  }
  return config;
}

// The weights that the script made up, by the names of transformers.
Tensors MadeUp(const bert::NetworkImpl& network, const json::array& names) {
  Tensors file;
  const auto own = ToHuggingFace(network);
  EXPECT_EQ(own.size(), names.size());
  for (size_t n = 0; n < names.size(); ++n) {
    const std::string name(std::string_view(names[n].as_string()));
    const auto found = own.find(name);
    if (found == own.end()) {
      ADD_FAILURE() << "no tensor " << name;
      continue;
    }
    auto values =
        0.1 * torch::sin(0.37 * torch::arange(found->second.numel(), torch::kFloat64) + static_cast<double>(n));
    values = name.ends_with("LayerNorm.weight") ? values + 1 : values;
    file[name] = values.to(torch::kFloat32).view_as(found->second);
  }
  return file;
}

torch::Tensor OutputsOfTexts(bert::NetworkImpl& network, const std::vector<const Text*>& texts) {
  const auto batch = bert::MakeBatch(texts, 0);
  const auto states = network.States(batch);
  switch (network.config().task) {
    case Task::kClassification:
      return network.Classify(states);
    case Task::kEmbedding:
      return states;
    default:
      return network.Tokens(states.view({-1, states.size(2)})).view({states.size(0), states.size(1), -1});
  }
}

class BertReferenceTest : public ::testing::TestWithParam<Task> {};

TEST_P(BertReferenceTest, GivesWhatTransformersGives) {
  const auto all = Recorded();
  const auto& recorded = all.at(Name(GetParam())).as_object();
  bert::Network network(Tiny(GetParam()));
  network->eval();
  const torch::NoGradGuard no_grad;
  const auto read = ReadWeights(MadeUp(*network, recorded.at("names").as_array()), bert::Heads::kMust, *network);
  ASSERT_TRUE(read.ok()) << read.error().message;
  std::vector<Text> texts;
  for (const auto& given : all.at("texts").as_array()) {
    Text text{.first = given.at("first").as_int64()};
    for (const auto& id : given.at("ids").as_array()) {
      text.ids.push_back(static_cast<int32_t>(id.as_int64()));
    }
    texts.push_back(std::move(text));
  }
  const auto together = OutputsOfTexts(*network, {&texts[0], &texts[1]});
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto& numbers = recorded.at("outputs").as_array()[i].as_array();
    std::vector<float> expected;
    for (const auto& number : numbers) {
      expected.push_back(number.to_number<float>());
    }
    // Alone, and beside a text of another length.
    const auto alone = OutputsOfTexts(*network, {&texts[i]}).reshape({-1});
    const auto beside = together[static_cast<int64_t>(i)].reshape({-1}).narrow(0, 0, alone.numel());
    ASSERT_EQ(alone.numel(), std::ssize(expected));
    EXPECT_LT((alone - torch::tensor(expected)).abs().max().item<double>(), 1e-5);
    EXPECT_LT((beside - torch::tensor(expected)).abs().max().item<double>(), 1e-5);
  }
}

INSTANTIATE_TEST_SUITE_P(Tasks, BertReferenceTest,
                         ::testing::Values(Task::kClassification, Task::kTagging, Task::kMaskedLm, Task::kEmbedding));

TEST(BertWeightsTest, OtherSpellingsAreReadAndOtherFilesRefused) {
  bert::Network from(Tiny(Task::kClassification));
  const auto named = ToHuggingFace(*from);
  Tensors old;
  for (const auto& [name, tensor] : named) {  // without the prefix, and with the first names of norms
    std::string spelled = name.starts_with("bert.") ? name.substr(5) : name;
    const size_t norm = spelled.rfind("LayerNorm.weight");
    old[norm == std::string::npos ? spelled : spelled.substr(0, norm) + "LayerNorm.gamma"] = tensor;
  }
  bert::Network to(Tiny(Task::kClassification));
  const auto head = ToHuggingFace(*to).at("classifier.weight").clone();
  ASSERT_TRUE(ReadWeights(old, bert::Heads::kDrawn, *to).ok());
  EXPECT_TRUE(torch::equal(ToHuggingFace(*to).at("classifier.weight"), head));
  EXPECT_TRUE(torch::equal(ToHuggingFace(*to).at("bert.embeddings.LayerNorm.weight"),
                           named.at("bert.embeddings.LayerNorm.weight")));
  ASSERT_TRUE(ReadWeights(old, bert::Heads::kMust, *to).ok());
  EXPECT_TRUE(torch::equal(ToHuggingFace(*to).at("classifier.weight"), named.at("classifier.weight")));

  auto bad = named;
  bad.erase("classifier.bias");
  EXPECT_TRUE(ReadWeights(bad, bert::Heads::kMay, *to).ok());
  EXPECT_EQ(ReadWeights(bad, bert::Heads::kMust, *to).error().param, "classifier.bias");
  bad = named;
  bad["bert.embeddings.word_embeddings.weight"] = torch::zeros({30, 16});
  EXPECT_EQ(ReadWeights(bad, bert::Heads::kMust, *to).error().reason, "invalid_model_file");
  bad = named;
  bad["classifier.bias"] = torch::full({3}, std::nan(""));
  EXPECT_EQ(ReadWeights(bad, bert::Heads::kMust, *to).error().param, "classifier.bias");
}

TEST(BertConfigTest, ReadsItselfBackAndRefusesOthers) {
  const auto good = ToJson(Tiny(Task::kTagging));
  const auto read = bert::ConfigFromJson(good);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ToJson(*read), good);
  const std::vector<std::pair<const char*, json::value>> wrong{{"model_type", "roberta"},
                                                               {"vocab_size", 0},
                                                               {"hidden_size", 17},
                                                               {"num_attention_heads", -1},
                                                               {"num_hidden_layers", 1e9},
                                                               {"hidden_act", "relu"},
                                                               {"position_embedding_type", "relative_key"},
                                                               {"max_position_embeddings", 4},
                                                               {"pad_token_id", 31},
                                                               {"atelier", 1},
                                                               {"atelier", nullptr}};
  for (const auto& [name, value] : wrong) {
    auto bad = good;
    bad[name] = value;
    EXPECT_FALSE(bert::ConfigFromJson(bad).ok()) << name;
  }
  auto bare = good;
  bare.erase("atelier");
  EXPECT_FALSE(bert::ConfigFromJson(bare).ok());
  EXPECT_TRUE(bert::EncoderFromJson(bare).ok());
}

TEST(BertMaskingTest, HidesAsTheySay) {
  torch::manual_seed(5);
  auto tokens = torch::randint(5, 1000, {400, 250}, torch::kInt64);
  tokens.select(1, 0).fill_(2);
  tokens.select(1, 249).fill_(3);
  const bert::MaskOptions options{.share = 0.15, .vocabulary = 1000, .mask = 4, .special = {0, 2, 3, 4}};
  const auto masking = MaskTokens(tokens, options);
  const auto flat = tokens.view({-1});
  const auto now = masking.tokens.reshape({-1}).index_select(0, masking.places);
  EXPECT_TRUE(torch::equal(masking.targets, flat.index_select(0, masking.places)));
  const auto count = static_cast<double>(masking.places.numel());
  EXPECT_NEAR(count / (400 * 248), 0.15, 0.005);
  EXPECT_NEAR(now.eq(4).sum().item<double>() / count, 0.8, 0.015);
  EXPECT_NEAR(now.eq(masking.targets).sum().item<double>() / count, 0.1, 0.01);
  EXPECT_TRUE(masking.tokens.select(1, 0).eq(2).all().item<bool>());
  EXPECT_TRUE(masking.tokens.select(1, 249).eq(3).all().item<bool>());
  auto rest = flat.clone();
  rest.index_copy_(0, masking.places, now);
  EXPECT_TRUE(torch::equal(rest, masking.tokens.reshape({-1})));  // no other token changed
  // A text of one token hides it.
  EXPECT_EQ(
      bert::MaskTokens(torch::tensor({{2, 9, 3}}, torch::kInt64), {.share = 0.01, .vocabulary = 10, .special = {2, 3}})
          .targets.item<int64_t>(),
      9);
}

std::unique_ptr<text::Tokenizer> TokenizerOf(const std::vector<std::string>& texts) {
  text::TokenizerTraining options;
  options.algorithm = text::TokenizerAlgorithm::kWordPiece;
  options.special = text::UsualSpecials(options.algorithm);
  options.vocabulary_size = 60;
  const auto trained = text::TrainTokenizer(
      [&](const std::function<Status(std::string_view)>& each) -> Status {
        for (const auto& text : texts) {
          ATELIER_TRY(each(text));
        }
        return {};
      },
      options);
  return std::move(text::MakeTokenizer(*trained)).value();
}

TEST(BertEncoderTest, WordsPairsAndMasks) {
  const auto tokenizer = TokenizerOf({"ab ab ab cd cd abcd", "ef"});
  const auto& spec = tokenizer->spec();
  const auto encoder = *Encoder::Make(*tokenizer, 10, true);
  const auto pieces = [&](std::string_view text) {
    return tokenizer->Encode(text, {.add_special = false, .parse_special = false});
  };
  // The first piece of each word; what does not fit has no place.
  const std::vector<std::string> words{"ab", "abcd", "ab", "fe", "cd", "abcd", "ab"};
  const auto tagged = encoder.Tagged(words);
  ASSERT_EQ(pieces("abcd").size(), 3U);
  ASSERT_EQ(tagged.places.size(), 6U);
  size_t at = 1;
  for (size_t i = 0; i < tagged.places.size(); ++i) {
    EXPECT_EQ(tagged.places[i], static_cast<int32_t>(at));
    EXPECT_EQ(tagged.text.ids[at], pieces(words[i]).front());
    at += pieces(words[i]).size();
  }
  EXPECT_LE(tagged.text.ids.size(), 10U);
  EXPECT_EQ(tagged.text.ids.back(), *spec.separator);
  // Of a pair the longer one loses more.
  const auto pair = encoder.Pair("ab", "ab ab ab ab ab ab ab ab ab ab");
  EXPECT_EQ(pair.ids.size(), 10U);
  EXPECT_EQ(pair.first, 3);
  const auto turned = encoder.Pair("ab ab ab ab ab ab ab ab ab ab", "ab");
  EXPECT_EQ(turned.ids.size(), 10U);
  EXPECT_EQ(turned.first, 8);
  EXPECT_EQ(std::ranges::count(turned.ids, *spec.separator), 2);
  const auto even = encoder.Pair("ab ab ab ab ab ab ab ab", "cd cd cd cd cd cd cd cd");
  EXPECT_EQ(even.ids.size(), 10U);
  EXPECT_EQ(even.first, 6);
  // What a user spells is no control token, but for one mask.
  EXPECT_EQ(std::ranges::count(encoder.One("ab [SEP] [MASK]").ids, *spec.separator), 1);
  EXPECT_EQ(std::ranges::count(encoder.One("ab [SEP] [MASK]").ids, *spec.mask), 0);
  EXPECT_EQ(encoder.WithMask("ab [MASK] cd").text.ids[2], *spec.mask);
  EXPECT_EQ(encoder.WithMask("ab [MASK] cd").place, 2);
  EXPECT_EQ(encoder.WithMask("[MASK] [MASK]").place, -1);
  EXPECT_EQ(encoder.WithMask("ab").place, -1);
  EXPECT_EQ(encoder.WithMask("ab ab ab ab ab ab ab ab ab ab [MASK]").place, -1);
}

// Tiny data sets that networks of a few thousand weights learn in a second.
class BertLearnerTest : public ::testing::Test {
 protected:
  void Import(const std::string& csv, const data::ImportOptions& options) {
    const auto imported = data::testing::RunImport(blobs_, "rows.csv", csv, options);
    ASSERT_EQ(imported.error, "");
    reader_ = std::move(data::Reader::Open(blobs_, imported.content())).value();
    rows_.clear();
    for (int64_t row = 0; row < reader_->manifest().rows(); ++row) {
      rows_.push_back(row);
    }
  }

  Result<json::object> Settings(json::object user, const json::object* base = nullptr) const {
    const json::object all{{"width", 32},      {"heads", 2},   {"layers", 1},           {"hidden", 64},
                           {"max_length", 16}, {"dropout", 0}, {"vocabulary_size", 200}};
    for (const auto& member : all) {
      user.emplace(member.key(), member.value());
    }
    const std::array tables{BertSettings()};
    ATELIER_ASSIGN(settings, ReadSettings({.tables = tables}, user));
    for (const auto& [name, value] : {std::pair("batch_size", 16), std::pair("epochs", 1), std::pair("seed", 1)}) {
      settings[name] = value;
    }
    return FitBert({.family = "bert", .settings = settings, .manifest = reader_->manifest(), .base = base});
  }

  // Trains and saves; the last mean loss.
  double Train(const json::object& user, int64_t epochs, double rate, const ModelFiles& base = {}) {
    const json::object metadata{{"family", "bert"}};
    const auto settings = Settings(user, base.empty() ? nullptr : &metadata);
    EXPECT_TRUE(settings.ok()) << (settings.ok() ? "" : settings.error().message);
    auto made = LearnBert({.family = "bert",
                           .settings = *settings,
                           .reader = *reader_,
                           .rows = {.train = rows_, .validation = {rows_.begin(), rows_.begin() + 8}},
                           .base = base});
    EXPECT_TRUE(made.ok()) << (made.ok() ? "" : made.error().message);
    auto& learner = **made;
    torch::optim::Adam adam(learner.module().parameters(), torch::optim::AdamOptions(rate));
    learner.module().train();
    double last = 0;
    for (int64_t epoch = 0; epoch < epochs; ++epoch) {
      for (const auto& batch : learner.Epoch(epoch)) {
        adam.zero_grad();
        const auto loss = learner.Forward(batch, false);
        loss.loss.backward();
        adam.step();
        last = loss.loss.item<double>();
      }
    }
    learner.module().eval();
    sums_ = *learner.Validate({});
    metric_ = learner.Metric(sums_);
    files_.clear();
    const auto saved = learner.Save(blobs_);
    for (const auto& [name, blob] : *saved) {
      files_[name] = *blobs_.LocalPath(blob.sha256);
    }
    return last;
  }

  std::vector<Answer> Ask(const std::vector<Instance>& instances) {
    predictor_ = std::move(OpenBert(files_, 1)).value();
    std::vector<std::unique_ptr<PreparedInstance>> prepared;
    std::vector<const PreparedInstance*> batch;
    for (const auto& instance : instances) {
      prepared.push_back(std::move(predictor_->Prepare(instance)).value());
      batch.push_back(prepared.back().get());
    }
    return std::move(predictor_->Predict(batch)).value();
  }

  Outcomes Measure() { return std::move(MeasureBert(files_, {.reader = *reader_, .rows = rows_})).value(); }

  data::testing::FakeBlobStore blobs_;
  std::unique_ptr<data::Reader> reader_;
  std::vector<int64_t> rows_;
  ModelFiles files_;
  std::unique_ptr<Predictor> predictor_;
  Sums sums_;
  double metric_ = 0;
};

constexpr const char* kAnimals[] = {"cat", "dog", "cow", "hen"};
constexpr const char* kTools[] = {"saw", "axe", "pen", "jar"};

data::ImportOptions Typed(std::vector<std::pair<std::string, std::string>> types, const std::string& target = "") {
  data::ImportOptions options;
  options.types = std::move(types);
  options.target = target;
  if (target.empty()) {
    options.task = "none";
  }
  return options;
}

// Whether both words are animals.
std::string Pairs() {
  std::string csv = "a,b,alive\n";
  for (int i = 0; i < 64; ++i) {
    const bool first = (i & 1) != 0;
    const bool second = (i & 2) != 0;
    csv += std::string(first ? kAnimals[i / 4 % 4] : kTools[i / 4 % 4]) + "," +
           (second ? kAnimals[i / 16] : kTools[i / 16]) + (first && second ? ",yes\n" : ",no\n");
  }
  return csv;
}

TEST_F(BertLearnerTest, ClassesOfPairsAndOnFromThem) {
  Import(Pairs(), Typed({{"a", "text"}, {"b", "text"}}, "alive"));
  EXPECT_LT(Train({}, 60, 3e-3), 0.1);
  EXPECT_GT(metric_, 0.9);
  const auto answers = Ask({InstanceRecord{{"a", std::string("cat")}, {"b", std::string("hen")}},
                            InstanceRecord{{"a", std::string("cat")}, {"b", std::string("saw and axe and pen")}}});
  const auto& signature = predictor_->signature();
  ASSERT_EQ(signature.labels.size(), 2U);
  const auto yes = static_cast<size_t>(signature.labels[1] == "yes");
  EXPECT_GT(answers[0].values[yes], 0.5F);
  const auto alone = Ask({InstanceRecord{{"a", std::string("cat")}, {"b", std::string("hen")}}});
  EXPECT_NEAR(alone[0].values[0], answers[0].values[0], 1e-5);
  EXPECT_EQ(predictor_->Prepare(InstanceRecord{{"a", std::string("cat")}}).error().param, "b");
  EXPECT_FALSE(predictor_->Prepare(InstanceText{"cat"}).ok());
  const auto outcomes = Measure();
  EXPECT_EQ(outcomes.scores.size(), 2 * rows_.size());
  EXPECT_LT(outcomes.loss, 0.2);
  // The same task goes on with its head; frozen layers stay as they are.
  const auto base = files_;
  const auto before = *ReadTensors(base.at(kWeightsFile));
  EXPECT_LT(Train({{"frozen_layers", 1}}, 1, 1e-3, base), 0.3);
  const auto after = *ReadTensors(files_.at(kWeightsFile));
  for (const char* name :
       {"bert.embeddings.word_embeddings.weight", "bert.encoder.layer.0.attention.self.query.weight"}) {
    EXPECT_TRUE(torch::equal(after.at(name), before.at(name))) << name;
  }
  EXPECT_FALSE(torch::equal(after.at("classifier.weight"), before.at("classifier.weight")));
}

TEST_F(BertLearnerTest, NumbersComeInTheirOwnUnits) {
  std::string csv = "text,price\n";
  for (int i = 0; i < 64; ++i) {
    csv += std::string(i % 2 == 0 ? kAnimals[i / 2 % 4] : kTools[i / 2 % 4]) + (i % 2 == 0 ? ",1000\n" : ",1500\n");
  }
  Import(csv, Typed({{"text", "text"}, {"price", "number"}}, "price"));
  Train({{"task", "regression"}}, 60, 3e-3);
  EXPECT_LT(metric_, 60);
  EXPECT_NEAR(Ask({InstanceText{"cow"}})[0].values[0], 1000, 60);
  EXPECT_NEAR(Measure().predicted[1], 1500, 60);
}

TEST_F(BertLearnerTest, TagsOfWords) {
  std::string csv = "tokens,tags\n";
  for (int i = 0; i < 64; ++i) {
    const std::string first = kAnimals[i % 4];
    const std::string tool = kTools[i / 4 % 4];
    const std::string last = kAnimals[i / 16];
    csv += i % 2 == 0 ? first + " " + tool + " and " + last + ",LIFE TOOL O LIFE\n"
                      : first + " and " + last + " " + tool + ",LIFE O LIFE TOOL\n";
  }
  Import(csv, Typed({{"tokens", "text"}, {"tags", "text"}}));
  EXPECT_LT(Train({}, 20, 3e-3), 0.1);
  const auto answers = Ask({InstanceText{"hen and dog"}, InstanceText{"cat saw"}});
  EXPECT_EQ(answers[0].tokens, (std::vector<std::string>{"hen", "and", "dog"}));
  EXPECT_EQ(answers[0].texts, (std::vector<std::string>{"LIFE", "O", "LIFE"}));
  EXPECT_EQ(answers[1].texts, (std::vector<std::string>{"LIFE", "TOOL"}));
  EXPECT_EQ(predictor_->Prepare(InstanceText{" "}).error().param, "inputs");
  EXPECT_EQ(
      predictor_->Prepare(InstanceText{std::string("cat cat cat cat cat cat cat cat cat cat cat cat cat cat cat")})
          .error()
          .reason,
      "context_length_exceeded");
  const auto outcomes = Measure();
  EXPECT_EQ(outcomes.references[0], "LIFE TOOL O LIFE");
  EXPECT_EQ(outcomes.texts[0], outcomes.references[0]);
}

TEST_F(BertLearnerTest, MaskedWordsThenClasses) {
  std::string csv = "text\n";
  for (int i = 0; i < 64; ++i) {
    csv += std::string(kAnimals[i % 4]) + " eats " + kAnimals[i % 4] + " near " + kAnimals[i % 4] + "\n";
  }
  Import(csv, Typed({{"text", "text"}}));
  Train({{"task", "masked-lm"}, {"masking", 0.3}}, 60, 3e-3);
  EXPECT_GT(metric_, 0.7);
  const auto answers = Ask({InstanceText{"cow eats [MASK] near cow"}});
  EXPECT_EQ(answers[0].texts[0], "cow eats cow near cow");
  EXPECT_EQ(answers[0].texts.size(), 5U);
  EXPECT_FALSE(predictor_->Prepare(InstanceText{"cow"}).ok());
  EXPECT_LT(Measure().extra.at("perplexity").as_double(), 4);
  // Pre-trained, it becomes a classifier.
  const auto base = files_;
  Import(Pairs(), Typed({{"a", "text"}, {"b", "text"}}, "alive"));
  Train({}, 1, 1e-4, base);
  const auto config = JsonFile(files_, kConfigFile);
  EXPECT_EQ(config->at("architectures").as_array()[0], "BertForSequenceClassification");
  EXPECT_TRUE(ReadTensors(files_.at(kWeightsFile))->contains("classifier.weight"));
}

TEST_F(BertLearnerTest, EmbeddingsOfPairs) {
  std::string csv = "a,b,score\n";
  for (int i = 0; i < 64; ++i) {
    const bool same = i % 4 == i / 4 % 4;
    csv += std::string(kAnimals[i % 4]) + "," + kTools[i / 4 % 4] + (same ? ",5\n" : ",1\n");
  }
  Import(csv, Typed({{"a", "text"}, {"b", "text"}, {"score", "number"}}));
  Train({{"target", "score"}, {"task", "embedding"}}, 40, 3e-3);
  EXPECT_GT(Measure().extra.at("pearson").as_double(), 0.8);
  csv = "a,b\n";
  for (int i = 0; i < 16; ++i) {
    csv += std::string(kAnimals[i % 4]) + " " + kAnimals[i / 4] + "," + kTools[i % 4] + " " + kTools[i / 4] + "\n";
  }
  Import(csv, Typed({{"a", "text"}, {"b", "text"}}));
  Train({}, 100, 3e-3);
  EXPECT_GT(Measure().extra.at("recall_at_1").as_double(), 0.8);
  const auto answers = Ask({InstanceText{"cat dog"}, InstanceText{"hen"}});
  ASSERT_EQ(answers[0].values.size(), 32U);
  double length = 0;
  for (const float value : answers[0].values) {
    length += static_cast<double>(value) * value;
  }
  EXPECT_NEAR(length, 1, 1e-5);
  EXPECT_EQ(predictor_->signature().task, "feature-extraction");
}

TEST_F(BertLearnerTest, SettingsThatDoNotFitAreRefused) {
  Import(Pairs(), Typed({{"a", "text"}, {"b", "text"}}, "alive"));
  const auto settings = Settings({});
  ASSERT_TRUE(settings.ok());
  EXPECT_EQ(GetString(*settings, "task"), "classification");
  EXPECT_EQ(GetString(*settings, "text"), "a");
  EXPECT_EQ(GetString(*settings, "text_pair"), "b");
  EXPECT_EQ(GetInt(*settings, "warmup_steps"), 1);
  EXPECT_EQ(GetString(*Settings({{"text", "b"}}), "text_pair"), "");
  EXPECT_EQ(Settings({{"text", "c"}}).error().param, "settings.text");
  EXPECT_EQ(Settings({{"text", "same"}}).error().param, "settings.text");
  EXPECT_EQ(Settings({{"text", "a"}, {"text_pair", "a"}}).error().param, "settings.text_pair");
  EXPECT_EQ(Settings({{"task", "regression"}}).error().param, "settings.task");
  EXPECT_EQ(Settings({{"task", "masked-lm"}}).error().param, "settings.text");
  EXPECT_EQ(Settings({{"task", "token-classification"}}).error().reason, "dataset_unsuitable");
  EXPECT_EQ(Settings({{"heads", 3}}).error().param, "settings.heads");
  EXPECT_EQ(Settings({{"frozen_layers", 1}}).error().param, "settings.frozen_layers");
  const json::object gpt{{"family", "llm"}, {"architecture", "llama"}};
  EXPECT_EQ(Settings({}, &gpt).error().param, "base");
  const json::object published{{"family", "llm"}, {"architecture", "bert"}};
  EXPECT_TRUE(Settings({}, &published).ok());
}

}  // namespace
}  // namespace atelier::families
