#include <gtest/gtest.h>
#include <torch/torch.h>

#include <cmath>
#include <filesystem>
#include <fstream>

#include "base/json.h"
#include "data/testing/importing.h"
#include "families/layers/attend.h"
#include "families/translation/beam_search.h"
#include "families/translation/cross_entropy.h"
#include "families/translation/scoring.h"
#include "families/translation/translation.h"

namespace atelier::families {
namespace {

TranslationConfig Tiny() {
  return {.vocabulary = 23,
          .width = 16,
          .heads = 2,
          .hidden = 24,
          .encoder_layers = 2,
          .decoder_layers = 2,
          .max_length = 24,
          .dropout = 0,
          .source = "en",
          .target = "de"};
}

Translator Seeded(const TranslationConfig& config, uint64_t seed = 3) {
  torch::manual_seed(seed);
  Translator network(config);
  network->eval();
  return network;
}

TEST(SmoothedCrossEntropyTest, IsThatOfLibTorch) {
  torch::manual_seed(1);
  const auto targets = torch::randint(0, 301, {333}, torch::kInt64);
  const auto make = [](std::vector<int64_t> shape) {
    torch::manual_seed(2);
    return torch::randn(shape).requires_grad_();
  };
  for (const double smoothing : {0.0, 0.1}) {
    const auto states = make({333, 20});
    const auto weight = make({301, 20});
    const auto other_states = make({333, 20});
    const auto other_weight = make({301, 20});
    const auto own = SmoothedCrossEntropy(states, weight, targets, smoothing);
    const auto logits = torch::matmul(other_states, other_weight.t());
    const auto expected = torch::nn::functional::cross_entropy(
        logits, targets, torch::nn::functional::CrossEntropyFuncOptions().label_smoothing(smoothing));
    EXPECT_NEAR(own.loss.item<double>(), expected.item<double>(), 1e-5);
    EXPECT_NEAR(own.plain, torch::nn::functional::cross_entropy(logits, targets).item<double>(), 1e-5);
    EXPECT_EQ(own.right, (logits.argmax(1) == targets).sum().item<int64_t>());
    (own.loss * 3).backward();
    (expected * 3).backward();
    EXPECT_LT((states.grad() - other_states.grad()).abs().max().item<double>(), 1e-6);
    EXPECT_LT((weight.grad() - other_weight.grad()).abs().max().item<double>(), 1e-5);
  }
}

TEST(TranslatorTest, StepsAreTheWhole) {
  const auto config = Tiny();
  auto network = Seeded(config);
  const torch::NoGradGuard no_grad;
  const auto source = Pad({{5, 6, 7, 8, 3}, {9, 3}}, config.padding);
  const auto target = torch::tensor({{3, 4, 5, 6}, {3, 7, 8, 9}}, torch::kInt64);
  const auto memory = network->Encode(source.tokens, source.present);
  const auto whole = torch::matmul(network->Decode(target, memory, source.present), network->embeddings().t());
  auto state = network->Begin(memory, source.present);
  for (int64_t i = 0; i < target.size(1); ++i) {
    const auto logits = network->Step(target.select(1, i).contiguous(), state);
    EXPECT_LT((logits - whole.select(1, i)).abs().max().item<double>(), 1e-5) << i;
  }
  // Two rows of a text, and then the texts the other way round.
  auto twice = network->Begin(memory, source.present);
  network->Step(target.select(1, 0).contiguous(), twice);
  TranslatorImpl::Select(twice, torch::tensor({1, 1, 0, 0}, torch::kInt64), torch::tensor({1, 0}, torch::kInt64));
  const auto logits = network->Step(torch::tensor({7, 4, 4, 7}, torch::kInt64), twice);
  EXPECT_LT((logits[0] - whole[1][1]).abs().max().item<double>(), 1e-5);
  EXPECT_LT((logits[2] - whole[0][1]).abs().max().item<double>(), 1e-5);
}

TEST(TranslatorTest, PaddingChangesNothing) {
  const auto config = Tiny();
  auto network = Seeded(config);
  const torch::NoGradGuard no_grad;
  const auto states = [&](const std::vector<std::vector<int32_t>>& sources) {
    const auto padded = Pad(sources, config.padding);
    const auto inputs = torch::full({padded.tokens.size(0), 3}, 3, torch::kInt64);
    return network->Decode(inputs, network->Encode(padded.tokens, padded.present), padded.present);
  };
  const auto alone = states({{9, 4, 3}});
  const auto together = states({{9, 4, 3}, {5, 6, 7, 8, 9, 10, 3}});
  EXPECT_LT((alone[0] - together[0]).abs().max().item<double>(), 1e-5);
}

// All continuations of up to `limit` tokens by force, with the same comparison.
Hypothesis BestOfAll(TranslatorImpl& network, const TranslationConfig& config, const std::vector<int32_t>& text,
                     double penalty, size_t limit) {
  const auto source = Pad({text}, config.padding);
  const auto memory = network.Encode(source.tokens, source.present);
  Hypothesis best{.score = -1e9};
  const std::function<void(std::vector<int32_t>, double)> visit = [&](std::vector<int32_t> tokens, double before) {
    std::vector<int64_t> inputs{config.end};
    inputs.insert(inputs.end(), tokens.begin(), tokens.end());
    const auto states = network.Decode(torch::tensor(inputs).view({1, -1}), memory, source.present);
    const auto logp = torch::log_softmax(torch::matmul(states[0][std::ssize(inputs) - 1], network.embeddings().t()), 0);
    for (int32_t token = 0; token < config.vocabulary; ++token) {
      if (token == config.padding || token == config.unknown) {
        continue;
      }
      const double sum = before + logp[token].item<double>();
      if (token == config.end) {
        const double score = sum / std::pow((5 + static_cast<double>(tokens.size() + 1)) / 6, penalty);
        if (score > best.score) {
          best = {tokens, score};
        }
      } else if (tokens.size() + 1 < limit) {
        auto more = tokens;
        more.push_back(token);
        visit(more, sum);
      }
    }
  };
  visit({}, 0);
  return best;
}

TEST(BeamSearchTest, FindsTheBestWhereItLooksWideEnough) {
  auto config = Tiny();
  config.vocabulary = 7;
  config.max_length = 4;
  auto network = Seeded(config, 11);
  const torch::NoGradGuard no_grad;
  const std::vector<std::vector<int32_t>> texts{{4, 5, 6, 3}, {6, 3}, {5, 5, 3}};
  for (const double penalty : {0.0, 1.0, 3.0}) {
    const auto found = BeamSearch(*network, config, texts, {.beam = 64, .length_penalty = penalty});
    for (size_t i = 0; i < texts.size(); ++i) {
      const auto best = BestOfAll(*network, config, texts[i], penalty, 4);
      EXPECT_EQ(found[i].tokens, best.tokens) << penalty;
      EXPECT_NEAR(found[i].score, best.score, 1e-5);
    }
  }
}

TEST(BeamSearchTest, TextsDoNotDependOnEachOther) {
  const auto config = Tiny();
  auto network = Seeded(config);
  const torch::NoGradGuard no_grad;
  const std::vector<std::vector<int32_t>> texts{{4, 5, 6, 7, 8, 9, 3}, {6, 3}, {10, 11, 12, 3}, {13, 3}};
  const BeamOptions options{.beam = 3, .length_penalty = 0.6};
  const auto together = BeamSearch(*network, config, texts, options);
  for (size_t i = 0; i < texts.size(); ++i) {
    const auto alone = BeamSearch(*network, config, {texts[i]}, options);
    EXPECT_EQ(alone[0].tokens, together[i].tokens);
    EXPECT_LE(alone[0].tokens.size(), 2 * texts[i].size() + 10);
  }
}

TEST(TranslationConfigTest, ReadsItselfBackAndRefusesOthers) {
  const auto good = ToJson(Tiny());
  const auto read = TranslationConfigFromJson(good);
  ASSERT_TRUE(read.ok()) << read.error().message;
  EXPECT_EQ(ToJson(*read), good);
  const std::vector<std::pair<const char*, json::value>> wrong{{"vocab_size", 2},
                                                               {"vocab_size", 1e12},
                                                               {"d_model", 15},
                                                               {"d_model", -2},
                                                               {"encoder_layers", 0},
                                                               {"decoder_ffn_dim", 99},
                                                               {"eos_token_id", 23},
                                                               {"activation_function", "gelu"},
                                                               {"scale_embedding", false},
                                                               {"max_position_embeddings", 1 << 30},
                                                               {"num_beams", 0},
                                                               {"model_type", "marian"}};
  for (const auto& [name, value] : wrong) {
    auto bad = good;
    bad[name] = value;
    EXPECT_FALSE(TranslationConfigFromJson(bad).ok()) << name;
  }
}

TEST(TranslationWeightsTest, NamesAreThoseOfM2m100) {
  auto network = Seeded(Tiny());
  const auto state = StateOf(*network);
  const auto named = ToM2m100(state);
  EXPECT_EQ(named.size(), state.size());
  for (const char* name :
       {"model.shared.weight", "model.encoder.layers.0.self_attn.k_proj.bias", "model.encoder.layers.1.fc2.weight",
        "model.encoder.layer_norm.weight", "model.decoder.layers.1.encoder_attn.out_proj.weight",
        "model.decoder.layers.0.encoder_attn_layer_norm.bias", "model.decoder.layers.0.final_layer_norm.weight"}) {
    EXPECT_TRUE(named.contains(name)) << name;
  }
  const auto back = FromM2m100(named);
  ASSERT_TRUE(back.ok());
  EXPECT_TRUE(SetState(*network, *back).ok());
  EXPECT_FALSE(FromM2m100({{"model.encoder.layers.0.other.weight", torch::zeros({1})}}).ok());
}

// A few steps on a task that a network of this size learns: to repeat letters as their doubles.
class TranslationLearnerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    std::string csv = "en,de\n";
    for (const char a : std::string("abcdefgh")) {
      for (const char b : std::string("abcdefgh")) {
        csv += std::string{a, ' ', b, ',', a, a, ' ', b, b, '\n'};
      }
    }
    data::ImportOptions options;
    options.types = {{"en", "text"}, {"de", "text"}};
    options.task = "none";
    const auto imported = data::testing::RunImport(blobs_, "pairs.csv", csv, options);
    ASSERT_EQ(imported.error, "");
    auto reader = data::Reader::Open(blobs_, imported.content());
    ASSERT_TRUE(reader.ok());
    reader_ = std::move(reader).value();
    for (int64_t row = 0; row < reader_->manifest().rows(); ++row) {
      rows_.push_back(row);
    }
  }

  data::testing::FakeBlobStore blobs_;
  std::unique_ptr<data::Reader> reader_;
  std::vector<int64_t> rows_;
};

TEST_F(TranslationLearnerTest, LearnsSavesAndAnswers) {
  const json::object settings{{"source", "en"},
                              {"target", "de"},
                              {"width", 32},
                              {"heads", 2},
                              {"hidden", 64},
                              {"encoder_layers", 1},
                              {"decoder_layers", 1},
                              {"dropout", 0.0},
                              {"label_smoothing", 0.0},
                              {"tokenizer", "characters"},
                              {"vocabulary_size", 300},
                              {"max_length", 16},
                              {"batch_size", 64},
                              {"token_budget", 4096},
                              {"beam", 2},
                              {"length_penalty", 0.6},
                              {"seed", 1}};
  auto learner = LearnTranslation({.family = "translation",
                                   .settings = settings,
                                   .reader = *reader_,
                                   .rows = {.train = rows_, .validation = {rows_.begin(), rows_.begin() + 8}}});
  ASSERT_TRUE(learner.ok()) << learner.error().message;
  torch::optim::Adam adam((*learner)->module().parameters(), torch::optim::AdamOptions(5e-3));
  (*learner)->module().train();
  double last = 0;
  for (int64_t step = 0; step < 150; ++step) {
    for (const auto& batch : (*learner)->Epoch(step)) {
      adam.zero_grad();
      const auto loss = (*learner)->Forward(batch, false);
      loss.loss.backward();
      adam.step();
      last = loss.loss.item<double>();
    }
  }
  EXPECT_LT(last, 0.1);
  const auto sums = (*learner)->Validate({});
  ASSERT_TRUE(sums.ok());
  EXPECT_GT((*learner)->Metric(*sums), 0.9);
  const auto saved = (*learner)->Save(blobs_);
  ASSERT_TRUE(saved.ok()) << saved.error().message;
  ModelFiles files;
  for (const auto& [name, blob] : *saved) {
    files[name] = *blobs_.LocalPath(blob.sha256);
  }
  auto predictor = OpenTranslation(files, 1);
  ASSERT_TRUE(predictor.ok()) << predictor.error().message;
  EXPECT_EQ((*predictor)->signature().task, "text2text-generation");
  const auto one = (*predictor)->Prepare(InstanceText{"c f"});
  const auto two = (*predictor)->Prepare(InstanceRecord{{"en", std::string("h a")}});
  ASSERT_TRUE(one.ok() && two.ok());
  const std::vector<const PreparedInstance*> batch{one->get(), two->get()};
  const auto answers = (*predictor)->Predict(batch);
  ASSERT_TRUE(answers.ok());
  EXPECT_EQ((*answers)[0].texts[0], "cc ff");
  EXPECT_EQ((*answers)[1].texts[0], "hh aa");
  EXPECT_EQ((*predictor)->Prepare(InstanceText{""}).error().param, "inputs");
  EXPECT_EQ((*predictor)->Prepare(InstanceText{std::string(100, 'a')}).error().reason, "context_length_exceeded");
  EXPECT_FALSE((*predictor)->Prepare(InstanceTensor{{1}, {1}}).ok());
  const auto outcomes = MeasureTranslation(files, {.reader = *reader_, .rows = rows_});
  ASSERT_TRUE(outcomes.ok());
  EXPECT_EQ(outcomes->texts.size(), rows_.size());
  EXPECT_EQ(outcomes->references[0], "aa aa");
  EXPECT_LT(outcomes->loss, 0.2);
}

}  // namespace
}  // namespace atelier::families
