// Language models on both sides: LibTorch's network, which is trained, and the engine, which answers.
#include "learning/language_models.h"

#include <gmock/gmock.h>

#include "data/importer.h"
#include "engine/adapter.h"
#include "engine/model.h"
#include "engine/testing/golden.h"
#include "families/gpt/folder.h"
#include "families/gpt/weights.h"
#include "families/testing/tiny_data.h"
#include "learning/jobs.h"
#include "learning/spec/train_settings.h"
#include "storage/test_folder.h"

namespace atelier::learning {
namespace {

namespace gpt = families::gpt;
using families::ModelFiles;

const json::object* Golden(std::string_view stem) {
  for (const auto& name : engine::testing::GoldenNames("causal")) {
    if (name.text == stem) {
      return name.entry;
    }
  }
  return nullptr;
}

// Folders made of published kinds of GGUF files give llama.cpp's logits in LibTorch.
TEST(LanguageModelsTest, NetworksGiveTheRecordedLogits) {
  for (const auto& [stem, tolerance] : {std::pair{"mistral-F32", 0.002}, std::pair{"gpt2-F32", 0.02}}) {
    SCOPED_TRACE(stem);
    const json::object* entry = Golden(stem);
    if (entry == nullptr) {
      GTEST_SKIP() << "no shared data";
    }
    const storage::TestFolder folder;
    const ModelFiles base{
        {"model.gguf", engine::testing::GoldenFolder() / std::string(entry->at("model").as_string())}};
    const auto files = AsHuggingFace(base, folder / "base");
    ASSERT_TRUE(files.ok()) << files.error().message;
    const auto config = families::JsonFile(*files, families::kConfigFile);
    ASSERT_TRUE(config.ok());
    const auto shape = gpt::ShapeFromConfig(*config);
    ASSERT_TRUE(shape.ok()) << shape.error().message;
    gpt::Network network(*shape, 0);
    const auto read = gpt::ReadWeights(*files, *network);
    ASSERT_TRUE(read.ok()) << read.error().message;
    torch::NoGradGuard guard;
    network->eval();
    for (const auto& sequence : entry->at("sequences").as_object()) {
      const json::object& recorded = sequence.value().as_object();
      const auto ids = engine::testing::Ints(recorded.at("tokens"));
      const auto tokens = torch::tensor(std::vector<int64_t>(ids.begin(), ids.end())).unsqueeze(0);
      const auto logits = network->Logits(network->States(tokens, {.causal = true}))[0][-1];
      const auto expected = torch::tensor(engine::testing::ReadNpy<float>(recorded, "last_logits"));
      EXPECT_LT((logits - expected).abs().max().item<double>(), tolerance) << sequence.key();
    }
  }
}

std::string TinyTokenizer() {
  json::object vocabulary;
  for (int i = 0; i < 40; ++i) {
    vocabulary[std::string(1, static_cast<char>('A' + i))] = i;
  }
  return json::serialize(
      json::object{{"model", {{"type", "BPE"}, {"vocab", std::move(vocabulary)}, {"merges", json::array()}}},
                   {"pre_tokenizer", {{"type", "ByteLevel"}, {"add_prefix_space", false}}}});
}

// Weights that make logits differ.
void Shake(gpt::NetworkImpl& network) {
  torch::NoGradGuard guard;
  for (auto& item : network.named_parameters()) {
    if (item.value().dim() > 1 || item.key().ends_with("bias")) {
      item.value().normal_(0, 0.3);
    }
  }
}

struct Trained {
  families::LearnedModel model{};
  ModelFiles files{};
};

// Stores what a training would have left, and adds the engine's file.
Trained Publish(gpt::StoredFiles stored, json::object description, const ModelFiles& base, storage::BlobStore& blobs,
                const std::filesystem::path& work) {
  Trained out{.model = {.files = std::move(stored), .description = std::move(description)}};
  const auto added = AddEngineFile({.base = base, .work = work}, blobs, out.model);
  EXPECT_TRUE(added.ok()) << (added.ok() ? "" : added.error().message);
  for (const auto& [name, blob] : out.model.files) {
    out.files[name] = blobs.LocalPath(blob.sha256).value();
  }
  return out;
}

const std::vector<int32_t> kTokens{3, 17, 8, 8, 30, 1, 39, 22};

torch::Tensor EngineLogits(const std::filesystem::path& gguf, const std::filesystem::path& adapter_file = {}) {
  auto file = tensor::GgufFile::Open(gguf);
  auto model =
      engine::Model::Load(
          std::move(file).value(),
          {.threads = 1, .kv_bytes = 4U << 20U, .round_activations = false, .kv_format = tensor::KvFormat::kF32})
          .value();
  std::shared_ptr<const engine::Adapter> adapter;
  if (!adapter_file.empty()) {
    adapter = model->LoadAdapter(*tensor::GgufFile::Open(adapter_file).value()).value();
  }
  const auto sequence = engine::NewSequence(model->cache(), adapter);
  engine::StepOutput output;
  const engine::StepItem item{sequence.get(), kTokens, engine::OutputKind::kLogits, 0};
  const auto status = model->Step({&item, 1}, output);
  EXPECT_TRUE(status.ok()) << (status.ok() ? "" : status.error().message);
  const auto row = output.Row(0, kTokens.size() - 1);
  return torch::tensor(std::vector<float>(row.begin(), row.end()));
}

torch::Tensor NetworkLogits(gpt::NetworkImpl& network) {
  torch::NoGradGuard guard;
  network.eval();
  const auto tokens = torch::tensor(std::vector<int64_t>(kTokens.begin(), kTokens.end())).unsqueeze(0);
  return network.Logits(network.States(tokens, {.causal = true}))[0][-1];
}

double Distance(const torch::Tensor& a, const torch::Tensor& b) { return (a - b).abs().max().item<double>(); }

// What is trained answers in the engine as it did in LibTorch; so does its adapter, beside it.
TEST(LanguageModelsTest, TheEngineAgreesWithTheNetworkAndItsAdapter) {
  for (const gpt::Kind kind : {gpt::Kind::kLlama, gpt::Kind::kGpt2}) {
    SCOPED_TRACE(gpt::Name(kind));
    const bool llama = kind == gpt::Kind::kLlama;
    const storage::TestFolder folder;
    auto blobs = storage::OpenFolderBlobStore(folder / "blobs").value();
    torch::manual_seed(4);
    gpt::Network network(gpt::Shape{.kind = kind,
                                    .vocabulary = 40,
                                    .width = 32,
                                    .layers = 2,
                                    .heads = 4,
                                    .kv_heads = llama ? 2 : 4,
                                    .head = 8,
                                    .hidden = 64,
                                    .context = 32,
                                    .tied = !llama},
                         0);
    Shake(*network);
    const auto language = gpt::ReadLanguage({.tokenizer_json = TinyTokenizer()});
    ASSERT_TRUE(language.ok()) << language.error().message;
    const Trained model =
        Publish(gpt::StoreModel(*network, *language, *blobs).value(), {{"family", "llm"}}, {}, *blobs, folder / "work");
    ASSERT_TRUE(model.files.contains("model.gguf"));
    EXPECT_EQ(GetString(model.model.description, "architecture"), gpt::Name(kind));
    const auto plain = NetworkLogits(*network);
    EXPECT_LT(Distance(EngineLogits(model.files.at("model.gguf")), plain), 1e-3);

    network->AddLora({.rank = 3, .alpha = 5}, false);
    Shake(*network);  // the weights that stay as they are, too: they are read again
    ASSERT_TRUE(gpt::ReadWeights(model.files, *network).ok());
    const Trained adapter = Publish(gpt::StoreAdapter(*network, "base", *blobs).value(), {{"family", "llm-adapter"}},
                                    model.files, *blobs, folder / "work");
    ASSERT_TRUE(adapter.files.contains("adapter.gguf"));
    EXPECT_EQ(adapter.model.description.at("rank").to_number<int64_t>(), llama ? 3 : 9);
    const auto adapted = NetworkLogits(*network);
    EXPECT_GT(Distance(adapted, plain), 0.1);
    EXPECT_LT(Distance(EngineLogits(model.files.at("model.gguf"), adapter.files.at("adapter.gguf")), adapted), 1e-3);
  }
}

// From rows to what a trained model is worth, through the jobs.
class LanguageModelJobs : public ::testing::Test {
 protected:
  // The result of a training, and of evaluating the model on its validation rows.
  struct Results {
    json::object trained{};
    json::object evaluated{};
  };

  Results Run(const std::string& rows, const json::object& types, std::string_view settings) {
    const auto blob = storage::PutBytes(store_.blobs(), rows).value();
    const auto options =
        data::ImportOptionsFromJson({{"task", "none"}, {"types", types}, {"split", {0.9, 0.1, 0}}}).value();
    const auto manifest =
        data::Import(store_.blobs(), {{"rows.jsonl", blob}}, options, data::TabularFormats(), {}).value().content;
    auto spec = store_.Spec(manifest);
    spec["family"] = "gpt";
    spec["model"] = "tiny";
    spec["settings"] = MakeTrainSettings("gpt", ParseJson(settings)->as_object(), manifest).value();
    const auto folder = store_.path() / "job";
    std::filesystem::create_directories(folder);
    const auto run = [&](auto job) {
      const auto result =
          job({.spec = spec, .directory = folder, .threads = 1, .cancelled = {}, .progress = {}, .message = {}});
      EXPECT_TRUE(result.ok()) << (result.ok() ? "" : result.error().message);
      return result.ok() ? *result : json::object();
    };
    Results results{.trained = run(TrainJob)};
    spec["model"] = json::object{{"name", "tiny"}, {"version", 1}, {"files", results.trained.at("files")}};
    spec["split"] = "validation";
    results.evaluated = run(EvaluateJob);
    return results;
  }

  families::testing::TinyStore store_;
};

// The engine's loss is the network's, where the validation rows are one window.
TEST_F(LanguageModelJobs, MeasuresTextsAsTheTrainerDid) {
  std::string rows;
  for (int i = 0; i < 80; ++i) {
    rows += json::serialize(json::object{{"text", std::string("one two three 一二三 ").substr(i % 5)}}) + "\n";
  }
  const auto results =
      Run(rows, {{"text", "text"}}, R"({"width":32,"layers":1,"heads":2,"context":256,"vocabulary_size":300,"epochs":3,
      "separator":"\n","early_stopping":0,"warmup_steps":1})");
  const auto& history = results.trained.at("metadata").at("training").at("history").as_array();
  const json::object& metrics = results.evaluated.at("metrics").as_object();
  EXPECT_NEAR(GetNumber(metrics, "loss"), history.back().at("validation_loss").to_number<double>(), 0.01);
  EXPECT_NEAR(GetNumber(metrics, "loss_per_character"), history.back().at("validation_metric").to_number<double>(),
              0.01);
  EXPECT_NEAR(GetNumber(metrics, "perplexity"), std::exp(GetNumber(metrics, "loss")), 1e-9);
  EXPECT_FALSE(results.evaluated.contains("predictions"));
}

TEST_F(LanguageModelJobs, MeasuresWhatIsAnswered) {
  const std::pair<std::string, std::string> known[] = {{"sky", "blue"}, {"草", "绿色"}, {"snow", "white"}};
  std::string rows;
  for (int i = 0; i < 120; ++i) {
    const auto& [asked, said] = known[i % 3];
    rows += json::serialize(json::object{{"instruction", asked}, {"output", said}}) + "\n";
  }
  const auto results = Run(rows, {{"instruction", "text"}, {"output", "text"}},
                           R"({"width":32,"layers":1,"heads":2,"context":64,"vocabulary_size":300,"epochs":30,
      "learning_rate":0.01,"batch_size":4,"early_stopping":0,"warmup_steps":1})");
  const json::object& metrics = results.evaluated.at("metrics").as_object();
  EXPECT_LT(GetNumber(metrics, "perplexity"), 1.1);
  EXPECT_EQ(GetNumber(metrics, "exact_match"), 1);
  EXPECT_NEAR(GetNumber(metrics, "chrf"), 100, 1e-9);
  EXPECT_TRUE(results.evaluated.contains("predictions"));
}

}  // namespace
}  // namespace atelier::learning
